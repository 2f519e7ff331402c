/* SPDX-License-Identifier: Apache-2.0 */
/*
 * core/policy/analyze.h - exact answers about policies, from every request of a space (POL 14.3).
 *
 * Who gets what and whether a second human is always needed; rules that decide nothing; rules that pull in different
 * directions; what a change grants and takes away. Each answer names a request that shows it.
 */
#ifndef SN_CORE_POLICY_ANALYZE_H
#define SN_CORE_POLICY_ANALYZE_H

#include "core/policy/findings.h"
#include "core/policy/ruleset.h"
#include "core/policy/space.h"

enum { SN_ANALYSIS_CONFLICTS_MAX = 10000, SN_NO_DOCUMENT = 0xffffffffu };

/* The access policies of one version: one for all profiles, or one each. */
struct sn_analysis_version {
    const struct sn_policy *const *policies;
    size_t count;
    /* The number of the policy that governs a profile; SN_NO_DOCUMENT: default deny. */
    uint32_t (*find)(void *ctx, struct sn_slice profile);
    void *ctx;
};
struct sn_analysis_input {
    struct sn_analysis_version now, before;         /* before: find NULL when there is nothing to compare with */
    const struct sn_ruleset *approval, *breakglass; /* NULL: not configured */
};

/* How a profile is got without a second human. */
enum sn_via_kind { SN_VIA_RULE, SN_VIA_AUTO_APPROVAL, SN_VIA_BREAK_GLASS };
struct sn_via {
    enum sn_via_kind kind;
    struct sn_slice rule; /* of the access, approval or break-glass policy */
};
struct sn_reach {
    uint32_t profile, caller;  /* of the space */
    uint8_t results;           /* bit per enum sn_effect: what the policy says at some instant, from some device */
    const struct sn_via *vias; /* none: a second human is always needed, or nothing is got */
    size_t via_count;
    bool asks_second;        /* it is got with the consent of a second human */
    struct sn_point witness; /* of the best that is got */
};

enum sn_analysis_code { SN_FOUND_NEVER_MATCHES, SN_FOUND_CONFLICT, SN_FOUND_REACH_GROWN, SN_FOUND_REACH_SHRUNK };
struct sn_analysis_finding {
    enum sn_severity severity;
    enum sn_analysis_code code;
    uint32_t document; /* of the new version; SN_NO_DOCUMENT: none */
    uint32_t rules[2];
    size_t rule_count;
    bool has_witness;
    struct sn_point witness;
    struct sn_slice message;
};
const char *sn_analysis_code_word(enum sn_analysis_code code); /* "never-matches", ... */

struct sn_reach_change {
    uint32_t profile, caller;
    enum sn_effect from, to;
    uint64_t points;
    struct sn_point witness;
};

/* A window of a rule that speaks of a profile, for pictures. */
struct sn_week_row {
    uint32_t profile;
    enum sn_rule_effect effect;
    struct sn_slice rule, zone_name;
    struct sn_window window;
};

struct sn_analysis {
    struct sn_arena arena;
    struct sn_reach *reach; /* every profile with every caller, in the order of the space */
    size_t reach_count;
    struct sn_analysis_finding *findings;
    size_t finding_count, finding_capacity;
    uint64_t conflicts_left_out;
    struct sn_reach_change *changes;
    size_t change_count, change_capacity;
    struct sn_week_row *weeks;
    size_t week_count, week_capacity;
};

/* Adds what requesters can be told apart by in approval and break-glass policies; either may be NULL. */
void sn_vocabulary_add_rulesets(
    struct sn_vocabulary *words, const struct sn_ruleset *approval, const struct sn_ruleset *breakglass);

/*
 * The space must have been made over the vocabulary of all documents of input. SPACE_TOO_LARGE when the pairs of rules
 * cannot be compared in SN_SPACE_MAX_STATE_BYTES. Texts are borrowed from the policies. Clear in any case.
 */
SN_MUST_CHECK enum sn_status sn_analyze(const struct sn_space *space, const struct sn_analysis_input *input,
    struct sn_analysis *out_analysis, struct sn_error *err);
void sn_analysis_clear(struct sn_analysis *analysis);

#endif
