/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/quote.c - quoting, and the formats of 'sentinel export'.
 */
#include "cli/quote.h"

#include <string.h>

#include "base/time.h"
#include "codec/json.h"

static void quote(struct sn_buf *buf, struct sn_slice text, const char *for_quote, const char *for_backslash)
{
    sn_buf_add_byte(buf, '\'');
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '\'') {
            sn_buf_add_str(buf, for_quote);
        } else if (text.ptr[i] == '\\') {
            sn_buf_add_str(buf, for_backslash);
        } else {
            sn_buf_add_byte(buf, text.ptr[i]);
        }
    }
    sn_buf_add_byte(buf, '\'');
}

void sn_quote_posix(struct sn_buf *buf, struct sn_slice text)
{
    quote(buf, text, "'\\''", "\\");
}

void sn_quote_fish(struct sn_buf *buf, struct sn_slice text)
{
    quote(buf, text, "\\'", "\\\\");
}

/* PowerShell ends a single-quoted text also at typographic quotes (U+2018 to U+201B); doubling works for them too. */
void sn_quote_powershell(struct sn_buf *buf, struct sn_slice text)
{
    sn_buf_add_byte(buf, '\'');
    for (size_t i = 0; i < text.len; i++) {
        struct sn_slice three = sn_slice_sub(text, i, 3);
        if (three.len == 3 && memcmp(three.ptr, "\xe2\x80", 2) == 0 && (unsigned char)three.ptr[2] >= 0x98 &&
            (unsigned char)three.ptr[2] <= 0x9b) {
            sn_buf_add(buf, three);
            sn_buf_add(buf, three);
            i += 2;
            continue;
        }
        sn_buf_add_str(buf, text.ptr[i] == '\'' ? "'" : "");
        sn_buf_add_byte(buf, text.ptr[i]);
    }
    sn_buf_add_byte(buf, '\'');
}

/* --- credential_process --- */

void sn_credentials_json(struct sn_buf *buf, const struct sn_credentials *credentials, bool pretty)
{
    struct sn_json_writer w;
    char expiration[SN_TIME_TEXT_MAX];
    SN_AUTO(sn_buf_clear) struct sn_buf compact = {0};

    sn_json_writer_init(&w, &compact);
    sn_json_begin_object(&w);
    sn_json_member_int(&w, "Version", 1);
    sn_json_member_str(&w, "AccessKeyId", credentials->access_key_id);
    sn_json_member_secret(&w, "SecretAccessKey", &credentials->secret_access_key);
    if (sn_secret_is_set(&credentials->session_token)) {
        sn_json_member_secret(&w, "SessionToken", &credentials->session_token);
    }
    if (credentials->expires_unix_s != 0) {
        sn_json_member_text(&w, "Expiration", sn_time_format_rfc3339_s(credentials->expires_unix_s, expiration));
    }
    sn_json_end_object(&w);
    bool in_text = false;
    for (size_t i = 0; i < compact.len; i++) {
        char c = compact.ptr[i];
        bool escaped = in_text && c == '\\';
        in_text = c == '"' ? !in_text : in_text;
        if (pretty && !in_text && c == '}') {
            sn_buf_add_byte(buf, '\n');
        }
        sn_buf_add_byte(buf, c);
        if (escaped) {
            sn_buf_add_byte(buf, compact.ptr[++i]);
        } else if (pretty && !in_text && (c == '{' || c == ',')) {
            sn_buf_add_str(buf, "\n  ");
        } else if (pretty && !in_text && c == ':') {
            sn_buf_add_byte(buf, ' ');
        }
    }
    sn_buf_add_byte(buf, '\n');
}

/* --- Other formats --- */

enum { VARIABLES_MAX = 6 };
struct variable {
    const char *name, *ini_name; /* ini_name NULL: not in the INI form */
    struct sn_slice value;
};

static size_t list_variables(struct variable out[VARIABLES_MAX], const struct sn_credentials *credentials,
    const char *region, struct sn_slice expiration)
{
    size_t count = 0;

    out[count++] =
        (struct variable){"AWS_ACCESS_KEY_ID", "aws_access_key_id", sn_slice_str(credentials->access_key_id)};
    out[count++] = (struct variable){
        "AWS_SECRET_ACCESS_KEY", "aws_secret_access_key", sn_secret_reveal(&credentials->secret_access_key)};
    if (sn_secret_is_set(&credentials->session_token)) {
        out[count++] =
            (struct variable){"AWS_SESSION_TOKEN", "aws_session_token", sn_secret_reveal(&credentials->session_token)};
    }
    if (credentials->expires_unix_s != 0) {
        out[count++] = (struct variable){"AWS_CREDENTIAL_EXPIRATION", "aws_credential_expiration", expiration};
    }
    if (region != NULL) {
        out[count++] = (struct variable){"AWS_REGION", "region", sn_slice_str(region)};
        out[count++] = (struct variable){"AWS_DEFAULT_REGION", NULL, sn_slice_str(region)};
    }
    return count;
}

/* Quoted forms carry all but control characters; the others only what needs no quotes in any reader. */
static bool can_carry(const char *format, struct sn_slice text)
{
    bool is_quoted = strcmp(format, "ini") != 0 && strcmp(format, "dotenv") != 0;

    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        if (c < ' ' || c == 0x7f || (!is_quoted && (c > 0x7e || strchr(" \"'`$#;\\", c) != NULL))) {
            return false;
        }
    }
    return true;
}

static void write_variable(struct sn_buf *buf, const char *format, const struct variable *v)
{
    if (strcmp(format, "env") == 0) {
        sn_buf_addf(buf, "export %s=", v->name);
        sn_quote_posix(buf, v->value);
    } else if (strcmp(format, "fish") == 0) {
        sn_buf_addf(buf, "set -gx %s ", v->name);
        sn_quote_fish(buf, v->value);
    } else if (strcmp(format, "powershell") == 0) {
        sn_buf_addf(buf, "$Env:%s = ", v->name);
        sn_quote_powershell(buf, v->value);
    } else if (strcmp(format, "ini") == 0) {
        if (v->ini_name == NULL) {
            return;
        }
        sn_buf_addf(buf, "%s=", v->ini_name);
        sn_buf_add(buf, v->value);
    } else {
        sn_buf_addf(buf, "%s=", v->name); /* dotenv: read as it stands, never evaluated */
        sn_buf_add(buf, v->value);
    }
    sn_buf_add_byte(buf, '\n');
}

enum sn_status sn_credentials_export(struct sn_buf *buf, const char *format, const char *profile, const char *region,
    const struct sn_credentials *credentials, struct sn_error *err)
{
    struct variable variables[VARIABLES_MAX];
    char expiration[SN_TIME_TEXT_MAX];

    if (strcmp(format, "json") == 0) {
        sn_credentials_json(buf, credentials, true);
        return SN_OK;
    }
    size_t count = list_variables(
        variables, credentials, region, sn_time_format_rfc3339_s(credentials->expires_unix_s, expiration));
    for (size_t i = 0; i < count; i++) {
        if (!can_carry(format, variables[i].value)) {
            return sn_fail(err, SN_PROTOCOL, "INVALID_CREDENTIALS", "the value of %s cannot be written as '%s'",
                variables[i].name, format);
        }
    }
    if (strcmp(format, "ini") == 0) {
        sn_buf_addf(buf, "[%s]\n", profile);
    }
    for (size_t i = 0; i < count; i++) {
        write_variable(buf, format, &variables[i]);
    }
    return sn_buf_check(buf, "the exported credentials", err);
}
