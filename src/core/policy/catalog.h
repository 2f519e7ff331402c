/* SPDX-License-Identifier: Apache-2.0 */
/*
 * core/policy/catalog.h - the catalogue of profiles: name to role, caps and session policy.
 */
#ifndef SN_CORE_POLICY_CATALOG_H
#define SN_CORE_POLICY_CATALOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/slice.h"
#include "core/policy/findings.h"

struct sn_tag {
    struct sn_slice key, value;
};

struct sn_profile {
    struct sn_slice name;
    struct sn_slice role_arn;
    struct sn_slice role_name; /* of role_arn, without path */
    struct sn_slice role_account;
    struct sn_slice description, region, external_id;
    int64_t max_duration_s;         /* 0: no cap */
    struct sn_slice session_policy; /* minified JSON; empty: none */
    const struct sn_slice *policy_arns;
    size_t policy_arn_count;
    const struct sn_tag *tags;
    size_t tag_count;
};

struct sn_catalog;

/* One text of several that make up a catalogue (catalog.yaml, catalog.d/x.yaml, one SSM parameter each). */
struct sn_catalog_source {
    struct sn_slice name; /* for messages */
    struct sn_slice text;
};

/* A name given twice, also in two texts, is an error. Findings as for sn_policy_load; INVALID_CATALOG. */
SN_MUST_CHECK enum sn_status sn_catalog_load(const struct sn_catalog_source *sources, size_t source_count,
    struct sn_findings *findings, struct sn_catalog **out_catalog, struct sn_error *err);
struct sn_catalog *sn_catalog_ref(struct sn_catalog *catalog);
void sn_catalog_unref(struct sn_catalog *catalog);
void sn_catalog_unref_p(struct sn_catalog **catalog);

/* Borrowed, or NULL. */
const struct sn_profile *sn_catalog_find(const struct sn_catalog *catalog, struct sn_slice name);
size_t sn_catalog_count(const struct sn_catalog *catalog);
/* Sorted by name, bytewise. */
const struct sn_profile *sn_catalog_at(const struct sn_catalog *catalog, size_t index);
/* True if some entry names the role of that account and (path-less) name. */
bool sn_catalog_has_role(const struct sn_catalog *catalog, struct sn_slice account, struct sn_slice role_name);

#endif
