/* SPDX-License-Identifier: Apache-2.0 */
/*
 * core/policy/ruleset.h - approval, break-glass and rate-limit policies: a list of rules, of which the first that
 * speaks of a profile counts.
 *
 * What the rules of each kind hold is in approval.h, breakglass.h and ratelimit.h. A loaded policy never changes and
 * may be shared between threads; asking it allocates nothing.
 */
#ifndef SN_CORE_POLICY_RULESET_H
#define SN_CORE_POLICY_RULESET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/slice.h"
#include "core/policy/entry.h"
#include "core/policy/kinds.h"
#include "core/policy/window.h"

struct sn_findings;
struct sn_principal;
struct sn_ruleset;
struct sn_tz_source;

struct sn_profile_list {
    const struct sn_slice *items;
    size_t count;
};

/* The time condition of a rule. */
struct sn_time_window {
    bool is_set;
    struct sn_window window;
    const struct sn_tz *zone;
    struct sn_slice zone_name;
};

/* What the rules of every kind begin with. */
struct sn_rule_head {
    struct sn_slice name;
    struct sn_profile_list profiles; /* none: every profile */
    uint32_t line, column;           /* in the document */
};

/*
 * Parses and validates. kind is one with a shape in its row. Findings of every severity are appended to findings (may
 * be NULL); with an error among them the call fails with SN_INVALID, INVALID_POLICY and the first one as message.
 */
SN_MUST_CHECK enum sn_status sn_ruleset_load(enum sn_document_kind kind, struct sn_slice text,
    const struct sn_tz_source *zones, struct sn_findings *findings, struct sn_ruleset **out_ruleset,
    struct sn_error *err);
struct sn_ruleset *sn_ruleset_ref(struct sn_ruleset *ruleset);
void sn_ruleset_unref(struct sn_ruleset *ruleset);
void sn_ruleset_unref_p(struct sn_ruleset **ruleset);

enum sn_document_kind sn_ruleset_kind(const struct sn_ruleset *ruleset);
size_t sn_ruleset_rule_count(const struct sn_ruleset *ruleset);
/* Index of the first rule without profiles or with this one; SIZE_MAX: there is none. */
size_t sn_ruleset_find(const struct sn_ruleset *ruleset, struct sn_slice profile);
/* The head of a rule; the kind's own functions give the whole of it. */
const struct sn_rule_head *sn_ruleset_head(const struct sn_ruleset *ruleset, size_t index);

/* True if an entry of the list, or of a group that it names, matches the caller. own_account is the TVM's. */
bool sn_ruleset_lists(const struct sn_ruleset *ruleset, const struct sn_entry_list *list,
    const struct sn_principal *principal, const char *own_account);
/* True if no window is set or unix_s lies inside. */
bool sn_time_window_is_open(const struct sn_time_window *time, int64_t unix_s);

#endif
