/* SPDX-License-Identifier: Apache-2.0 */
/*
 * core/policy/breakglass.h - break-glass policies: who may take emergency access, for which reasons, when, and how
 * long.
 */
#ifndef SN_CORE_POLICY_BREAKGLASS_H
#define SN_CORE_POLICY_BREAKGLASS_H

#include "core/policy/ruleset.h"

enum sn_reason_code {
    SN_REASON_INCIDENT,
    SN_REASON_MAINTENANCE,
    SN_REASON_SECURITY,
    SN_REASON_RECOVERY,
    SN_REASON_OTHER,
};
enum sn_mfa_method { SN_MFA_TOTP, SN_MFA_SMS };

struct sn_breakglass_mfa {
    bool is_set; /* first, for the reader of parts */
    bool required;
    uint32_t methods; /* bit per enum sn_mfa_method; 0: any */
};

struct sn_breakglass_rule {
    struct sn_rule_head head;
    struct sn_entry_list users;
    struct sn_entry_list reviewers; /* none: every user of the rule */
    uint32_t reason_codes;          /* bit per enum sn_reason_code; 0: any */
    struct sn_time_window time;
    int64_t max_duration_s; /* 0: the system's maximum */
    struct sn_breakglass_mfa mfa;
};

/* Why emergency access is not had, in the order of the checks. */
enum sn_breakglass_answer {
    SN_BREAKGLASS_ALLOWED,
    SN_BREAKGLASS_NO_RULE,
    SN_BREAKGLASS_NOT_LISTED,
    SN_BREAKGLASS_REASON,
    SN_BREAKGLASS_TIME,
    SN_BREAKGLASS_DURATION,
};

struct sn_breakglass_request {
    const struct sn_principal *principal;
    const char *own_account; /* the TVM's */
    struct sn_slice profile;
    enum sn_reason_code reason;
    int64_t unix_s, duration_s;
};

/* NULL: no rule speaks of the profile, which is a denial and not a freedom. */
const struct sn_breakglass_rule *sn_breakglass_rule_find(const struct sn_ruleset *policy, struct sn_slice profile);

/* The checks that come before MFA. *out_rule is the rule of the profile, or NULL. A NULL policy has no rule. */
enum sn_breakglass_answer sn_breakglass_ask(const struct sn_ruleset *policy,
    const struct sn_breakglass_request *request, const struct sn_breakglass_rule **out_rule);

/* False where the rule demands MFA and the method is not one of its methods. */
bool sn_breakglass_takes_method(const struct sn_breakglass_rule *rule, enum sn_mfa_method method);
/* May close and see an event of the rule, beside its invoker and the operators. */
bool sn_breakglass_is_reviewer(const struct sn_ruleset *policy, const struct sn_breakglass_rule *rule,
    const struct sn_principal *principal, const char *own_account);

#endif
