/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tvm/profiles.c - GET /v1/profiles: what this caller could get, in pages.
 *
 * A cursor is the last name shown, sealed together with the caller, so that it can be neither made nor borrowed.
 */
#include "base/log.h"
#include "base/parse.h"
#include "codec/base64.h"
#include "codec/json.h"
#include "codec/uri.h"
#include "tvm/vend.h"

enum {
    LIMIT_DEFAULT = 100,
    LIMIT_MAX = 1000,
    QUERY_PARAMS_MAX = 8,
    CURSOR_MAX = 2048,
    LONGEST_S = 43200,
    CHAINED_S = 3600
};

struct page {
    int64_t limit;
    struct sn_slice after; /* names behind this one; empty: from the start */
    struct sn_slice device_id;
};

static void cursor_canon(struct sn_call *call, const struct page *page, struct sn_slice name, struct sn_canon *canon)
{
    sn_canon_begin(canon, "cursor-profiles");
    sn_canon_text(canon, "caller", sn_slice_str(call->principal.arn));
    sn_canon_text(canon, "device_id", page->device_id);
    sn_canon_text(canon, "after", name);
}

static struct sn_slice make_cursor(struct sn_call *call, const struct page *page, struct sn_slice name)
{
    SN_AUTO(sn_canon_clear) struct sn_canon canon = {0};
    SN_AUTO(sn_buf_clear) struct sn_buf text = {0}, encoded = {0};
    char seal[SN_SEAL_MAX + 1];

    cursor_canon(call, page, name, &canon);
    sn_seal_make(call->tvm->parts.seal_keys, &canon, seal);
    sn_buf_add(&text, name);
    sn_buf_add_byte(&text, '\n');
    sn_buf_add_str(&text, seal);
    sn_base64url_encode(&encoded, text.ptr, text.len);
    return sn_arena_dup(&call->arena, sn_buf_slice(&encoded));
}

static enum sn_status read_cursor(struct sn_call *call, struct page *page, struct sn_slice cursor, struct sn_error *err)
{
    SN_AUTO(sn_canon_clear) struct sn_canon canon = {0};
    SN_AUTO(sn_buf_clear) struct sn_buf text = {0};
    struct sn_slice name = {0}, seal = {0};

    if (cursor.len == 0 || cursor.len > CURSOR_MAX || sn_base64url_decode(cursor, &text, err) != SN_OK ||
        !sn_slice_cut(sn_buf_slice(&text), '\n', &name, &seal)) {
        return sn_api_fail(err, "INVALID_REQUEST", "a cursor of no known form");
    }
    cursor_canon(call, page, name, &canon);
    if (!sn_seal_is_valid(call->tvm->parts.seal_keys, &canon, seal)) {
        return sn_api_fail(err, "INVALID_REQUEST", "a cursor that was not made here for this caller");
    }
    page->after = sn_arena_dup(&call->arena, name);
    return SN_OK;
}

static bool is_device_id(struct sn_slice text)
{
    bool ok = text.len == 64;

    for (size_t i = 0; i < text.len && ok; i++) {
        ok = (text.ptr[i] >= '0' && text.ptr[i] <= '9') || (text.ptr[i] >= 'a' && text.ptr[i] <= 'f');
    }
    return ok;
}

static enum sn_status read_page(struct sn_call *call, struct page *page, struct sn_error *err)
{
    struct sn_query query = {0};
    const struct sn_slice *cursor = NULL;

    *page = (struct page){.limit = LIMIT_DEFAULT};
    if (call->request->query.len > CURSOR_MAX ||
        sn_query_parse(call->request->query, false, QUERY_PARAMS_MAX, &call->arena, &query, err) != SN_OK) {
        return sn_api_fail(err, "INVALID_REQUEST", "a malformed query");
    }
    for (size_t i = 0; i < query.count; i++) {
        const struct sn_query_param *param = &query.params[i];
        if (sn_slice_eq_str(param->name, "limit")) {
            if (sn_parse_int(param->value, 1, LIMIT_MAX, &page->limit, err) != SN_OK) {
                return sn_api_translate(err, "INVALID_REQUEST");
            }
        } else if (sn_slice_eq_str(param->name, "device_id")) {
            page->device_id = param->value;
        } else if (sn_slice_eq_str(param->name, "cursor")) {
            cursor = &param->value;
        } else {
            return sn_api_fail(err, "INVALID_REQUEST", "an unknown query parameter");
        }
    }
    if (page->device_id.len > 0 && !is_device_id(page->device_id)) {
        return sn_api_fail(err, "INVALID_DEVICE_ID", "not a device id");
    }
    return cursor != NULL ? read_cursor(call, page, *cursor, err) : SN_OK;
}

/* Writes the profile if the caller could get it; true if it was written. */
static bool add_profile(struct sn_call *call, const struct sn_profile *profile, bool is_role, struct sn_json_writer *w)
{
    SN_AUTO(sn_policy_unref_p) struct sn_policy *policy = NULL;
    struct sn_policy_request asked = {0};
    struct sn_decision decision = {0};
    struct sn_error err = {0};
    enum sn_effect access = SN_EFFECT_DENY;
    struct sn_document_origin origin;

    if (sn_call_policy(call, profile->name, &policy, &origin, &err) != SN_OK) {
        sn_log_error_of(SN_LOG_ERROR, "policy.unusable", "a profile is left out of a list", &err,
            SN_LOG_FIELDS(SN_STR("request_id", call->id.text), SN_TEXT("profile", profile->name)));
        return false;
    }
    sn_call_policy_request(call, profile->name, &asked);
    if (!sn_policy_profile_is_visible(policy, &asked, &access)) {
        return false;
    }
    sn_policy_evaluate(policy, &asked, &decision);
    int64_t longest_s = profile->max_duration_s > 0 ? profile->max_duration_s : LONGEST_S;
    longest_s = is_role && longest_s > CHAINED_S ? CHAINED_S : longest_s;

    sn_json_begin_object(w);
    sn_json_member_text(w, "name", profile->name);
    sn_json_member_text(w, "description", profile->description);
    if (profile->region.len > 0) {
        sn_json_member_text(w, "region", profile->region);
    } else {
        sn_json_member_null(w, "region");
    }
    sn_json_member_int(w, "max_duration_seconds", longest_s);
    sn_json_member_str(w, "access", sn_effect_name(access));
    sn_json_member_str(w, "now", sn_effect_name(decision.effect));
    sn_json_end_object(w);
    return true;
}

/* True if some profile behind index is visible, so that a further page exists. */
static bool has_more(struct sn_call *call, size_t index)
{
    for (size_t i = index; i < sn_catalog_count(call->catalog); i++) {
        SN_AUTO(sn_policy_unref_p) struct sn_policy *policy = NULL;
        struct sn_policy_request asked = {0};
        struct sn_error ignored = {0};
        enum sn_effect access = SN_EFFECT_DENY;
        const struct sn_profile *profile = sn_catalog_at(call->catalog, i);
        struct sn_document_origin origin;
        if (sn_call_policy(call, profile->name, &policy, &origin, &ignored) != SN_OK) {
            continue;
        }
        sn_call_policy_request(call, profile->name, &asked);
        if (sn_policy_profile_is_visible(policy, &asked, &access)) {
            return true;
        }
    }
    return false;
}

enum sn_status sn_handle_profiles(struct sn_call *call, struct sn_error *err)
{
    struct page page;
    struct sn_json_writer w;
    struct sn_slice last = {0};
    char account[SN_ACCOUNT_LEN + 1];
    bool is_role = false;
    int64_t shown = 0;
    size_t i = 0;

    SN_TRY(sn_call_enter(call, err));
    SN_TRY(read_page(call, &page, err));
    SN_TRY(sn_call_catalog(call, err));
    SN_TRY(sn_own_identity(call->tvm, call->deadline_mono_ns, account, &is_role, err));
    sn_json_writer_init(&w, &call->response->body);
    sn_json_begin_object(&w);
    sn_json_key(&w, "profiles");
    sn_json_begin_array(&w);
    for (; i < sn_catalog_count(call->catalog) && shown < page.limit; i++) {
        const struct sn_profile *profile = sn_catalog_at(call->catalog, i);
        if (page.after.len > 0 && sn_slice_cmp(profile->name, page.after) <= 0) {
            continue;
        }
        if (add_profile(call, profile, is_role, &w)) {
            shown++;
            last = profile->name;
        }
    }
    sn_json_end_array(&w);
    if (shown == page.limit && has_more(call, i)) {
        sn_json_member_text(&w, "next_cursor", make_cursor(call, &page, last));
    } else {
        sn_json_member_null(&w, "next_cursor");
    }
    sn_json_end_object(&w);
    return SN_OK;
}
