/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tvm/params.c - step 6: the parameters of a vend, from a query string or a JSON body.
 */
#include <string.h>

#include "base/parse.h"
#include "codec/json.h"
#include "codec/uri.h"
#include "tvm/vend.h"

enum {
    QUERY_MAX_BYTES = 2048,
    PARAMETER_MAX_BYTES = 1024,
    QUERY_MAX_PARAMS = 32,
    DURATION_MIN_S = 900,
    DURATION_MAX_S = 43200,
    DEVICE_ID_LEN = 64,
};

/* As given; a part that is absent has has_... false. */
struct given {
    struct sn_slice profile, duration, device_id;
    bool has_profile, has_duration, has_device_id;
};

static enum sn_status malformed(struct sn_error *err, const char *what)
{
    return sn_api_fail(err, "INVALID_REQUEST", "%s", what);
}

enum sn_status sn_call_refuse_query(struct sn_call *call, struct sn_error *err)
{
    return call->request->query.len == 0 ? SN_OK : malformed(err, "a query on a route that takes none");
}

/* --- Query string of "/" --- */

static enum sn_status read_query(struct sn_call *call, struct given *given, struct sn_error *err)
{
    struct sn_query query = {0};
    const struct sn_slice *value = NULL;

    if (call->request->query.len > QUERY_MAX_BYTES) {
        return malformed(err, "the query is too long");
    }
    if (sn_query_parse(call->request->query, false, QUERY_MAX_PARAMS, &call->arena, &query, err) != SN_OK) {
        return sn_api_translate(err, "INVALID_REQUEST");
    }
    for (size_t i = 0; i < query.count; i++) {
        if (query.params[i].value.len > PARAMETER_MAX_BYTES || query.params[i].name.len > PARAMETER_MAX_BYTES) {
            return malformed(err, "a parameter is too long");
        }
    }
    value = sn_query_find(&query, "profile");
    given->has_profile = value != NULL;
    given->profile = value != NULL ? *value : SN_S("");
    value = sn_query_find(&query, "duration");
    given->has_duration = value != NULL;
    given->duration = value != NULL ? *value : SN_S("");
    value = sn_query_find(&query, "device_id");
    given->has_device_id = value != NULL;
    given->device_id = value != NULL ? *value : SN_S("");
    return SN_OK;
}

/* --- JSON body --- */

/*
 * One member. On /v1 the duration is a whole JSON number; anything else there is a wrong duration, so that "900", 900.0
 * and 9e2 are told apart from a malformed request. On "/" all members are strings.
 */
static enum sn_status read_member(struct sn_call *call, const struct sn_json *node, struct sn_slice key, bool is_alias,
    struct given *given, struct sn_error *err)
{
    enum sn_json_kind kind = sn_json_kind_of(node);
    struct sn_slice text = sn_json_text(node);

    if (sn_slice_eq_str(key, "duration")) {
        given->has_duration = true;
        if (kind != (is_alias ? SN_JSON_STRING : SN_JSON_INT)) {
            return sn_api_fail(err, "INVALID_DURATION", "the duration is no %s", is_alias ? "string" : "whole number");
        }
        given->duration = is_alias ? sn_arena_dup(&call->arena, text)
                                   : sn_arena_printf(&call->arena, "%lld", (long long)sn_json_int(node, 0));
        return SN_OK;
    }
    if (!sn_slice_eq_str(key, "profile") && !sn_slice_eq_str(key, "device_id")) {
        return malformed(err, "an unknown member");
    }
    if (kind != SN_JSON_STRING) {
        return malformed(err, "a member of the wrong type");
    }
    if (sn_slice_eq_str(key, "profile")) {
        given->has_profile = true;
        given->profile = sn_arena_dup(&call->arena, text);
    } else {
        given->has_device_id = true;
        given->device_id = sn_arena_dup(&call->arena, text);
    }
    return SN_OK;
}

static enum sn_status read_body(struct sn_call *call, bool is_alias, struct given *given, struct sn_error *err)
{
    SN_AUTO(sn_json_doc_free_p) struct sn_json_doc *doc = NULL;
    const struct sn_json *root = NULL;

    if (sn_json_parse(call->request->body, &sn_json_limits_request, &doc, err) != SN_OK) {
        return sn_api_translate(err, "INVALID_REQUEST");
    }
    root = sn_json_root(doc);
    if (sn_json_kind_of(root) != SN_JSON_OBJECT) {
        return malformed(err, "the body is no object");
    }
    for (size_t i = 0; i < sn_json_count(root); i++) {
        struct sn_slice key = {0};
        const struct sn_json *node = sn_json_member_at(root, i, &key);
        SN_TRY(read_member(call, node, key, is_alias, given, err));
    }
    return SN_OK;
}

/* --- Both --- */

static enum sn_status merge_one(
    struct sn_slice *into, bool *has, struct sn_slice from, bool from_has, struct sn_error *err)
{
    if (from_has && *has && !sn_slice_eq(*into, from)) {
        return malformed(err, "query and body disagree");
    }
    if (from_has) {
        *into = from;
        *has = true;
    }
    return SN_OK;
}

static enum sn_status read_alias(struct sn_call *call, struct given *given, struct sn_error *err)
{
    struct given body = {0};

    SN_TRY(read_query(call, given, err));
    if (call->request->method != SN_METHOD_POST || call->request->body.len == 0) {
        return SN_OK;
    }
    SN_TRY(read_body(call, true, &body, err));
    SN_TRY(merge_one(&given->profile, &given->has_profile, body.profile, body.has_profile, err));
    SN_TRY(merge_one(&given->duration, &given->has_duration, body.duration, body.has_duration, err));
    SN_TRY(merge_one(&given->device_id, &given->has_device_id, body.device_id, body.has_device_id, err));
    return SN_OK;
}

static bool is_device_id(struct sn_slice text)
{
    if (text.len != DEVICE_ID_LEN) {
        return false;
    }
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (!(c >= '0' && c <= '9') && !(c >= 'a' && c <= 'f')) {
            return false;
        }
    }
    return true;
}

static enum sn_status check_values(const struct given *given, struct sn_vend *vend, struct sn_error *err)
{
    if (!given->has_profile || given->profile.len == 0) {
        return sn_api_fail(err, "MISSING_PROFILE", "no profile");
    }
    if (!sn_profile_name_is_valid(given->profile)) {
        return sn_api_fail(err, "INVALID_PROFILE", "not a profile name");
    }
    if (given->has_duration &&
        sn_parse_int(given->duration, DURATION_MIN_S, DURATION_MAX_S, &vend->requested_s, err) != SN_OK) {
        return sn_api_translate(err, "INVALID_DURATION");
    }
    if (given->device_id.len > 0 && !is_device_id(given->device_id)) {
        return sn_api_fail(err, "INVALID_DEVICE_ID", "not a device id");
    }
    vend->profile_name = given->profile;
    vend->device_id = given->device_id;
    return SN_OK;
}

enum sn_status sn_vend_read_parameters(struct sn_call *call, struct sn_vend *vend, struct sn_error *err)
{
    struct given given = {0};

    if (vend->is_alias) {
        SN_TRY(read_alias(call, &given, err));
    } else {
        SN_TRY(sn_call_refuse_query(call, err));
        SN_TRY(read_body(call, false, &given, err));
    }
    return check_values(&given, vend, err);
}
