/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tvm/settings_check.c - the forms that texts of the settings table may have.
 */
#include "tvm/settings_check.h"

#include <arpa/inet.h>
#include <string.h>

#include "aws/endpoint.h"
#include "aws/kms.h"
#include "base/arena.h"
#include "base/parse.h"
#include "codec/uri.h"
#include "core/identity/principal.h"
#include "core/policy/document_name.h"
#include "core/policy/key_text.h"

enum { CHECK_TEXT_MAX = 4096, UNIX_PATH_MAX_BYTES = 107 };

static enum sn_status not_of_form(struct sn_error *err, const char *what)
{
    return sn_fail(err, SN_INVALID, "INVALID_VALUE", "is not %s", what);
}

/* Splits "HOST:PORT" with brackets around IPv6; false when it is neither. */
static bool split_host_port(struct sn_slice text, char host[64], bool *out_is_v6, int64_t *out_port)
{
    struct sn_slice before = {0}, after = {0};
    struct sn_error ignored = {0};

    if (!sn_slice_cut_last(text, ':', &before, &after) || sn_parse_int(after, 0, 65535, out_port, &ignored) != SN_OK) {
        return false;
    }
    *out_is_v6 = before.len > 2 && before.ptr[0] == '[' && before.ptr[before.len - 1] == ']';
    if (*out_is_v6) {
        before = sn_slice_sub(before, 1, before.len - 2);
    }
    if (before.len == 0 || before.len >= 64) {
        return false;
    }
    memcpy(host, before.ptr, before.len);
    host[before.len] = '\0';
    return true;
}

enum sn_status sn_check_address(const char *value, struct sn_error *err)
{
    struct sn_slice text = sn_slice_str(value);
    char host[64];
    bool is_v6 = false;
    int64_t port = 0;
    unsigned char address[sizeof(struct in6_addr)];

    if (sn_slice_has_prefix(text, SN_S("unix:"))) {
        struct sn_slice path = sn_slice_sub(text, 5, text.len);
        return path.len >= 2 && path.ptr[0] == '/' && path.len <= UNIX_PATH_MAX_BYTES
                   ? SN_OK
                   : not_of_form(err, "unix:/ABSOLUTE/PATH of at most 107 bytes");
    }
    if (!split_host_port(text, host, &is_v6, &port) || inet_pton(is_v6 ? AF_INET6 : AF_INET, host, address) != 1) {
        return not_of_form(err, "ADDRESS:PORT, [V6]:PORT or unix:/ABSOLUTE/PATH, with a numeric address");
    }
    return SN_OK;
}

bool sn_address_is_loopback(struct sn_slice address)
{
    static const unsigned char v6_loopback[16] = {[15] = 1};
    char host[64];
    bool is_v6 = false;
    int64_t port = 0;
    unsigned char bytes[sizeof(struct in6_addr)] = {0};

    if (sn_slice_has_prefix(address, SN_S("unix:"))) {
        return true;
    }
    if (!split_host_port(address, host, &is_v6, &port) || inet_pton(is_v6 ? AF_INET6 : AF_INET, host, bytes) != 1) {
        return false;
    }
    return is_v6 ? memcmp(bytes, v6_loopback, sizeof(v6_loopback)) == 0 : bytes[0] == 127;
}

enum sn_status sn_check_url(const char *value, struct sn_error *err)
{
    SN_AUTO(sn_arena_clear) struct sn_arena arena = {0};
    struct sn_url url = {0};

    SN_TRY(sn_url_parse(sn_slice_str(value), &arena, &url, err));
    return SN_OK;
}

enum sn_status sn_check_absolute_path(const char *value, struct sn_error *err)
{
    return value[0] == '/' && strlen(value) < CHECK_TEXT_MAX ? SN_OK : not_of_form(err, "an absolute path");
}

enum sn_status sn_check_absolute_path_or_none(const char *value, struct sn_error *err)
{
    return strcmp(value, "none") == 0 ? SN_OK : sn_check_absolute_path(value, err);
}

enum sn_status sn_check_region(const char *value, struct sn_error *err)
{
    return sn_region_is_valid(sn_slice_str(value)) ? SN_OK : not_of_form(err, "a region such as eu-west-1");
}

enum sn_status sn_check_key_id(const char *value, struct sn_error *err)
{
    struct sn_slice text = sn_slice_str(value);

    return text.len <= 64 && sn_slice_is_alnum_or(text, "._-")
               ? SN_OK
               : not_of_form(err, "1 to 64 of letters, digits, '.', '_' and '-'");
}

/* https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_CreateSecret.html */
enum sn_status sn_check_secret_id(const char *value, struct sn_error *err)
{
    struct sn_slice text = sn_slice_str(value);

    return text.len > 0 && text.len <= 2048 && sn_slice_is_alnum_or(text, "/_+=.@-:!")
               ? SN_OK
               : not_of_form(err, "the name or ARN of a secret in Secrets Manager");
}

/* https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_CreateLogGroup.html */
enum sn_status sn_check_log_name(const char *value, struct sn_error *err)
{
    struct sn_slice text = sn_slice_str(value);

    return text.len > 0 && text.len <= 512 && sn_slice_is_alnum_or(text, "._/#-")
               ? SN_OK
               : not_of_form(err, "1 to 512 of letters, digits, '.', '_', '/', '#' and '-'");
}

/* Which of these a form takes is checked with the other settings. */
enum sn_status sn_check_key_reference(const char *value, struct sn_error *err)
{
    struct sn_slice text = sn_slice_str(value);

    if (sn_slice_has_prefix(text, SN_S("ssm:"))) {
        return sn_check_parameter(value + strlen("ssm:"), err);
    }
    return sn_slice_has_prefix(text, SN_S("file:/")) ? SN_OK : sn_check_secret_id(value, err);
}

enum sn_status sn_check_account(const char *value, struct sn_error *err)
{
    return strlen(value) == SN_ACCOUNT_LEN && strspn(value, "0123456789") == SN_ACCOUNT_LEN
               ? SN_OK
               : not_of_form(err, "an account id of 12 digits");
}

/* A list item of wildcards alone would vouch for every role there is. */
enum sn_status sn_check_role_glob(const char *value, struct sn_error *err)
{
    struct sn_slice text = sn_slice_str(value);

    if (!sn_slice_is_alnum_or(text, "_+=,.@-*?")) {
        return not_of_form(err, "a role name with '*' and '?'");
    }
    return strspn(value, "*?") < text.len ? SN_OK : not_of_form(err, "narrow enough: it consists of wildcards alone");
}

enum sn_status sn_check_arn_glob(const char *value, struct sn_error *err)
{
    struct sn_slice text = sn_slice_str(value);

    return sn_slice_has_prefix(text, SN_S("arn:")) && text.len <= SN_ARN_MAX && sn_slice_is_alnum_or(text, "_+=,.@-*/:")
               ? SN_OK
               : not_of_form(err, "a caller ARN with '*'");
}

enum sn_status sn_check_list_entry(const char *value, struct sn_error *err)
{
    struct sn_slice text = sn_slice_str(value);

    if (sn_slice_has_prefix(text, SN_S("group:"))) {
        return not_of_form(err, "NAME, arn:... or role:ROLENAME (a setting has no groups)");
    }
    if (sn_slice_has_prefix(text, SN_S("arn:"))) {
        struct sn_principal ignored = {0};
        return sn_principal_parse(text, NULL, &ignored, err);
    }
    if (sn_slice_has_prefix(text, SN_S("role:"))) {
        text = sn_slice_sub(text, 5, text.len);
    }
    return text.len > 0 && text.len <= SN_NAME_MAX && sn_slice_is_alnum_or(text, "_+=,.@-")
               ? SN_OK
               : not_of_form(err, "NAME, arn:... or role:ROLENAME");
}

enum sn_status sn_check_public_key(const char *value, struct sn_error *err)
{
    struct sn_slice text = sn_slice_str(value);
    struct sn_public_key *key = NULL;

    if (sn_slice_has_prefix(text, SN_S(SN_KEY_TEXT_ED25519))) {
        enum sn_status status = sn_key_text_ed25519(text, &key, err);
        sn_public_key_free(key);
        return status;
    }
    return sn_slice_has_prefix(text, SN_S("file:/")) || sn_kms_key_is_named(text)
               ? SN_OK
               : not_of_form(err, "ed25519:BASE64, file:/ABSOLUTE/PATH or the id, ARN or alias of a key in KMS");
}

enum sn_status sn_check_parameter(const char *value, struct sn_error *err)
{
    struct sn_slice text = sn_slice_str(value);

    while (text.len > 0 && text.ptr[text.len - 1] == '/') {
        text.len--;
    }
    return sn_document_name_check(text, err) == SN_OK
               ? SN_OK
               : not_of_form(err,
                     "of the form /part/part with letters, digits, '_', '.' and '-', at most 15 parts, the "
                     "first not beginning with aws or ssm");
}

enum sn_status sn_check_role_prefix(const char *value, struct sn_error *err)
{
    struct sn_slice text = sn_slice_str(value);

    return text.len <= SN_ROLE_NAME_MAX && sn_slice_is_alnum_or(text, "_+=,.@-")
               ? SN_OK
               : not_of_form(err, "the beginning of a role name");
}
