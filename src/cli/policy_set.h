/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/policy_set.h - access policies of one file, or of a document directory as a server reads it.
 *
 * In a directory policy.yaml governs every profile, or policies/PROFILE.yaml one each; catalog.yaml and the files of
 * catalog.d are its catalogue. Owner and mode of files are not looked at: this is an author's copy.
 */
#ifndef SN_CLI_POLICY_SET_H
#define SN_CLI_POLICY_SET_H

#include "cli/policy_input.h"
#include "core/policy/ruleset.h"
#include "core/policy/strtab.h"

enum { SN_POLICY_SET_MAX = 10000, SN_POLICY_SET_DEPTH_MAX = 16 };

struct sn_policy_item {
    struct sn_slice name;    /* as shown: "policies/prod.yaml" in a directory; the file's own name without folder */
    struct sn_slice profile; /* that it governs; empty: every one */
    struct sn_policy *policy;
};

/* Zeroed: empty. */
struct sn_policy_set {
    struct sn_arena arena;
    const char *path;
    bool is_directory;
    struct sn_policy_item *items;
    size_t count, capacity;
    struct sn_strtab by_profile;              /* number: index into items */
    struct sn_catalog *catalog;               /* NULL: none */
    struct sn_ruleset *approval, *breakglass; /* of sn_policy_set_load_rulesets; NULL: not configured */
};

/*
 * Loads what path names. catalogs, of --catalog, belong to a file; with a directory they are a usage error. Fails with
 * the codes of sn_input_policy and sn_input_catalog, and DOCUMENT_LAYOUT. Clear in any case.
 */
SN_MUST_CHECK enum sn_status sn_policy_set_load(
    struct sn_policy_set *set, const char *path, const struct sn_opt_list *catalogs, struct sn_error *err);
/*
 * The approval and break-glass policies: of a directory its approval.yaml and breakglass.yaml where they exist, else
 * the files given, of which each may be NULL. INVALID_POLICY, FILE_UNREADABLE.
 */
SN_MUST_CHECK enum sn_status sn_policy_set_load_rulesets(
    struct sn_policy_set *set, const char *approval, const char *breakglass, struct sn_error *err);
void sn_policy_set_clear(struct sn_policy_set *set);
/* The item that governs a profile, or NULL. */
const struct sn_policy_item *sn_policy_set_find(const struct sn_policy_set *set, struct sn_slice profile);

#endif
