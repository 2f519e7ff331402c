/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lab/config_internal.h - what the readers of lab.yaml share. Private to src/lab.
 */
#ifndef SN_LAB_CONFIG_INTERNAL_H
#define SN_LAB_CONFIG_INTERNAL_H

#include "codec/yaml.h"
#include "lab/config.h"

struct sn_lab_config_reader {
    struct sn_lab_directory *directory;
    struct sn_arena *arena;
    const struct sn_random *random_source;
    struct sn_lab_config *config;
    struct sn_error *err;
};

/* LAB_CONFIG with the node's place. */
enum sn_status sn_lab_config_wrong(struct sn_lab_config_reader *r, const struct sn_yaml_node *node, const char *what);
SN_MUST_CHECK enum sn_status sn_lab_config_check_keys(
    struct sn_lab_config_reader *r, const struct sn_yaml_node *node, const char *const *allowed);
/* Text of a member; absent leaves *out alone unless required. */
SN_MUST_CHECK enum sn_status sn_lab_config_text_of(struct sn_lab_config_reader *r, const struct sn_yaml_node *node,
    const char *key, bool required, struct sn_slice *out);
/* The same, with the letters that IAM allows in a name. */
SN_MUST_CHECK enum sn_status sn_lab_config_name_of(struct sn_lab_config_reader *r, const struct sn_yaml_node *node,
    const char *key, bool required, struct sn_slice *out);
/* The member 'account', twelve digits; *out comes with what holds when it is absent. */
SN_MUST_CHECK enum sn_status sn_lab_config_account_of(
    struct sn_lab_config_reader *r, const struct sn_yaml_node *node, struct sn_slice *out);
/* The list of that name, or NULL; *out_status says whether it is one. */
const struct sn_yaml_node *sn_lab_config_list_of(struct sn_lab_config_reader *r, const struct sn_yaml_node *root,
    const char *key, size_t *out_count, enum sn_status *out_status);
/* AWS's unique ids, made from the name so that they are the same in each run. */
struct sn_slice sn_lab_config_unique_id(struct sn_arena *arena, const char *prefix, struct sn_slice arn);

/* --- config_center.c --- */

/* 'identity_center'; the roles of its permission sets join the directory. */
SN_MUST_CHECK enum sn_status sn_lab_config_read_center(struct sn_lab_config_reader *r, const struct sn_yaml_node *root);

#endif
