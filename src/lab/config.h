/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lab/config.h - lab.yaml: which users, roles and profiles the lab holds.
 *
 * Strict: unknown keys, wrong kinds, names AWS would refuse and repeated names are errors with line and column. A
 * policy is written as a YAML mapping or as one text of JSON.
 */
#ifndef SN_LAB_CONFIG_H
#define SN_LAB_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/random.h"
#include "base/slice.h"
#include "lab/identity_center.h"

struct sn_lab_directory;
struct sn_lab_key;

/* A profile of the AWS files: a user's key, or a role assumed with another profile's key. */
struct sn_lab_profile {
    struct sn_slice name;
    struct sn_slice role_arn, source_profile, session_name; /* empty for a user's key */
    struct sn_lab_key *key;                                 /* counted; NULL for a role */
};

struct sn_lab_managed {
    struct sn_slice arn;
    struct sn_lab_policy *policy; /* counted */
};

struct sn_lab_config {
    struct sn_slice account, region;
    bool has_clock;
    int64_t clock_unix_ms;
    struct sn_lab_profile *profiles;
    size_t profile_count;
    struct sn_lab_managed *managed;
    size_t managed_count;
    struct sn_lab_center_config center;
};

/* The built-in lab.yaml, as printed by --print-config. */
extern const char sn_lab_default_config[];

/*
 * Reads a lab.yaml and fills directory, which lends its arena to out_config. Code LAB_CONFIG or the codes of
 * codec/yaml.h.
 */
SN_MUST_CHECK enum sn_status sn_lab_config_load(struct sn_slice yaml, const struct sn_random *random_source,
    struct sn_lab_directory *directory, struct sn_lab_config *out_config, struct sn_error *err);
/* Releases the counted parts. */
void sn_lab_config_clear(struct sn_lab_config *config);

#endif
