/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tvm/settings.c - reads the settings by their table and checks what one row cannot tell alone.
 */
#include "tvm/settings.h"

#include <string.h>

#include "base/alloc.h"
#include "base/nearest.h"
#include "base/parse.h"
#include "codec/base64.h"
#include "core/policy/document_name.h"
#include "tvm/settings_check.h"

enum { SETTING_VALUE_MAX = 16384, OCTAL_DIGITS_MAX = 4, LIST_ITEMS_MAX = 256 };

/* Settings of earlier designs and what took their place. */
static const struct {
    const char *name, *use;
} gone[] = {
    {"SENTINEL_SOURCE_IDENTITY_SEPARATOR", "nothing: there is one form, sentinel=<user>=<kind>=<id>"},
    {"SENTINEL_ROLE_MAP_PARAMETER", "the catalogue (catalog.yaml in SENTINEL_POLICY_DIR)"},
    {"SENTINEL_ROLE_ARN_TEMPLATE", "the catalogue (catalog.yaml in SENTINEL_POLICY_DIR)"},
    {"SENTINEL_ALLOW_ARN_PROFILES", "the catalogue (catalog.yaml in SENTINEL_POLICY_DIR)"},
    {"SENTINEL_REVOCATION_FAIL_OPEN", "nothing: a revocation check that fails denies"},
    {"SENTINEL_RATE_LIMIT_FAIL_OPEN", "nothing: the limiter of the process decides when a store fails"},
    {"SENTINEL_SESSION_RETENTION_DAYS", "SENTINEL_RECORD_RETENTION_DAYS"},
    {"SENTINEL_MDM_API_TOKEN", "SENTINEL_MDM_API_SECRET_ID"},
};

/* What the client programs and the tests read. */
static const char *const not_ours[] = {
    "SENTINEL_TVM_URL",
    "SENTINEL_TVM_AUTH",
    "SENTINEL_NO_CACHE",
    "SENTINEL_NO_HINTS",
    "SENTINEL_AUTO_LOGIN",
    "SENTINEL_UNIX_SOCKET",
    "SENTINEL_SESSION_ID",
    "SENTINEL_PROMPT",
    "SENTINEL_SSO_FLOW",
    "SENTINEL_CP_PROFILES",
};

static enum sn_status wrong(struct sn_error *err, const char *format, ...) SN_PRINTF(2, 3);
static enum sn_status wrong(struct sn_error *err, const char *format, ...)
{
    SN_AUTO(sn_buf_clear) struct sn_buf text = {0};
    va_list arguments;

    va_start(arguments, format);
    sn_buf_vaddf(&text, format, arguments);
    va_end(arguments);
    return sn_fail(err, SN_USAGE, "INVALID_SETTING", "%s", sn_buf_str(&text));
}

static enum sn_status parse_octal(const struct sn_setting *row, const char *text, int64_t *out, struct sn_error *err)
{
    size_t len = strlen(text);
    int64_t value = 0;

    if (len == 0 || len > OCTAL_DIGITS_MAX || strspn(text, "01234567") != len) {
        return wrong(
            err, "%s: is not an octal mode from %04o to %04o", row->name, (unsigned)row->min, (unsigned)row->max);
    }
    for (size_t i = 0; i < len; i++) {
        value = value * 8 + (text[i] - '0');
    }
    if (value < row->min || value > row->max) {
        return wrong(
            err, "%s: is not an octal mode from %04o to %04o", row->name, (unsigned)row->min, (unsigned)row->max);
    }
    *out = value;
    return SN_OK;
}

static enum sn_status parse_list(struct sn_tvm_settings *settings, const struct sn_setting *row, const char *text,
    struct sn_tvm_list *out_list, struct sn_error *err)
{
    char separator = row->kind == SN_SETTING_WORDS ? ' ' : ',';
    struct sn_slice rest = sn_slice_str(text), part = {0};
    struct sn_slice *items = sn_arena_alloc(&settings->arena, LIST_ITEMS_MAX, sizeof(*items));
    size_t count = 0;

    if (separator == ',' && sn_slice_has_suffix(rest, SN_S(","))) {
        return wrong(err, "%s: has an empty entry; accepted are %s", row->name, row->accepts);
    }
    while (sn_slice_next(&rest, separator, &part)) {
        part = sn_slice_trim_space(part);
        if (part.len == 0 && row->kind == SN_SETTING_WORDS) {
            continue;
        }
        if (part.len == 0) {
            return wrong(err, "%s: has an empty entry; accepted are %s", row->name, row->accepts);
        }
        if (count >= (size_t)row->max || count >= LIST_ITEMS_MAX) {
            return wrong(err, "%s: has more than %d entries", row->name, (int)row->max);
        }
        char *item = sn_arena_str(&settings->arena, part);
        if (row->check != NULL && row->check(item, err) != SN_OK) {
            struct sn_error cause = *err;
            return wrong(err, "%s: entry %zu %s; accepted are %s", row->name, count + 1, cause.message, row->accepts);
        }
        items[count++] = sn_slice_str(item);
    }
    *out_list = (struct sn_tvm_list){.items = items, .count = count};
    return SN_OK;
}

static enum sn_status parse_text(const struct sn_setting *row, const char *text, struct sn_error *err)
{
    if (row->choices != NULL) {
        for (const char *const *choice = row->choices; *choice != NULL; choice++) {
            if (strcmp(*choice, text) == 0) {
                return SN_OK;
            }
        }
        return wrong(err, "%s: is not one of its values (the first is '%s')", row->name, row->choices[0]);
    }
    if (row->check != NULL && row->check(text, err) != SN_OK) {
        struct sn_error cause = *err;
        return wrong(err, "%s: %s; accepted is %s", row->name, cause.message, row->accepts);
    }
    return SN_OK;
}

/* The value never enters a message. */
static enum sn_status parse_secret(
    const struct sn_setting *row, const char *text, struct sn_secret *out_secret, struct sn_error *err)
{
    size_t len = strlen(text);
    struct sn_error ignored = {0};

    if (len % 2 != 0 || len / 2 < (size_t)row->min || len / 2 > (size_t)row->max) {
        return wrong(err, "%s: is not %d to %d bytes in hexadecimal", row->name, (int)row->min, (int)row->max);
    }
    sn_secret_alloc(out_secret, len / 2);
    if (sn_hex_decode(sn_slice_str(text), true, out_secret->bytes, len / 2, &ignored) != SN_OK) {
        sn_secret_clear(out_secret);
        return wrong(err, "%s: is not %d to %d bytes in hexadecimal", row->name, (int)row->min, (int)row->max);
    }
    return SN_OK;
}

static enum sn_status parse_value(
    struct sn_tvm_settings *settings, const struct sn_setting *row, const char *text, struct sn_error *err)
{
    void *member = (char *)settings + row->offset;

    switch (row->kind) {
    case SN_SETTING_TEXT:
        SN_TRY(parse_text(row, text, err));
        *(const char **)member = text;
        return SN_OK;
    case SN_SETTING_INT:
        if (sn_parse_int(sn_slice_str(text), row->min, row->max, member, err) != SN_OK) {
            return wrong(err, "%s: is not a whole number from %lld to %lld", row->name, (long long)row->min,
                (long long)row->max);
        }
        return SN_OK;
    case SN_SETTING_OCTAL:
        return parse_octal(row, text, member, err);
    case SN_SETTING_BOOL:
        if (sn_parse_bool(sn_slice_str(text), member, err) != SN_OK) {
            return wrong(err, "%s: is neither 'true' nor 'false'", row->name);
        }
        return SN_OK;
    case SN_SETTING_LIST:
    case SN_SETTING_WORDS:
        return parse_list(settings, row, text, member, err);
    case SN_SETTING_SECRET:
        return parse_secret(row, text, member, err);
    }
    return wrong(err, "%s: has no kind", row->name);
}

static const char *fallback_of(const struct sn_setting *row, enum sn_tvm_form form)
{
    return form == SN_TVM_FORM_SERVE ? row->fallback_serve : row->fallback_lambda;
}

static enum sn_status refuse_reserved(const struct sn_setting *row, struct sn_error *err)
{
    wrong(err, "%s: is not part of this version", row->name);
    return sn_suggest(err, "unset it");
}

static enum sn_status read_row(
    struct sn_tvm_settings *settings, size_t index, const struct sn_env *env, struct sn_error *err)
{
    const struct sn_setting *row = &sn_settings[index];
    const char *given = env->get(env->ctx, row->name);
    const char *fallback = fallback_of(row, settings->form);
    bool of_other_form = (row->form == SN_SETTING_SERVE_ONLY && settings->form != SN_TVM_FORM_SERVE) ||
                         (row->form == SN_SETTING_LAMBDA_ONLY && settings->form != SN_TVM_FORM_LAMBDA);

    if (given != NULL && of_other_form) {
        wrong(err, "%s: has no meaning in %s", row->name,
            settings->form == SN_TVM_FORM_SERVE ? "'sentinel-tvm serve'" : "the Lambda form");
        return strcmp(row->name, "SENTINEL_ALLOWED_ORG_ID") == 0
                   ? sn_suggest(
                         err, "STS tells a server no organisation; list the accounts in SENTINEL_ALLOWED_ACCOUNTS")
                   : sn_suggest(err, "unset it");
    }
    if (given != NULL && strlen(given) > SETTING_VALUE_MAX) {
        return wrong(err, "%s: is longer than %d bytes", row->name, SETTING_VALUE_MAX);
    }
    settings->from_environment[index] = given != NULL;
    if (row->reserved) {
        settings->values[index] = fallback;
        return given != NULL && (fallback == NULL || strcmp(given, fallback) != 0) ? refuse_reserved(row, err) : SN_OK;
    }
    if (row->kind == SN_SETTING_SECRET) {
        return given != NULL ? parse_secret(row, given, (void *)((char *)settings + row->offset), err) : SN_OK;
    }
    const char *text = given != NULL ? sn_arena_str(&settings->arena, sn_slice_str(given)) : fallback;
    settings->values[index] = text;
    if (text == NULL) {
        if (row->kind == SN_SETTING_TEXT) {
            *(const char **)((char *)settings + row->offset) = "";
        }
        return SN_OK;
    }
    return parse_value(settings, row, text, err);
}

/* --- What several rows say together. --- */

static bool is_given(const char *text)
{
    return text[0] != '\0';
}

static enum sn_status check_listeners(const struct sn_tvm_settings *settings, struct sn_error *err)
{
    bool has_tls = is_given(settings->tls_cert_file);

    if (has_tls != is_given(settings->tls_key_file)) {
        return wrong(err, "%s: is set without %s", has_tls ? "SENTINEL_TLS_CERT_FILE" : "SENTINEL_TLS_KEY_FILE",
            has_tls ? "SENTINEL_TLS_KEY_FILE" : "SENTINEL_TLS_CERT_FILE");
    }
    for (size_t i = 0; i < settings->listen.count; i++) {
        if (sn_address_is_loopback(settings->listen.items[i])) {
            continue;
        }
        if (!has_tls) {
            wrong(err, "SENTINEL_LISTEN: '%.*s' is not loopback, and no certificate is set",
                SN_PRI(settings->listen.items[i]));
            return sn_suggest(err,
                "set SENTINEL_TLS_CERT_FILE and SENTINEL_TLS_KEY_FILE, or listen on loopback behind a "
                "proxy on this host that ends TLS");
        }
        if (settings->public_urls.count == 0) {
            wrong(err, "SENTINEL_PUBLIC_URL: must be set, since '%.*s' is not loopback",
                SN_PRI(settings->listen.items[i]));
            return sn_suggest(err, "set it to the URL by which clients reach this server");
        }
    }
    return SN_OK;
}

static enum sn_status check_keys(struct sn_tvm_settings *settings, struct sn_error *err)
{
    if (sn_secret_is_set(&settings->state_signing_key) && is_given(settings->state_signing_key_secret_id)) {
        return wrong(
            err, "SENTINEL_STATE_SIGNING_KEY: is set beside SENTINEL_STATE_SIGNING_KEY_SECRET_ID; one is enough");
    }
    if (sn_secret_is_set(&settings->log_signing_key) && is_given(settings->log_signing_key_file)) {
        return wrong(err, "SENTINEL_LOG_SIGNING_KEY: is set beside SENTINEL_LOG_SIGNING_KEY_FILE; one is enough");
    }
    if (sn_secret_is_set(&settings->log_signing_key) &&
        sn_secret_eq(&settings->log_signing_key, &settings->state_signing_key)) {
        return wrong(err, "SENTINEL_LOG_SIGNING_KEY: equals SENTINEL_STATE_SIGNING_KEY; each key must be its own");
    }
    return SN_OK;
}

/* A server reads its keys from files; a function keeps none. */
static enum sn_status check_state_key_place(const struct sn_tvm_settings *settings, struct sn_error *err)
{
    bool is_file = sn_slice_has_prefix(sn_slice_str(settings->state_signing_key_secret_id), SN_S("file:"));

    if (!is_given(settings->state_signing_key_secret_id)) {
        return SN_OK;
    }
    if (settings->form == SN_TVM_FORM_SERVE && !is_file) {
        return wrong(err, "SENTINEL_STATE_SIGNING_KEY_SECRET_ID: 'sentinel-tvm serve' takes file:/ABSOLUTE/PATH only");
    }
    if (settings->form == SN_TVM_FORM_LAMBDA && is_file) {
        wrong(err,
            "SENTINEL_STATE_SIGNING_KEY_SECRET_ID: a file of the Lambda form can be read by whoever has the package");
        return sn_suggest(err, "keep the key in Secrets Manager, or as a SecureString and ssm:/PATH");
    }
    return SN_OK;
}

/* What the Lambda form cannot do without: it makes no key and keeps no file. */
static enum sn_status check_lambda(const struct sn_tvm_settings *settings, struct sn_error *err)
{
    int log_keys = sn_secret_is_set(&settings->log_signing_key) + is_given(settings->log_signing_key_secret_id) +
                   is_given(settings->log_signing_key_parameter);

    if (settings->form != SN_TVM_FORM_LAMBDA) {
        return SN_OK;
    }
    if (!is_given(settings->cloudwatch_log_group)) {
        wrong(err, "SENTINEL_CLOUDWATCH_LOG_GROUP: is not set, so there is no audit log");
        return sn_suggest(err, "set it to a log group of its own, and keep that group for as long as audits ask");
    }
    if (is_given(settings->audit_file) || is_given(settings->log_signing_key_file)) {
        return wrong(err, "%s: the Lambda form keeps no files",
            is_given(settings->audit_file) ? "SENTINEL_AUDIT_FILE" : "SENTINEL_LOG_SIGNING_KEY_FILE");
    }
    if (!sn_secret_is_set(&settings->state_signing_key) && !is_given(settings->state_signing_key_secret_id)) {
        wrong(err, "SENTINEL_STATE_SIGNING_KEY_SECRET_ID: is not set, so records cannot be sealed");
        return sn_suggest(err, "put 32 random bytes in hexadecimal digits into a secret, and name it");
    }
    if (log_keys != 1) {
        wrong(err, "SENTINEL_LOG_SIGNING_KEY_SECRET_ID: %s",
            log_keys == 0
                ? "is not set, so the audit log cannot be signed"
                : "is set beside SENTINEL_LOG_SIGNING_KEY_PARAMETER or SENTINEL_LOG_SIGNING_KEY; one is enough");
        return sn_suggest(err, "put 32 random bytes in hexadecimal digits into a secret of its own, and name it");
    }
    return SN_OK;
}

static enum sn_status check_document_keys(const struct sn_tvm_settings *settings, struct sn_error *err)
{
    if (settings->policy_signing_keys.count == 0 && strcmp(settings->enforce_policy_signing, "true") == 0) {
        wrong(err, "SENTINEL_ENFORCE_POLICY_SIGNING: is 'true' without SENTINEL_POLICY_SIGNING_KEY");
        return sn_suggest(err, "set SENTINEL_POLICY_SIGNING_KEY to the public key of who signs");
    }
    return SN_OK;
}

static size_t row_of(const char *name)
{
    size_t i = 0;

    while (strcmp(sn_settings[i].name, name) != 0) {
        i++;
    }
    return i;
}

/* The variables that only mean something for Parameter Store, in the order of the table. */
static const char *const store_variables[] = {
    "SENTINEL_POLICY_PARAMETER",
    "SENTINEL_POLICY_ROOT",
    "SENTINEL_CATALOG_PATH",
    "SENTINEL_APPROVAL_POLICY_PARAMETER",
    "SENTINEL_BREAKGLASS_POLICY_PARAMETER",
    "SENTINEL_RATELIMIT_POLICY_PARAMETER",
};

/* Two settings that may not share a place: one is the other, or lies below it. */
static enum sn_status check_apart(
    const char *a_name, const char *a, const char *b_name, const char *b, struct sn_error *err)
{
    if (is_given(a) && is_given(b) &&
        (sn_document_name_is_below(sn_slice_str(a), sn_slice_str(b)) ||
            sn_document_name_is_below(sn_slice_str(b), sn_slice_str(a)))) {
        return wrong(err, "%s: '%s' and %s lie one below the other; every name there would be a document of both",
            a_name, a, b_name);
    }
    return SN_OK;
}

/* Every name below the root is a policy and every name below the path a catalogue: nothing else may lie there. */
static enum sn_status check_places(const struct sn_tvm_settings *settings, struct sn_error *err)
{
    const struct {
        const char *name, *value;
    } others[] = {
        {"SENTINEL_POLICY_PARAMETER", settings->policy_parameter},
        {"SENTINEL_APPROVAL_POLICY_PARAMETER", settings->approval_parameter},
        {"SENTINEL_BREAKGLASS_POLICY_PARAMETER", settings->breakglass_parameter},
        {"SENTINEL_RATELIMIT_POLICY_PARAMETER", settings->ratelimit_parameter},
    };

    SN_TRY(check_apart(
        "SENTINEL_POLICY_ROOT", settings->policy_root, "SENTINEL_CATALOG_PATH", settings->catalog_path, err));
    for (size_t i = 0; i < SN_LEN(others); i++) {
        SN_TRY(check_apart(others[i].name, others[i].value, "SENTINEL_CATALOG_PATH", settings->catalog_path, err));
        if (i > 0) { /* with one policy for all profiles, its own place below the root does no harm */
            SN_TRY(check_apart(others[i].name, others[i].value, "SENTINEL_POLICY_ROOT", settings->policy_root, err));
        }
        for (size_t k = 0; k < i; k++) {
            SN_TRY(check_apart(others[i].name, others[i].value, others[k].name, others[k].value, err));
        }
    }
    return SN_OK;
}

/* The one source of documents: a directory, or Parameter Store. */
static enum sn_status check_source(struct sn_tvm_settings *settings, struct sn_error *err)
{
    size_t dir_row = row_of("SENTINEL_POLICY_DIR");
    bool has_dir = settings->from_environment[dir_row];
    bool has_store = is_given(settings->policy_parameter) || is_given(settings->policy_root);
    const char *stray = NULL;

    for (size_t i = 0; i < SN_LEN(store_variables) && stray == NULL; i++) {
        stray = settings->from_environment[row_of(store_variables[i])] ? store_variables[i] : NULL;
    }
    if (has_dir && stray != NULL) {
        wrong(err, "SENTINEL_POLICY_DIR: is set beside %s; documents have one source", stray);
        return sn_suggest(err, "unset one of the two");
    }
    if (!has_dir && !has_store && (stray != NULL || settings->form == SN_TVM_FORM_LAMBDA)) {
        return wrong(err,
            "SENTINEL_POLICY_DIR, SENTINEL_POLICY_PARAMETER, SENTINEL_POLICY_ROOT: none of them is set, so "
            "there is no access policy");
    }
    if (has_store) {
        settings->policy_dir = "";
        settings->values[dir_row] = NULL;
        return check_places(settings, err);
    }
    return SN_OK;
}

static const char *beside(struct sn_tvm_settings *settings, const char *path, const char *name)
{
    struct sn_slice dir = {0}, file = {0};

    sn_slice_cut_last(sn_slice_str(path), '/', &dir, &file);
    return sn_arena_printf(&settings->arena, "%.*s/%s", SN_PRI(dir), name).ptr;
}

/* Defaults that follow from other settings. */
static void fill_in(struct sn_tvm_settings *settings)
{
    if (settings->form == SN_TVM_FORM_LAMBDA) {
        return;
    }
    settings->state_signing_key_file = is_given(settings->state_signing_key_secret_id)
                                           ? settings->state_signing_key_secret_id + strlen("file:")
                                           : beside(settings, settings->store_path, "state.key");
    if (!is_given(settings->audit_file)) {
        settings->audit_file = beside(settings, settings->store_path, "audit/audit.log");
    }
    if (!is_given(settings->audit_anchor_file)) {
        settings->audit_anchor_file = beside(settings, settings->audit_file, "audit.anchor");
    }
    if (!is_given(settings->log_signing_key_file)) {
        settings->log_signing_key_file = beside(settings, settings->store_path, "audit.key");
    }
}

static enum sn_status check_together(struct sn_tvm_settings *settings, struct sn_error *err)
{
    settings->region = is_given(settings->sts_region)   ? settings->sts_region
                       : is_given(settings->aws_region) ? settings->aws_region
                                                        : settings->aws_default_region;
    if (!is_given(settings->region)) {
        wrong(err, "AWS_REGION: is not set, nor is SENTINEL_STS_REGION");
        return sn_suggest(err, "set AWS_REGION to the region whose STS is to be used, for instance eu-west-1");
    }
    if (settings->form == SN_TVM_FORM_SERVE && strcmp(settings->store, "sqlite") != 0) {
        return wrong(err, "SENTINEL_STORE: 'dynamodb' is not part of this version; accepted is sqlite");
    }
    if (settings->form == SN_TVM_FORM_LAMBDA && strcmp(settings->store, "dynamodb") != 0) {
        return wrong(err, "SENTINEL_STORE: 'sqlite' cannot serve the Lambda form, which keeps no files");
    }
    if (settings->form == SN_TVM_FORM_SERVE && strcmp(settings->audit_file, "none") == 0) {
        return wrong(err, "SENTINEL_AUDIT_FILE: 'none' leaves no durable audit log, since no log group is set");
    }
    if (settings->audit_rotate_s != 0 && settings->audit_rotate_s < 60) {
        return wrong(err, "SENTINEL_AUDIT_ROTATE_SECONDS: is neither 0 nor at least 60");
    }
    if (settings->listen.count == 0 && settings->form == SN_TVM_FORM_SERVE) {
        return wrong(err, "SENTINEL_LISTEN: is empty");
    }
    SN_TRY(check_listeners(settings, err));
    SN_TRY(check_keys(settings, err));
    SN_TRY(check_state_key_place(settings, err));
    SN_TRY(check_lambda(settings, err));
    SN_TRY(check_document_keys(settings, err));
    SN_TRY(check_source(settings, err));
    fill_in(settings);
    return SN_OK;
}

enum sn_status sn_tvm_settings_load(
    const struct sn_env *env, enum sn_tvm_form form, struct sn_tvm_settings *out_settings, struct sn_error *err)
{
    struct sn_tvm_settings settings = {.form = form};
    enum sn_status status = SN_OK;

    for (size_t i = 0; i < sn_settings_count && status == SN_OK; i++) {
        status = read_row(&settings, i, env, err);
    }
    for (size_t i = 0; i < SN_LEN(gone) && status == SN_OK; i++) {
        if (env->get(env->ctx, gone[i].name) != NULL) {
            status = wrong(err, "%s: does not exist any more", gone[i].name);
            sn_suggest(err, "use instead: %s", gone[i].use);
        }
    }
    if (status == SN_OK) {
        status = check_together(&settings, err);
    }
    if (status != SN_OK) {
        sn_tvm_settings_clear(&settings);
        return status;
    }
    *out_settings = settings;
    return SN_OK;
}

void sn_tvm_settings_clear(struct sn_tvm_settings *settings)
{
    sn_secret_clear(&settings->state_signing_key);
    sn_secret_clear(&settings->log_signing_key);
    sn_arena_clear(&settings->arena);
    *settings = (struct sn_tvm_settings){0};
}

static bool is_known_name(struct sn_slice name)
{
    for (size_t i = 0; i < sn_settings_count; i++) {
        if (sn_slice_eq_str(name, sn_settings[i].name)) {
            return true;
        }
    }
    for (size_t i = 0; i < SN_LEN(not_ours); i++) {
        if (sn_slice_eq_str(name, not_ours[i])) {
            return true;
        }
    }
    return sn_slice_has_prefix(name, SN_S("SENTINEL_NOTIFY_")) || sn_slice_has_prefix(name, SN_S("SENTINEL_TEST_")) ||
           sn_slice_has_prefix(name, SN_S("SENTINEL_LAB_"));
}

static const char *nearest_setting(struct sn_slice name)
{
    const char *names[SN_TVM_SETTINGS_MAX];

    for (size_t i = 0; i < sn_settings_count; i++) {
        names[i] = sn_settings[i].name;
    }
    return sn_nearest(name, names, sn_settings_count);
}

enum sn_status sn_tvm_settings_check_names(const char *const *environment, struct sn_error *err)
{
    for (; *environment != NULL; environment++) {
        struct sn_slice name = {0}, value = {0};
        sn_slice_cut(sn_slice_str(*environment), '=', &name, &value);
        if (!sn_slice_has_prefix(name, SN_S("SENTINEL_")) || value.len == 0 || is_known_name(name)) {
            continue;
        }
        for (size_t i = 0; i < SN_LEN(gone); i++) {
            if (sn_slice_eq_str(name, gone[i].name)) {
                wrong(err, "%s: does not exist any more", gone[i].name);
                return sn_suggest(err, "use instead: %s", gone[i].use);
            }
        }
        const char *nearest = nearest_setting(name);
        wrong(err, "%.*s: there is no such setting", SN_PRI(sn_slice_sub(name, 0, 80)));
        return nearest != NULL ? sn_suggest(err, "did you mean %s?", nearest)
                               : sn_suggest(err, "run 'sentinel-tvm config' to see all settings");
    }
    return SN_OK;
}
