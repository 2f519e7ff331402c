/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vault/cache_item.c - key text and item text of the credential cache.
 */
#include "vault/cache_item.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/parse.h"
#include "vault/awsconfig.h"

static const char first_line[] = "sentinel-cache 1";
static const char session_prefix[] = "ses-";
enum { SESSION_ID_LEN = 16 };

/* --- Which credentials --- */

/* Inputs that choose the base credentials, in the order of the key. */
static const char *const selectors[] = {
    "AWS_ACCESS_KEY_ID",
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_ROLE_ARN",
    "AWS_ROLE_SESSION_NAME",
    "AWS_SOURCE_IDENTITY",
    "AWS_SESSION_TAGS",
    "AWS_TRANSITIVE_TAGS",
    "AWS_CONFIG_FILE",
    "AWS_SHARED_CREDENTIALS_FILE",
    "AWS_VAULT_BACKEND",
    "AWS_VAULT_FILE_DIR",
    "AWS_VAULT_SECRET_SERVICE_COLLECTION_NAME",
    "AWS_VAULT_PASS_PASSWORD_STORE_DIR",
    "PASSWORD_STORE_DIR",
    "AWS_VAULT_PASS_PREFIX",
    "AWS_ENDPOINT_URL",
    "AWS_ENDPOINT_URL_IAM",
    "AWS_ENDPOINT_URL_SIGNIN",
    "AWS_ENDPOINT_URL_SSO",
    "AWS_ENDPOINT_URL_SSO_OIDC",
    "AWS_ENDPOINT_URL_STS",
};

static void add_escaped(struct sn_buf *buf, struct sn_slice text, const char *plain)
{
    for (size_t i = 0; i < text.len; i++) {
        if (sn_slice_is_alnum_or(sn_slice_sub(text, i, 1), plain)) {
            sn_buf_add_byte(buf, text.ptr[i]);
        } else {
            sn_buf_addf(buf, "%%%02X", (unsigned)(unsigned char)text.ptr[i]);
        }
    }
}

static void add_selector(struct sn_buf *buf, const char *name, const char *value, bool *is_first)
{
    if (value != NULL && value[0] != '\0') {
        sn_buf_addf(buf, "%s%s=", *is_first ? "" : ";", name);
        add_escaped(buf, sn_slice_str(value), "._~/:@+,-");
        *is_first = false;
    }
}

static enum sn_status add_file(
    struct sn_buf *buf, const struct sn_env *env, enum sn_awsconfig_kind kind, struct sn_error *err)
{
    char path[SN_AWSCONFIG_PATH_MAX];
    struct stat st = {0};

    SN_TRY(sn_awsconfig_path(env, kind, path, err));
    for (const char *c = path; *c != '\0'; c++) {
        if ((unsigned char)*c < ' ' || *c == 0x7f) {
            return sn_fail(err, SN_INVALID, "CACHE_PATH", "the path of an AWS file holds a control character");
        }
    }
    if (stat(path, &st) != 0) {
        st = (struct stat){0};
    }
    int64_t changed_ns = (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec;
    sn_buf_addf(buf, "file=%llu:%lld:%lld:%s\n", (unsigned long long)st.st_ino, (long long)st.st_size,
        (long long)changed_ns, path);
    return SN_OK;
}

enum sn_status sn_cache_query_init(struct sn_cache_query *query, struct sn_slice audience, struct sn_slice profile,
    const char *aws_profile, int64_t duration_s, const struct sn_env *env, struct sn_error *err)
{
    bool is_first = true;

    *query = (struct sn_cache_query){
        .key = SN_BUF_INIT(SN_CACHE_ITEM_MAX), .files = SN_BUF_INIT(SN_CACHE_ITEM_MAX), .duration_s = duration_s};
    add_escaped(&query->key, audience, "._~/:@+,=;-");
    sn_buf_add_byte(&query->key, ' ');
    add_escaped(&query->key, profile, "._~/:@+,=;-");
    sn_buf_add_byte(&query->key, ' ');
    add_selector(&query->key, "aws-profile", aws_profile, &is_first);
    for (size_t i = 0; i < SN_LEN(selectors); i++) {
        add_selector(&query->key, selectors[i], env->get(env->ctx, selectors[i]), &is_first);
    }
    SN_TRY(add_file(&query->files, env, SN_AWSCONFIG_CONFIG, err));
    SN_TRY(add_file(&query->files, env, SN_AWSCONFIG_CREDENTIALS, err));
    SN_TRY(sn_buf_check(&query->key, "the key of the cache", err));
    return sn_buf_check(&query->files, "the files of the cache", err);
}

void sn_cache_query_clear(struct sn_cache_query *query)
{
    sn_buf_clear(&query->key);
    sn_buf_clear(&query->files);
}

/* FNV-1a, 64 bits. */
void sn_cache_hash(struct sn_slice key, char out[SN_CACHE_HASH_LEN + 1])
{
    uint64_t hash = 0xcbf29ce484222325u;

    for (size_t i = 0; i < key.len; i++) {
        hash ^= (unsigned char)key.ptr[i];
        hash *= 0x100000001b3u;
    }
    (void)snprintf(out, SN_CACHE_HASH_LEN + 1, "%016llx", (unsigned long long)hash);
}

/* --- The item --- */

/* What stands in JSON as it is. */
static bool is_plain(struct sn_slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] <= ' ' || text.ptr[i] > '~' || text.ptr[i] == '"' || text.ptr[i] == '\\') {
            return false;
        }
    }
    return true;
}

static bool is_session_id(struct sn_slice id)
{
    return id.len == SESSION_ID_LEN && sn_slice_is_alnum_or(id, "");
}

static bool times_are_good(int64_t issued_s, int64_t expires_s, int64_t now_unix_s)
{
    return issued_s - now_unix_s <= SN_CACHE_MAX_AHEAD_S && expires_s > issued_s &&
           expires_s - issued_s <= SN_CACHE_MAX_LIFE_S && expires_s - now_unix_s >= SN_CACHE_MIN_LEFT_S;
}

bool sn_cache_item_format(
    const struct sn_cache_query *query, const struct sn_issued *issued, int64_t now_unix_s, struct sn_buf *out_text)
{
    struct sn_slice key_id = sn_slice_str(issued->credentials.access_key_id);
    struct sn_slice secret = sn_secret_reveal(&issued->credentials.secret_access_key);
    struct sn_slice token = sn_secret_reveal(&issued->credentials.session_token);
    struct sn_slice id = sn_slice_str(issued->session_id);
    struct sn_slice region = sn_slice_str(issued->region);
    int64_t expires_s = issued->credentials.expires_unix_s;
    struct sn_error ignored;

    if (!sn_slice_has_prefix(id, sn_slice_str(session_prefix)) ||
        !is_session_id(sn_slice_sub(id, sizeof(session_prefix) - 1, id.len)) || !is_plain(key_id) ||
        !is_plain(secret) || !is_plain(token) || !is_plain(region) || key_id.len == 0 || secret.len == 0 ||
        token.len == 0 || expires_s - now_unix_s <= SN_CACHE_MIN_LEFT_S ||
        expires_s - now_unix_s > SN_CACHE_MAX_LIFE_S) {
        return false;
    }
    sn_buf_addf(out_text, "%s\nkey=", first_line);
    sn_buf_add(out_text, sn_buf_slice(&query->key));
    sn_buf_addf(out_text, "\nduration=%lld\nid=%s\nissued=%lld\nexpires=%lld\nregion=%s\n",
        (long long)query->duration_s, issued->session_id + sizeof(session_prefix) - 1, (long long)now_unix_s,
        (long long)expires_s, issued->region);
    sn_buf_addf(out_text, "access_key_id=%s\nsecret_access_key=", issued->credentials.access_key_id);
    sn_buf_add(out_text, secret);
    sn_buf_add_str(out_text, "\nsession_token=");
    sn_buf_add(out_text, token);
    sn_buf_add_byte(out_text, '\n');
    sn_buf_add(out_text, sn_buf_slice(&query->files));
    return sn_buf_check(out_text, "the item", &ignored) == SN_OK;
}

/* The lines of an item, in their only order. */
enum line {
    LINE_FIRST,
    LINE_KEY,
    LINE_DURATION,
    LINE_ID,
    LINE_ISSUED,
    LINE_EXPIRES,
    LINE_REGION,
    LINE_KEY_ID,
    LINE_SECRET,
    LINE_TOKEN,
    LINE_COUNT,
};
static const char *const line_names[LINE_COUNT] = {"", "key=", "duration=", "id=", "issued=", "expires=", "region=",
    "access_key_id=", "secret_access_key=", "session_token="};

struct parts {
    struct sn_slice value[LINE_COUNT];
    struct sn_slice files;
    int64_t duration_s, issued_s, expires_s;
};

static bool split(struct sn_slice text, struct parts *out)
{
    struct sn_slice rest = text;
    struct sn_error ignored;

    if (text.len > SN_CACHE_ITEM_MAX) {
        return false;
    }
    for (size_t i = 0; i < LINE_COUNT; i++) {
        struct sn_slice line;
        struct sn_slice name = sn_slice_str(line_names[i]);
        if (!sn_slice_cut(rest, '\n', &line, &rest) || !sn_slice_has_prefix(line, name)) {
            return false;
        }
        out->value[i] = sn_slice_sub(line, name.len, line.len);
        if (i != LINE_FIRST && i != LINE_KEY && !is_plain(out->value[i])) {
            return false;
        }
    }
    out->files = rest;
    return sn_slice_eq_str(out->value[LINE_FIRST], first_line) &&
           sn_parse_int(out->value[LINE_DURATION], 0, SN_CACHE_MAX_LIFE_S, &out->duration_s, &ignored) == SN_OK &&
           sn_parse_int(out->value[LINE_ISSUED], 0, INT64_MAX / 2, &out->issued_s, &ignored) == SN_OK &&
           sn_parse_int(out->value[LINE_EXPIRES], 0, INT64_MAX / 2, &out->expires_s, &ignored) == SN_OK &&
           is_session_id(out->value[LINE_ID]) && out->value[LINE_REGION].len <= SN_REGION_MAX &&
           out->value[LINE_KEY_ID].len > 0 && out->value[LINE_KEY_ID].len <= SN_ACCESS_KEY_ID_MAX &&
           out->value[LINE_SECRET].len > 0 && out->value[LINE_TOKEN].len > 0;
}

enum sn_cache_verdict sn_cache_item_read(
    struct sn_slice text, const struct sn_cache_query *query, int64_t now_unix_s, struct sn_issued *out_issued)
{
    struct parts p = {0};

    if (!split(text, &p) || !sn_slice_eq(p.value[LINE_KEY], sn_buf_slice(&query->key))) {
        return SN_CACHE_BAD;
    }
    if (p.duration_s != query->duration_s) {
        return SN_CACHE_OTHER;
    }
    if (!times_are_good(p.issued_s, p.expires_s, now_unix_s) || !sn_slice_eq(p.files, sn_buf_slice(&query->files))) {
        return SN_CACHE_BAD;
    }
    struct sn_credentials *credentials = &out_issued->credentials;
    (void)snprintf(
        credentials->access_key_id, sizeof(credentials->access_key_id), "%.*s", SN_PRI(p.value[LINE_KEY_ID]));
    sn_secret_set(&credentials->secret_access_key, p.value[LINE_SECRET]);
    sn_secret_set(&credentials->session_token, p.value[LINE_TOKEN]);
    credentials->expires_unix_s = p.expires_s;
    (void)snprintf(
        out_issued->session_id, sizeof(out_issued->session_id), "%s%.*s", session_prefix, SN_PRI(p.value[LINE_ID]));
    (void)snprintf(out_issued->region, sizeof(out_issued->region), "%.*s", SN_PRI(p.value[LINE_REGION]));
    out_issued->duration_s = p.expires_s - p.issued_s;
    return SN_CACHE_GOOD;
}

int64_t sn_cache_item_end(struct sn_slice text)
{
    struct parts p = {0};

    return split(text, &p) ? p.expires_s : 0;
}

bool sn_cache_is_due(const struct sn_issued *issued, int64_t now_unix_s)
{
    int64_t early_s = issued->duration_s / 3 < SN_CACHE_EARLY_S ? issued->duration_s / 3 : SN_CACHE_EARLY_S;

    return issued->credentials.expires_unix_s - now_unix_s < early_s;
}
