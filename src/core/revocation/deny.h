/* SPDX-License-Identifier: Apache-2.0 */
/*
 * core/revocation/deny.h - the inline policy by which a protected role denies keys that are out already.
 *
 * Entries say which SourceIdentity values are denied on one role; the policy is rendered from them and never read back.
 * Equal entries give equal bytes. IAM counts the characters of all inline policies of a role without white space
 * (10,240 in all), so the rendering has a budget, and a fixed order in which entries give way:
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
 */
#ifndef SN_CORE_REVOCATION_DENY_H
#define SN_CORE_REVOCATION_DENY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/slice.h"

#define SN_DENY_POLICY_NAME "SentinelRevocations"

enum {
    SN_DENY_POLICY_MAX_CHARS = 10240, /* IAM's, over all inline policies of a role */
    SN_DENY_ENTRIES_MAX = 2000,
    SN_DENY_KEEP_SLACK_S = 60, /* an entry outlives the keys that it denies */
};

enum sn_deny_kind {
    SN_DENY_EXACT,   /* one session: value is its SourceIdentity */
    SN_DENY_PATTERN, /* value ends in "=*"; sessions issued before bound_s */
};

struct sn_deny_entry {
    enum sn_deny_kind kind;
    struct sn_slice value;
    int64_t bound_s;      /* pattern: keys issued before it; exact: when the session was issued */
    int64_t keep_until_s; /* no key that it denies is alive from then on */
    struct sn_slice by;   /* who revoked */
    int64_t at_s;
};

struct sn_deny_list {
    struct sn_deny_entry *entries;
    size_t count;
};

/* What the renderer must know of the sessions on the role. */
struct sn_deny_role {
    size_t budget_chars; /* what the role's other policies leave, at most SN_DENY_POLICY_MAX_CHARS */
    int64_t now_s;
    int64_t longest_session_s; /* of the role */
    /* True if every live session on the role whose SourceIdentity has this <user> part is revoked. */
    bool (*all_revoked)(void *ctx, struct sn_slice user);
    void *ctx;
};

struct sn_deny_rendering {
    struct sn_slice policy;     /* in the arena; empty: nothing is left to deny */
    struct sn_deny_list kept;   /* the entries from now on: those over and those merged are gone */
    struct sn_slice *uncovered; /* SourceIdentity values that found no room, to be told as over_limit */
    size_t uncovered_count;
};

/*
 * Renders the policy of a role. Entries give way in this order until it fits: those past keep_until; exact ones that a
 * pattern covers; exact ones of one user merged into a pattern; last, exact ones that end first are left out, which is
 * told. kept still holds those left out, so that they come in again when there is room.
 */
void sn_deny_render(const struct sn_deny_list *list, const struct sn_deny_role *role, struct sn_arena *arena,
    struct sn_deny_rendering *out_rendering);

/* Adds an entry, or extends the one of the same kind and value to the later times. SN_LIMIT: DENY_LIST_FULL. */
SN_MUST_CHECK enum sn_status sn_deny_add(
    struct sn_deny_list *list, const struct sn_deny_entry *entry, struct sn_arena *arena, struct sn_error *err);

/* The earliest keep_until of a list, at which it is to be rendered again; INT64_MAX when it is empty. */
int64_t sn_deny_next_prune_s(const struct sn_deny_list *list);

/* "sentinel=alice=*" of a user part; the pattern of a whole role is "sentinel=*". In the arena. */
struct sn_slice sn_deny_user_pattern(struct sn_arena *arena, struct sn_slice user);

/* Stored form: compact JSON, an array of objects with the keys kind, value, bound, keep_until, by, at. */
void sn_deny_format(struct sn_buf *buf, const struct sn_deny_list *list);
SN_MUST_CHECK enum sn_status sn_deny_parse(
    struct sn_slice text, struct sn_arena *arena, struct sn_deny_list *out_list, struct sn_error *err);

#endif
