/* SPDX-License-Identifier: Apache-2.0 */
/*
 * core/policy/simulate.h - logged decisions evaluated again, and what comes out differently (POL 14.2).
 *
 * Each decision meets the policy of its profile at its own instant, with its caller and posture as they were logged;
 * the policy's result is compared with the policy's result then, before overrides. Memory is bounded: callers and
 * profiles met are remembered up to a limit and then anew, groups of changes are kept up to another and counted beyond
 * it. Not for several threads.
 */
#ifndef SN_CORE_POLICY_SIMULATE_H
#define SN_CORE_POLICY_SIMULATE_H

#include "core/audit/decision_reader.h"
#include "core/policy/strtab.h"
#include "core/policy/trial.h"

enum {
    SN_SIMULATION_PAIRS_MAX = 65536, /* caller, profile and posture together, remembered at a time */
    SN_SIMULATION_GROUPS_MAX = 10000,
    SN_SIMULATION_EXAMPLES_MAX = 100,
};

enum sn_change { SN_NEWLY_DENIED, SN_NEWLY_ASKED, SN_NEWLY_ALLOWED, SN_OVERRIDE_LOST, SN_CHANGES };
extern const char *const sn_change_words[SN_CHANGES]; /* "newly_denied", ... */

/* The policy that governs a profile, or NULL: default deny. The answer is good as long as the source. */
struct sn_policy_source {
    const struct sn_policy *(*find)(void *ctx, struct sn_slice profile);
    void *ctx;
};

struct sn_log_place {
    uint32_t file;
    uint64_t line;
    int64_t unix_ms;
};
struct sn_change_group {
    enum sn_change change;
    struct sn_slice caller_arn, profile, from_rule, to_rule;
    enum sn_effect from_effect, to_effect;
    uint64_t count;
    struct sn_log_place *examples;
    size_t example_count;
};

struct sn_simulation_pair;
struct sn_simulation {
    /* Set by the caller. */
    struct sn_policy_source new_policies, old_policies; /* old: find NULL compares with the log */
    struct sn_trial_server server;
    size_t examples; /* kept of each group, at most SN_SIMULATION_EXAMPLES_MAX */
    /* The results. */
    uint64_t evaluated, unchanged, changes[SN_CHANGES], changes_without_group;
    int64_t first_ms, last_ms; /* of what was evaluated */
    struct sn_change_group *groups;
    size_t group_count, group_capacity;
    /* The simulation's own. */
    struct sn_arena group_texts, texts;
    struct sn_strtab group_keys, callers, profiles, systems, versions;
    struct sn_simulation_pair *pairs;
    uint32_t *slots; /* hash table over pairs; 0: free, else number + 1 */
    size_t pair_count;
    bool account_is_said, has_account;
};

/* After the caller's fields are set. */
void sn_simulation_begin(struct sn_simulation *simulation);
void sn_simulation_clear(struct sn_simulation *simulation);
/*
 * One decision. SN_INVALID, INVALID_IDENTITY: the caller is none, the entry counts for nothing; TWO_ACCOUNTS
 * (SN_USAGE): no account was said and IAM users of two were met.
 */
SN_MUST_CHECK enum sn_status sn_simulation_add(struct sn_simulation *simulation,
    const struct sn_logged_decision *decision, uint32_t file, uint64_t line, struct sn_error *err);

#endif
