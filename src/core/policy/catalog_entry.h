/* SPDX-License-Identifier: Apache-2.0 */
/*
 * core/policy/catalog_entry.h - one profile of the catalogue; internal to core/policy.
 */
#ifndef SN_CORE_POLICY_CATALOG_ENTRY_H
#define SN_CORE_POLICY_CATALOG_ENTRY_H

#include "core/policy/catalog.h"
#include "core/policy/schema.h"

/* False, with a finding, when the key cannot be the name of a profile. */
bool sn_catalog_name_check(const struct sn_report *report, const struct sn_yaml_node *key, const struct sn_path *path);
/* ^[a-z]{2,4}(-[a-z]+)+-[0-9]{1,2}$ */
bool sn_catalog_region_is_valid(struct sn_slice text);
/* Reads all fields but the name; false, with findings, when something is wrong. Texts are copied into arena. */
bool sn_catalog_entry_read(const struct sn_report *report, const struct sn_yaml_pair *pair, const struct sn_path *path,
    struct sn_arena *arena, struct sn_profile *profile);

#endif
