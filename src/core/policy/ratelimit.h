/* SPDX-License-Identifier: Apache-2.0 */
/*
 * core/policy/ratelimit.h - rate-limit policies: how often emergency access may be taken.
 *
 * Requests to the API are limited elsewhere, by settings.
 */
#ifndef SN_CORE_POLICY_RATELIMIT_H
#define SN_CORE_POLICY_RATELIMIT_H

#include "core/policy/ruleset.h"

struct sn_ratelimit_rule {
    struct sn_rule_head head;
    int64_t cooldown_s;            /* between events of one person on one profile; 0: none */
    uint32_t max_per_user;         /* events of the person, on any profile, inside the window; 0: no limit */
    uint32_t max_per_profile;      /* events on the profile, by anybody; 0: no limit */
    int64_t quota_window_s;        /* more than 0 where a number is counted */
    uint32_t escalation_threshold; /* events of the person; 0: off */
};

/* What happened before, as the store counts it. */
struct sn_ratelimit_past {
    bool has_last;                                 /* the person had an event on the profile */
    int64_t since_last_s;                          /* its age */
    uint32_t by_user;                              /* inside the window */
    uint32_t on_profile;                           /* inside the window */
    int64_t oldest_by_user_s, oldest_on_profile_s; /* age of the oldest that is counted */
};

enum sn_ratelimit_answer {
    SN_RATELIMIT_ALLOWED,
    SN_RATELIMIT_COOLDOWN,
    SN_RATELIMIT_USER_QUOTA,
    SN_RATELIMIT_PROFILE_QUOTA,
};

struct sn_ratelimit_verdict {
    enum sn_ratelimit_answer answer;
    int64_t retry_after_s; /* of a refusal */
    bool escalate;         /* allowed, and to be told to others */
};

/* NULL: no rule speaks of the profile, so nothing is limited. */
const struct sn_ratelimit_rule *sn_ratelimit_rule_find(const struct sn_ruleset *policy, struct sn_slice profile);
/* The first limit that is reached refuses; rule may be NULL. */
struct sn_ratelimit_verdict sn_ratelimit_judge(
    const struct sn_ratelimit_rule *rule, const struct sn_ratelimit_past *past);

#endif
