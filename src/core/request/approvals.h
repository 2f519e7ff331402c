/* SPDX-License-Identifier: Apache-2.0 */
/*
 * core/request/approvals.h - the approvals that a request has been given, and which of them count now.
 *
 * Stored as compact JSON, an array of objects with the keys by, arn, at, comment, rule, binding in this order. An
 * approval counts only while its approver is listed, for the wording that is in the record, once a person, and never
 * from the requester: that is looked at again at every act and at every issue.
 */
#ifndef SN_CORE_REQUEST_APPROVALS_H
#define SN_CORE_REQUEST_APPROVALS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/slice.h"
#include "core/identity/principal.h"

enum { SN_APPROVALS_MAX = 32 }; /* those that count no more are kept, so more than a rule may ask for */

struct sn_approval {
    struct sn_slice by, arn; /* raw name and principal ARN of the approver */
    int64_t at_ms;
    struct sn_slice comment, rule, binding;
};
struct sn_approvals {
    struct sn_approval items[SN_APPROVALS_MAX];
    size_t count;
};

/* Exactly the form that sn_approvals_format writes; text goes into the arena. SN_INTERNAL, RECORD_INVALID. */
SN_MUST_CHECK enum sn_status sn_approvals_parse(
    struct sn_slice text, struct sn_arena *arena, struct sn_approvals *out_approvals, struct sn_error *err);
void sn_approvals_format(struct sn_buf *buf, const struct sn_approvals *approvals);
bool sn_approvals_are_valid(struct sn_slice text);

/* The approval document as it is now, for one profile, and who is who. Borrowed. */
struct sn_approval_rule {
    struct sn_slice name;
    int64_t approvals_required;
    bool single_use;
    bool (*lists)(void *ctx, const struct sn_principal *actor);
    /* The same-person test with the document's people map. */
    bool (*same_person)(void *ctx, const struct sn_principal *a, const struct sn_principal *b);
    /* The principal behind a stored ARN, vouched for as the settings say now; false when there is none. */
    bool (*identify)(void *ctx, struct sn_slice arn, struct sn_principal *out_principal);
    void *ctx;
};

enum sn_approval_why {
    SN_APPROVAL_COUNTS,
    SN_APPROVAL_NOT_LISTED,
    SN_APPROVAL_OTHER_BINDING,
    SN_APPROVAL_BY_REQUESTER,
    SN_APPROVAL_SAME_PERSON,
    SN_APPROVAL_UNKNOWN_CALLER,
};
/* One sentence for people; NULL for one that counts. */
const char *sn_approval_why_text(enum sn_approval_why why);

struct sn_approval_count {
    enum sn_approval_why why[SN_APPROVALS_MAX];
    struct sn_principal persons[SN_APPROVALS_MAX]; /* those counted, in order */
    size_t counted;
};
void sn_approvals_count(const struct sn_approvals *approvals, const struct sn_approval_rule *rule,
    const struct sn_principal *requester, struct sn_slice binding, struct sn_approval_count *out_count);

#endif
