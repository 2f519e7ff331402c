/* SPDX-License-Identifier: Apache-2.0 */
/* vault/stored_item.c - see stored_item.h. */
#include "vault/stored_item.h"

#include <stdio.h>
#include <string.h>

#include "base/parse.h"
#include "base/time.h"
#include "codec/base64.h"
#include "codec/json.h"

enum { TEXT_MAX = 16 * 1024, SECRET_MAX = 256, TOKEN_MAX = 8192 };

/* --- Kinds --- */

static bool is_digits(struct sn_slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9') {
            return false;
        }
    }
    return text.len > 0;
}

static bool is_base64url(struct sn_slice text)
{
    return sn_slice_is_alnum_or(text, "-_");
}

/* "type,profile,source,expiry": the middle ones base64url, the third perhaps empty. */
static bool split_session(struct sn_slice key, struct sn_slice out_parts[4])
{
    struct sn_slice rest = key;

    for (size_t i = 0; i < 3; i++) {
        if (!sn_slice_cut(rest, ',', &out_parts[i], &rest)) {
            return false;
        }
    }
    out_parts[3] = rest;
    return out_parts[0].len > 0 && out_parts[1].len > 0 && is_base64url(out_parts[1]) && is_base64url(out_parts[2]) &&
           is_digits(out_parts[3]);
}

/* "session,profile,source,1234567890" with names in clear; "session:profile:source:expiry"; "name session (123)". */
static bool is_old_session(struct sn_slice key)
{
    struct sn_slice parts[4] = {0};
    struct sn_slice rest = key;
    struct sn_slice before;
    struct sn_slice after;

    if (sn_slice_has_prefix(key, SN_S("session,"))) {
        return sn_slice_cut(rest, ',', &parts[0], &rest) && sn_slice_cut(rest, ',', &parts[1], &rest) &&
               sn_slice_cut(rest, ',', &parts[2], &parts[3]) && parts[1].len > 0 && parts[3].len >= 2 &&
               is_digits(parts[3]);
    }
    if (sn_slice_has_prefix(key, SN_S("session:"))) {
        rest = sn_slice_sub(key, sizeof("session:") - 1, SIZE_MAX);
        return !sn_slice_has_byte(rest, ' ') && sn_slice_cut(rest, ':', &before, &rest) && before.len > 0 &&
               sn_slice_cut_last(rest, ':', &before, &after) && after.len > 0;
    }
    if (!sn_slice_has_suffix(key, SN_S(")")) || !sn_slice_cut_last(key, '(', &before, &after)) {
        return false;
    }
    after.len--;
    return is_digits(after) && sn_slice_has_suffix(before, SN_S(" session ")) && before.len > sizeof(" session ") - 1;
}

enum sn_stored_kind sn_stored_kind_of(struct sn_slice key)
{
    struct sn_slice parts[4] = {0};

    if (sn_slice_has_prefix(key, SN_S(SN_TOKEN_PREFIX))) {
        return SN_STORED_TOKEN;
    }
    if (sn_slice_has_prefix(key, SN_S(SN_ROTATION_PREFIX))) {
        return SN_STORED_ROTATION;
    }
    if (split_session(key, parts)) {
        return SN_STORED_SESSION;
    }
    return is_old_session(key) ? SN_STORED_OLD_SESSION : SN_STORED_CREDENTIAL;
}

enum sn_status sn_stored_check_profile(struct sn_slice profile, struct sn_error *err)
{
    static const char refused[] = {'\0', '\n', '\r', ']'};

    if (profile.len == 0 || profile.len > SN_STORED_NAME_MAX) {
        return sn_fail(
            err, SN_INVALID, "VAULT_BAD_PROFILE", "the name of a profile has 1 to %d bytes", SN_STORED_NAME_MAX);
    }
    for (size_t i = 0; i < sizeof(refused); i++) {
        if (sn_slice_has_byte(profile, refused[i])) {
            return sn_fail(err, SN_INVALID, "VAULT_BAD_PROFILE", "the name of a profile holds no line end, NUL or ']'");
        }
    }
    if (sn_stored_kind_of(profile) != SN_STORED_CREDENTIAL) {
        return sn_fail(err, SN_INVALID, "VAULT_BAD_PROFILE",
            "'%.*s' would be taken for a session or token in the keyring", SN_PRI(sn_slice_sub(profile, 0, 80)));
    }
    return SN_OK;
}

/* --- Keys of sessions --- */

static bool decode_name(struct sn_slice text, char *out, size_t size)
{
    SN_AUTO(sn_buf_clear) struct sn_buf bytes = {0};
    struct sn_error ignored;

    if (sn_base64url_decode(text, &bytes, &ignored) != SN_OK || bytes.len >= size ||
        sn_slice_has_byte(sn_buf_slice(&bytes), '\0')) {
        return false;
    }
    (void)snprintf(out, size, "%s", sn_buf_str(&bytes));
    return true;
}

bool sn_session_key_parse(struct sn_slice key, struct sn_session_key *out_key)
{
    struct sn_slice parts[4] = {0};
    struct sn_error ignored;

    /* The parts are kept as C strings; a key of another kind is none of a session, whatever it looks like. */
    if (sn_slice_has_byte(key, '\0') || sn_stored_kind_of(key) != SN_STORED_SESSION) {
        return false;
    }
    if (!split_session(key, parts) || parts[0].len > SN_SESSION_TYPE_MAX) {
        return false;
    }
    (void)snprintf(out_key->type, sizeof(out_key->type), "%.*s", SN_PRI(parts[0]));
    return decode_name(parts[1], out_key->profile, sizeof(out_key->profile)) &&
           decode_name(parts[2], out_key->source, sizeof(out_key->source)) &&
           sn_parse_int(parts[3], 0, INT64_MAX, &out_key->expires_unix_s, &ignored) == SN_OK;
}

void sn_session_key_format(const struct sn_session_key *key, struct sn_buf *out_text)
{
    sn_buf_addf(out_text, "%s,", key->type);
    sn_base64url_encode(out_text, key->profile, strlen(key->profile));
    sn_buf_add_byte(out_text, ',');
    sn_base64url_encode(out_text, key->source, strlen(key->source));
    sn_buf_addf(out_text, ",%lld", (long long)key->expires_unix_s);
}

/* --- Texts --- */

void sn_stored_credential_format(const struct sn_credentials *credentials, struct sn_secret *out_text)
{
    SN_AUTO(sn_buf_clear) struct sn_buf text = {0};
    struct sn_json_writer w;

    sn_json_writer_init(&w, &text);
    sn_json_begin_object(&w);
    sn_json_member_str(&w, "AccessKeyID", credentials->access_key_id);
    sn_json_member_secret(&w, "SecretAccessKey", &credentials->secret_access_key);
    sn_json_member_str(&w, "SessionToken", "");
    sn_json_member_str(&w, "Source", "");
    sn_json_member_bool(&w, "CanExpire", false);
    sn_json_member_str(&w, "Expires", "0001-01-01T00:00:00Z");
    sn_json_member_str(&w, "AccountID", "");
    sn_json_end_object(&w);
    sn_secret_set(out_text, sn_buf_slice(&text));
}

void sn_stored_session_format(const struct sn_credentials *credentials, struct sn_secret *out_text)
{
    SN_AUTO(sn_buf_clear) struct sn_buf text = {0};
    char time[SN_TIME_TEXT_MAX];
    struct sn_json_writer w;

    sn_json_writer_init(&w, &text);
    sn_json_begin_object(&w);
    sn_json_member_str(&w, "AccessKeyId", credentials->access_key_id);
    sn_json_member_secret(&w, "SecretAccessKey", &credentials->secret_access_key);
    sn_json_member_secret(&w, "SessionToken", &credentials->session_token);
    sn_json_member_text(&w, "Expiration", sn_time_format_rfc3339_s(credentials->expires_unix_s, time));
    sn_json_end_object(&w);
    sn_secret_set(out_text, sn_buf_slice(&text));
}

static enum sn_status unreadable(struct sn_error *err, const char *what)
{
    return sn_fail(err, SN_PROTOCOL, "VAULT_UNREADABLE", "what is stored cannot be read: %s", what);
}

static enum sn_status read_keys(
    const struct sn_json *root, const char *id_name, struct sn_credentials *out, struct sn_error *err)
{
    struct sn_slice id = sn_json_text(sn_json_get(root, id_name));
    struct sn_slice secret = sn_json_text(sn_json_get(root, "SecretAccessKey"));
    struct sn_slice token = sn_json_text(sn_json_get(root, "SessionToken"));

    if (id.len == 0 || id.len > SN_ACCESS_KEY_ID_MAX || !sn_slice_is_alnum_or(id, "_")) {
        return unreadable(err, "it has no access key id");
    }
    if (secret.len == 0 || secret.len > SECRET_MAX || token.len > TOKEN_MAX) {
        return unreadable(err, "it has no secret access key, or one that is none");
    }
    (void)snprintf(out->access_key_id, sizeof(out->access_key_id), "%.*s", SN_PRI(id));
    sn_secret_set(&out->secret_access_key, secret);
    sn_secret_set(&out->session_token, token);
    return SN_OK;
}

static enum sn_status parse(struct sn_slice text, struct sn_json_doc **out_doc, struct sn_error *err)
{
    static const struct sn_json_limits limits = {.max_bytes = TEXT_MAX, .max_depth = 4, .max_members = 64};

    if (sn_json_parse(text, &limits, out_doc, err) != SN_OK ||
        sn_json_kind_of(sn_json_root(*out_doc)) != SN_JSON_OBJECT) {
        return unreadable(err, "it is no JSON object");
    }
    return SN_OK;
}

enum sn_status sn_stored_credential_parse(
    struct sn_slice text, struct sn_credentials *out_credentials, struct sn_error *err)
{
    SN_AUTO(sn_json_doc_free_p) struct sn_json_doc *doc = NULL;
    SN_AUTO(sn_credentials_clear) struct sn_credentials read = {0};

    SN_TRY(parse(text, &doc, err));
    SN_TRY(read_keys(sn_json_root(doc), "AccessKeyID", &read, err));
    sn_credentials_move(out_credentials, &read);
    return SN_OK;
}

enum sn_status sn_stored_session_parse(
    struct sn_slice text, struct sn_credentials *out_credentials, struct sn_error *err)
{
    SN_AUTO(sn_json_doc_free_p) struct sn_json_doc *doc = NULL;
    SN_AUTO(sn_credentials_clear) struct sn_credentials read = {0};
    int64_t expires_ms = 0;

    SN_TRY(parse(text, &doc, err));
    SN_TRY(read_keys(sn_json_root(doc), "AccessKeyId", &read, err));
    if (!sn_secret_is_set(&read.session_token) ||
        sn_time_parse_rfc3339(sn_json_text(sn_json_get(sn_json_root(doc), "Expiration")), &expires_ms, err) != SN_OK) {
        return unreadable(err, "it has no session token, or no time at which it ends");
    }
    read.expires_unix_s = expires_ms / 1000;
    sn_credentials_move(out_credentials, &read);
    return SN_OK;
}
