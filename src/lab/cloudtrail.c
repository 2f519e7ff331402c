/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lab/cloudtrail.c - LookupEvents over what happened in the lab (JSON 1.1).
 */
#include "base/parse.h"
#include "crypto/hash.h"
#include "lab/call.h"

enum {
    MAX_RESULTS = 50,
    WINDOW_S = 90 * 24 * 3600,
    MAX_VALUE = 2000,
    TOKEN_HASH_LEN = 16,
};

static const struct {
    const char *name;
    enum sn_lab_attribute attribute;
} attributes[] = {
    {"EventId", SN_LAB_BY_EVENT_ID},
    {"EventName", SN_LAB_BY_EVENT_NAME},
    {"ReadOnly", SN_LAB_BY_READ_ONLY},
    {"Username", SN_LAB_BY_USERNAME},
    {"ResourceType", SN_LAB_BY_RESOURCE_TYPE},
    {"ResourceName", SN_LAB_BY_RESOURCE_NAME},
    {"EventSource", SN_LAB_BY_EVENT_SOURCE},
    {"AccessKeyId", SN_LAB_BY_ACCESS_KEY},
};

struct lookup_request {
    const struct sn_json *lookup_attributes, *start_time, *end_time;
    struct sn_slice next_token, category;
    int64_t max_results;
    bool has_max_results;
};

static const struct sn_json_field fields[] = {
    {"LookupAttributes", SN_JSON_FIELD_NODE, offsetof(struct lookup_request, lookup_attributes)},
    {"StartTime", SN_JSON_FIELD_NODE, offsetof(struct lookup_request, start_time)},
    {"EndTime", SN_JSON_FIELD_NODE, offsetof(struct lookup_request, end_time)},
    {"NextToken", SN_JSON_FIELD_TEXT, offsetof(struct lookup_request, next_token)},
    {"EventCategory", SN_JSON_FIELD_TEXT, offsetof(struct lookup_request, category)},
    {.name = "MaxResults",
        .kind = SN_JSON_FIELD_INT,
        .offset = offsetof(struct lookup_request, max_results),
        .seen_offset_1 = offsetof(struct lookup_request, has_max_results) + 1},
    {0},
};

static enum sn_status read_attribute(const struct sn_json *list, struct sn_lab_lookup *out, struct sn_error *err)
{
    if (list == NULL || sn_json_count(list) == 0) {
        return SN_OK;
    }
    if (sn_json_kind_of(list) != SN_JSON_ARRAY || sn_json_count(list) > 1) {
        return sn_fail(err, SN_INVALID, "InvalidLookupAttributesException",
            "You can only specify one lookup attribute in each request.");
    }
    const struct sn_json *item = sn_json_at(list, 0);
    struct sn_slice key = sn_json_text(sn_json_get(item, "AttributeKey"));
    out->value = sn_json_text(sn_json_get(item, "AttributeValue"));
    for (size_t i = 0; i < SN_LEN(attributes); i++) {
        if (sn_slice_eq_str(key, attributes[i].name)) {
            out->attribute = attributes[i].attribute;
        }
    }
    if (out->attribute == SN_LAB_BY_NOTHING || out->value.len == 0 || out->value.len > MAX_VALUE) {
        return sn_fail(
            err, SN_INVALID, "InvalidLookupAttributesException", "The lookup attribute or its value is not valid.");
    }
    return SN_OK;
}

/* Seconds since 1970; a fraction is cut. */
static enum sn_status read_time(const struct sn_json *node, int64_t *out, struct sn_error *err)
{
    SN_AUTO(sn_buf_clear) struct sn_buf text = {0};
    struct sn_slice whole = {0};
    struct sn_slice fraction = {0};
    struct sn_error cause = {0};
    if (node == NULL) {
        return SN_OK;
    }
    sn_json_format(&text, node);
    (void)sn_slice_cut(sn_buf_slice(&text), '.', &whole, &fraction);
    if ((sn_json_kind_of(node) != SN_JSON_INT && sn_json_kind_of(node) != SN_JSON_REAL) ||
        sn_parse_int(whole, 0, INT64_C(253402300799), out, &cause) != SN_OK) {
        return sn_fail(err, SN_INVALID, "InvalidTimeRangeException", "A time is a number of seconds since 1970.");
    }
    return SN_OK;
}

/* A token is good for the question it came from: it holds the place and a hash of the rest. */
static struct sn_slice token_of(struct sn_lab_call *call, const struct sn_lab_lookup *lookup, uint64_t place)
{
    char hash[SN_SHA256_HEX_LEN + 1];
    struct sn_slice question =
        sn_arena_printf(&call->arena, "%d|%.*s|%lld|%lld|%.*s", (int)lookup->attribute, SN_PRI(lookup->value),
            (long long)lookup->from_unix_s, (long long)lookup->to_unix_s, SN_PRI(sn_lab_control_token(call->lab)));
    sn_sha256_hex(question, hash);
    return sn_arena_printf(&call->arena, "LAB.%llu.%.*s", (unsigned long long)place, TOKEN_HASH_LEN, hash);
}

static enum sn_status read_token(
    struct sn_lab_call *call, struct sn_slice token, struct sn_lab_lookup *lookup, struct sn_error *err)
{
    struct sn_slice mark = {0};
    struct sn_slice place = {0};
    struct sn_slice hash = {0};
    struct sn_error cause = {0};
    int64_t number = 0;
    lookup->below = UINT64_MAX;
    if (token.len == 0) {
        return SN_OK;
    }
    if (!sn_slice_cut(token, '.', &mark, &place) || !sn_slice_cut(place, '.', &place, &hash) ||
        sn_parse_int(place, 1, INT64_MAX, &number, &cause) != SN_OK ||
        !sn_slice_eq(token, token_of(call, lookup, (uint64_t)number))) {
        return sn_fail(err, SN_INVALID, "InvalidNextTokenException",
            "The token is not valid, or the parameters of this call are not those that the token came from.");
    }
    lookup->below = (uint64_t)number;
    return SN_OK;
}

static enum sn_status read_request(
    struct sn_lab_call *call, const struct sn_json *root, struct sn_lab_lookup *lookup, struct sn_error *err)
{
    struct lookup_request request = {.max_results = MAX_RESULTS};
    if (sn_json_read_object(root, fields, false, &request, err) != SN_OK) {
        return sn_fail(err, SN_INVALID, "SerializationException", "The request cannot be read.");
    }
    if (request.max_results < 1 || request.max_results > MAX_RESULTS) {
        return sn_fail(
            err, SN_INVALID, "InvalidMaxResultsException", "The maximum number of results must be between 1 and 50.");
    }
    lookup->max = (size_t)request.max_results;
    SN_TRY(read_attribute(request.lookup_attributes, lookup, err));
    /* Without an end the present is left open, so that the pages of one question belong together. */
    lookup->to_unix_s = INT64_MAX;
    lookup->from_unix_s = 0;
    SN_TRY(read_time(request.start_time, &lookup->from_unix_s, err));
    SN_TRY(read_time(request.end_time, &lookup->to_unix_s, err));
    if (lookup->from_unix_s > lookup->to_unix_s) {
        return sn_fail(err, SN_INVALID, "InvalidTimeRangeException",
            "The start time is after the end time, or the time range is outside the range of possible values.");
    }
    return read_token(call, request.next_token, lookup, err);
}

static enum sn_status run_lookup_events(struct sn_lab_call *call, struct sn_error *err)
{
    SN_AUTO(sn_json_doc_free_p) struct sn_json_doc *doc = NULL;
    struct sn_lab_lookup lookup = {0};
    struct sn_lab_lookup question = {0};
    if (sn_json_parse(call->request->body, &sn_json_limits_request, &doc, err) != SN_OK) {
        return sn_fail(err, SN_INVALID, "SerializationException", "The request cannot be read.");
    }
    sn_json_format(&call->parameters, sn_json_root(doc));
    struct sn_lab_facts *facts = sn_arena_alloc(&call->arena, 1, sizeof(*facts));
    sn_lab_access_facts(call, facts);
    SN_TRY(sn_lab_access_check(call, "cloudtrail:LookupEvents", SN_S("*"), NULL, facts, err));
    SN_TRY(read_request(call, sn_json_root(doc), &lookup, err));
    question = lookup;
    if (lookup.from_unix_s < sn_lab_call_now_s(call) - WINDOW_S) {
        lookup.from_unix_s = sn_lab_call_now_s(call) - WINDOW_S;
    }
    sn_buf_add_str(&call->result, "{\"Events\":[");
    uint64_t last = sn_lab_events_lookup(call->events, &lookup, &call->result);
    sn_buf_add_str(&call->result, "]");
    if (last != 0) {
        struct sn_slice token = token_of(call, &question, last);
        sn_buf_addf(&call->result, ",\"NextToken\":\"%.*s\"", SN_PRI(token));
    }
    sn_buf_add_str(&call->result, "}");
    return sn_buf_check(&call->result, "answer", err);
}

const struct sn_lab_operation sn_lab_cloudtrail_operations[] = {
    {"cloudtrail", "LookupEvents", NULL, true, run_lookup_events},
    {0},
};
