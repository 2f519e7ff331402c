/* SPDX-License-Identifier: Apache-2.0 */
/*
 * core/request/approvals.c - approvals to text and back, and the count of those that hold.
 */
#include "core/request/approvals.h"

#include "base/time.h"
#include "codec/json.h"
#include "core/request/binding.h"

enum { APPROVALS_MAX_BYTES = 256 * 1024, FIELDS = 6 };

struct stored_approval {
    struct sn_slice by, arn, at, comment, rule, binding;
};
static const struct sn_json_field stored_fields[] = {
    {.name = "by", .kind = SN_JSON_FIELD_TEXT, .offset = offsetof(struct stored_approval, by), .required = true},
    {.name = "arn", .kind = SN_JSON_FIELD_TEXT, .offset = offsetof(struct stored_approval, arn), .required = true},
    {.name = "at", .kind = SN_JSON_FIELD_TEXT, .offset = offsetof(struct stored_approval, at), .required = true},
    {.name = "comment",
        .kind = SN_JSON_FIELD_TEXT,
        .offset = offsetof(struct stored_approval, comment),
        .required = true},
    {.name = "rule", .kind = SN_JSON_FIELD_TEXT, .offset = offsetof(struct stored_approval, rule), .required = true},
    {.name = "binding",
        .kind = SN_JSON_FIELD_TEXT,
        .offset = offsetof(struct stored_approval, binding),
        .required = true},
    {0},
};
static const struct sn_json_limits limits = {
    .max_bytes = APPROVALS_MAX_BYTES, .max_depth = 2, .max_members = SN_APPROVALS_MAX * (FIELDS + 1)};

static enum sn_status invalid(struct sn_error *err, const char *what)
{
    return sn_fail(err, SN_INTERNAL, "RECORD_INVALID", "the approvals of a stored request %s", what);
}

static enum sn_status read_one(
    const struct sn_json *node, struct sn_arena *arena, struct sn_approval *out_approval, struct sn_error *err)
{
    struct stored_approval stored = {0};
    struct sn_principal approver;
    struct sn_approval approval;

    SN_TRY(sn_json_read_object(node, stored_fields, false, &stored, err));
    SN_TRY(sn_time_parse_stored(stored.at, &approval.at_ms, err));
    SN_TRY(sn_principal_parse(stored.arn, NULL, &approver, err));
    if (!sn_slice_eq_str(stored.by, approver.name) || stored.binding.len != SN_BINDING_LEN) {
        return invalid(err, "name an approver or a binding that cannot be");
    }
    approval.by = sn_arena_dup(arena, stored.by);
    approval.arn = sn_arena_dup(arena, stored.arn);
    approval.comment = sn_arena_dup(arena, stored.comment);
    approval.rule = sn_arena_dup(arena, stored.rule);
    approval.binding = sn_arena_dup(arena, stored.binding);
    *out_approval = approval;
    return SN_OK;
}

static enum sn_status read_all(
    const struct sn_json *root, struct sn_arena *arena, struct sn_approvals *approvals, struct sn_error *err)
{
    if (sn_json_kind_of(root) != SN_JSON_ARRAY || sn_json_count(root) > SN_APPROVALS_MAX) {
        return invalid(err, "are no list of their kind");
    }
    for (size_t i = 0; i < sn_json_count(root); i++) {
        SN_TRY(read_one(sn_json_at(root, i), arena, &approvals->items[i], err));
        approvals->count++;
    }
    return SN_OK;
}

enum sn_status sn_approvals_parse(
    struct sn_slice text, struct sn_arena *arena, struct sn_approvals *out_approvals, struct sn_error *err)
{
    SN_AUTO(sn_json_doc_free_p) struct sn_json_doc *doc = NULL;
    SN_AUTO(sn_buf_clear) struct sn_buf again = {0};
    struct sn_approvals approvals = {.count = 0};
    struct sn_error cause = {0};

    if (sn_json_parse(text, &limits, &doc, &cause) != SN_OK ||
        read_all(sn_json_root(doc), arena, &approvals, &cause) != SN_OK) {
        return invalid(err, "cannot be read");
    }
    sn_approvals_format(&again, &approvals);
    if (!sn_slice_eq(sn_buf_slice(&again), text)) {
        return invalid(err, "are not in the one form in which they are written");
    }
    *out_approvals = approvals;
    return SN_OK;
}

void sn_approvals_format(struct sn_buf *buf, const struct sn_approvals *approvals)
{
    struct sn_json_writer w;

    sn_json_writer_init(&w, buf);
    sn_json_begin_array(&w);
    for (size_t i = 0; i < approvals->count; i++) {
        const struct sn_approval *approval = &approvals->items[i];
        char at[SN_TIME_TEXT_MAX];
        sn_json_begin_object(&w);
        sn_json_member_text(&w, "by", approval->by);
        sn_json_member_text(&w, "arn", approval->arn);
        sn_json_member_text(&w, "at", sn_time_format_rfc3339_ms(approval->at_ms, at));
        sn_json_member_text(&w, "comment", approval->comment);
        sn_json_member_text(&w, "rule", approval->rule);
        sn_json_member_text(&w, "binding", approval->binding);
        sn_json_end_object(&w);
    }
    sn_json_end_array(&w);
}

bool sn_approvals_are_valid(struct sn_slice text)
{
    SN_AUTO(sn_arena_clear) struct sn_arena arena = {0};
    struct sn_approvals approvals;
    struct sn_error ignored = {0};

    return sn_approvals_parse(text, &arena, &approvals, &ignored) == SN_OK;
}

const char *sn_approval_why_text(enum sn_approval_why why)
{
    switch (why) {
    case SN_APPROVAL_COUNTS:
        return NULL;
    case SN_APPROVAL_NOT_LISTED:
        return "the approver is not listed for this profile any more";
    case SN_APPROVAL_OTHER_BINDING:
        return "it was given for another wording of the request";
    case SN_APPROVAL_BY_REQUESTER:
        return "the approver is the requester";
    case SN_APPROVAL_SAME_PERSON:
        return "the same person's approval is counted already";
    case SN_APPROVAL_UNKNOWN_CALLER:
        return "the approver is no caller that this server knows";
    }
    SN_ASSERT(false);
    return "";
}

static enum sn_approval_why judge(const struct sn_approval *approval, const struct sn_approval_rule *rule,
    const struct sn_principal *requester, struct sn_slice binding, const struct sn_approval_count *so_far,
    struct sn_principal *out_approver)
{
    if (!rule->identify(rule->ctx, approval->arn, out_approver)) {
        return SN_APPROVAL_UNKNOWN_CALLER;
    }
    if (!rule->lists(rule->ctx, out_approver)) {
        return SN_APPROVAL_NOT_LISTED;
    }
    if (!sn_slice_eq(approval->binding, binding)) {
        return SN_APPROVAL_OTHER_BINDING;
    }
    if (rule->same_person(rule->ctx, out_approver, requester)) {
        return SN_APPROVAL_BY_REQUESTER;
    }
    for (size_t i = 0; i < so_far->counted; i++) {
        if (rule->same_person(rule->ctx, out_approver, &so_far->persons[i])) {
            return SN_APPROVAL_SAME_PERSON;
        }
    }
    return SN_APPROVAL_COUNTS;
}

void sn_approvals_count(const struct sn_approvals *approvals, const struct sn_approval_rule *rule,
    const struct sn_principal *requester, struct sn_slice binding, struct sn_approval_count *out_count)
{
    out_count->counted = 0;
    for (size_t i = 0; i < approvals->count; i++) {
        struct sn_principal *place = &out_count->persons[out_count->counted];
        out_count->why[i] = judge(&approvals->items[i], rule, requester, binding, out_count, place);
        out_count->counted += out_count->why[i] == SN_APPROVAL_COUNTS ? 1 : 0;
    }
}
