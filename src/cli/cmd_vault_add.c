/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/cmd_vault_add.c - vault add: a long-lived key goes into the keyring.
 */
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "aws/sts.h"
#include "base/env.h"
#include "base/fs.h"
#include "cli/prompt.h"
#include "cli/vault_access.h"
#include "codec/json.h"
#include "vault/awsconfig_write.h"
#include "vault/base_profile.h"

enum { INPUT_MAX = 16 * 1024 };

struct add_args {
    struct sn_vault_args vault;
    bool env, from_stdin, force, verify, no_add_config;
};

/* clang-format off */
static const struct sn_opt add_opts[] = {
    {.name = "env", .kind = SN_OPT_FLAG, .field = offsetof(struct add_args, env),
     .help = "take the key from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY instead of asking"},
    {.name = "stdin", .kind = SN_OPT_FLAG, .field = offsetof(struct add_args, from_stdin),
     .help = "read the key from stdin: {\"AccessKeyId\",\"SecretAccessKey\"}, or the accessKeys.csv of IAM"},
    {.name = "force", .letter = 'f', .kind = SN_OPT_FLAG, .field = offsetof(struct add_args, force),
     .help = "replace a stored key without asking"},
    {.name = "verify", .kind = SN_OPT_FLAG, .field = offsetof(struct add_args, verify),
     .help = "ask STS whose key it is first, and store nothing if it is nobody's"},
    {.name = "no-add-config", .kind = SN_OPT_FLAG, .field = offsetof(struct add_args, no_add_config),
     .help = "leave the AWS config alone; else a profile without a section gets one"},
    SN_VAULT_OPTS(struct add_args, vault),
    {0},
};
/* clang-format on */

static enum sn_status check_secret(const struct sn_credentials *key, struct sn_error *err)
{
    if (key->access_key_id[0] == '\0' || !sn_secret_is_set(&key->secret_access_key)) {
        return sn_fail(err, SN_INVALID, "VAULT_BAD_KEY", "the access key id or the secret access key is empty");
    }
    if (!sn_slice_is_alnum_or(sn_slice_str(key->access_key_id), "_")) {
        return sn_fail(err, SN_INVALID, "VAULT_BAD_KEY", "an access key id has letters and digits only");
    }
    if (strncmp(key->access_key_id, "ASIA", 4) == 0) {
        (void)sn_fail(err, SN_INVALID, "VAULT_BAD_KEY", "an id that begins with ASIA belongs to a temporary key");
        return sn_suggest(err, "only long-lived keys are stored; they begin with AKIA");
    }
    return SN_OK;
}

static void set_id(struct sn_credentials *key, struct sn_slice id)
{
    struct sn_slice text = sn_slice_trim_space(id);

    if (text.len <= SN_ACCESS_KEY_ID_MAX) {
        memcpy(key->access_key_id, text.ptr, text.len);
        key->access_key_id[text.len] = '\0';
    }
}

static enum sn_status from_env(struct sn_credentials *out_key, struct sn_error *err)
{
    const char *id = sn_env_get("AWS_ACCESS_KEY_ID");
    const char *secret = sn_env_get("AWS_SECRET_ACCESS_KEY");

    if (id == NULL || secret == NULL) {
        return sn_fail(err, SN_USAGE, "VAULT_NO_KEY", "%s%s%s not set", id == NULL ? "AWS_ACCESS_KEY_ID" : "",
            id == NULL && secret == NULL ? " and AWS_SECRET_ACCESS_KEY are"
            : id == NULL                 ? " is"
                                         : "",
            id != NULL ? "AWS_SECRET_ACCESS_KEY is" : "");
    }
    set_id(out_key, sn_slice_str(id));
    sn_secret_set(&out_key->secret_access_key, sn_slice_trim_space(sn_slice_str(secret)));
    return SN_OK;
}

/* "Access key ID,Secret access key" and a line of values, perhaps behind a byte order mark. */
static bool from_csv(struct sn_slice text, struct sn_credentials *out_key)
{
    struct sn_slice rest = text;
    struct sn_slice head;
    struct sn_slice line;
    struct sn_slice id;
    struct sn_slice secret;

    if (sn_slice_has_prefix(rest, SN_S("\xef\xbb\xbf"))) {
        rest = sn_slice_sub(rest, 3, SIZE_MAX);
    }
    if (!sn_slice_next(&rest, '\n', &head) || !sn_slice_next(&rest, '\n', &line) ||
        !sn_slice_eq_nocase(sn_slice_trim_space(head), SN_S("access key id,secret access key")) ||
        !sn_slice_cut(sn_slice_trim_space(line), ',', &id, &secret)) {
        return false;
    }
    set_id(out_key, id);
    sn_secret_set(&out_key->secret_access_key, sn_slice_trim_space(secret));
    return true;
}

static enum sn_status from_stdin(struct sn_credentials *out_key, struct sn_error *err)
{
    static const struct sn_json_limits limits = {.max_bytes = INPUT_MAX, .max_depth = 4, .max_members = 64};
    SN_AUTO(sn_json_doc_free_p) struct sn_json_doc *doc = NULL;
    SN_AUTO(sn_buf_clear) struct sn_buf text = SN_BUF_INIT(INPUT_MAX);
    char chunk[1024];
    struct sn_error ignored;
    ssize_t got = 0;

    while ((got = read(STDIN_FILENO, chunk, sizeof(chunk))) > 0) {
        sn_buf_add_bytes(&text, chunk, (size_t)got);
    }
    sn_wipe(chunk, sizeof(chunk));
    SN_TRY(sn_buf_check(&text, "the input", err));
    if (from_csv(sn_buf_slice(&text), out_key)) {
        return SN_OK;
    }
    if (sn_json_parse(sn_buf_slice(&text), &limits, &doc, &ignored) != SN_OK) {
        return sn_fail(err, SN_INVALID, "VAULT_BAD_KEY",
            "stdin is neither {\"AccessKeyId\",\"SecretAccessKey\"} nor the accessKeys.csv of IAM");
    }
    set_id(out_key, sn_json_text(sn_json_get(sn_json_root(doc), "AccessKeyId")));
    sn_secret_set(&out_key->secret_access_key, sn_json_text(sn_json_get(sn_json_root(doc), "SecretAccessKey")));
    return SN_OK;
}

static enum sn_status from_person(struct sn_credentials *out_key, char out_mfa[SN_PROMPT_MAX + 1], struct sn_error *err)
{
    SN_AUTO(sn_secret_clear) struct sn_secret secret = {0};
    char id[SN_PROMPT_MAX + 1];

    SN_TRY(sn_prompt_text("Enter Access Key ID: ", id, err));
    set_id(out_key, sn_slice_str(id));
    SN_TRY(sn_prompt_secret("Enter Secret Access Key: ", &secret, err));
    sn_secret_set(&out_key->secret_access_key, sn_slice_trim_space(sn_secret_reveal(&secret)));
    SN_TRY(check_secret(out_key, err));
    return sn_prompt_text("Enter MFA Device ARN (If MFA is not enabled, leave this blank): ", out_mfa, err);
}

static enum sn_status read_key(
    const struct add_args *args, struct sn_credentials *out_key, char out_mfa[SN_PROMPT_MAX + 1], struct sn_error *err)
{
    out_mfa[0] = '\0';
    if (args->env && args->from_stdin) {
        return sn_fail(err, SN_USAGE, "VAULT_NO_KEY", "--env and --stdin exclude each other");
    }
    if (args->env) {
        SN_TRY(from_env(out_key, err));
    } else if (args->from_stdin) {
        SN_TRY(from_stdin(out_key, err));
    } else {
        SN_TRY(from_person(out_key, out_mfa, err));
    }
    return check_secret(out_key, err);
}

static void warn_of_form(const struct sn_app *app, const char *id)
{
    struct sn_slice text = sn_slice_str(id);
    bool is_good = text.len == 20 && sn_slice_has_prefix(text, SN_S("AKIA"));

    for (size_t i = 4; i < text.len; i++) {
        is_good = is_good && ((text.ptr[i] >= 'A' && text.ptr[i] <= 'Z') || (text.ptr[i] >= '2' && text.ptr[i] <= '7'));
    }
    if (!is_good) {
        sn_app_warn(app, "the access key id does not have the form of AWS's long-lived ones");
    }
}

/* Credentials under such a name would never be used. */
static enum sn_status check_source(const struct sn_base_files *files, struct sn_slice profile, struct sn_error *err)
{
    struct sn_slice source;

    SN_TRY(sn_base_profile_text(files, profile, "source_profile", &source, err));
    if (source.len == 0 || sn_slice_eq(source, profile)) {
        return SN_OK;
    }
    (void)sn_fail(err, SN_USAGE, "VAULT_SOURCE_PROFILE",
        "profile '%.*s' takes its credentials from source_profile '%.*s'; a key stored here would be ignored",
        SN_PRI(profile), SN_PRI(sn_slice_sub(source, 0, 80)));
    return sn_suggest(err, "store it under '%.*s'", SN_PRI(sn_slice_sub(source, 0, 80)));
}

/* Asked before the key itself, so that nobody types one in vain. *out_go_on false: the answer was no. */
static enum sn_status may_replace(const struct sn_app *app, const struct add_args *args, struct sn_vault_access *access,
    const char *profile, bool *out_go_on, struct sn_error *err)
{
    SN_AUTO(sn_keyring_keys_clear) struct sn_keyring_keys keys = {0};
    SN_AUTO(sn_buf_clear) struct sn_buf question = {0};
    struct sn_keyring *keyring = NULL;

    *out_go_on = true;
    SN_TRY(sn_vault_access_keyring(access, &keyring, err));
    const char *remembered = sn_vault_store_remembered(access->store);
    if (remembered[0] != '\0' && strcmp(remembered, sn_keyring_name(keyring)) != 0) {
        sn_app_warn(
            app, "this key goes into the keyring '%s'; earlier ones are in '%s'", sn_keyring_name(keyring), remembered);
    }
    SN_TRY(sn_keyring_list(keyring, &keys, err));
    if (args->force || !sn_keyring_keys_has(&keys, profile)) {
        return SN_OK;
    }
    sn_buf_addf(&question, "Replace the stored key of '%s'? (y|N) ", profile);
    if (sn_prompt_yes(sn_buf_str(&question), out_go_on, err) != SN_OK) {
        if (!sn_error_is(err, "NO_TERMINAL")) {
            return err->status;
        }
        (void)sn_fail(err, SN_USAGE, "VAULT_EXISTS", "profile '%.80s' has a stored key already", profile);
        return sn_suggest(err, "add --force to replace it");
    }
    return SN_OK;
}

static enum sn_status give_key(void *ctx, struct sn_credentials *out_credentials, struct sn_error *err)
{
    (void)err;
    sn_credentials_copy(out_credentials, ctx);
    return SN_OK;
}

static enum sn_status verify(
    const struct sn_app *app, const char *profile, struct sn_credentials *key, struct sn_error *err)
{
    SN_AUTO(sn_sts_free_p) struct sn_sts *sts = NULL;
    SN_AUTO(sn_base_free_p) struct sn_base *base = NULL;
    const struct sn_credential_source source = {.get = give_key, .ctx = key};
    const struct sn_base_options options = {.profile = profile};
    struct sn_caller caller = {0};
    char region[SN_REGION_MAX + 1];
    char endpoint[SN_ENDPOINT_MAX];

    SN_TRY(sn_base_new(&options, &base, err));
    SN_TRY(sn_base_region(base, region, err));
    const char *used = region[0] != '\0' ? region : "us-east-1";
    SN_TRY(sn_endpoint_url("sts", sn_slice_str(used), sn_env_system(), endpoint, err));
    const struct sn_sts_options sts_options = {
        .endpoint = endpoint, .region = used, .source = &source, .ca_file = sn_env_get("AWS_CA_BUNDLE")};
    SN_TRY(sn_sts_new(&sts_options, &sts, err));
    if (sn_sts_get_caller_identity(sts, 0, &caller, err) != SN_OK) {
        return sn_error_context(err, "nothing was stored");
    }
    sn_app_note(app, "the key belongs to %s", caller.arn);
    return SN_OK;
}

static enum sn_status add_section(const char *profile, const char *mfa_serial, struct sn_error *err)
{
    SN_AUTO(sn_base_files_clear) struct sn_base_files files = {0};
    SN_AUTO(sn_lock_file_close) struct sn_lock_file lock = SN_LOCK_FILE_INIT;

    SN_TRY(sn_vault_lock(&lock, err));
    SN_TRY(sn_base_files_load(sn_env_system(), &files, err));
    if (sn_awsconfig_find(files.config, SN_AWSCONFIG_PROFILE, sn_slice_str(profile)) != NULL) {
        return SN_OK;
    }
    return sn_awsconfig_append_profile(files.config_path, sn_slice_str(profile), sn_slice_str(mfa_serial), err);
}

static enum sn_status say(struct sn_app *app, const char *profile, size_t dropped, struct sn_error *err)
{
    SN_AUTO(sn_buf_clear) struct sn_buf text = {0};
    struct sn_json_writer w;

    if (app->json) {
        sn_json_writer_init(&w, &text);
        sn_json_begin_object(&w);
        sn_json_member_str(&w, "profile", profile);
        sn_json_member_int(&w, "sessions_deleted", (int64_t)dropped);
        sn_json_end_object(&w);
        sn_buf_add_byte(&text, '\n');
    } else {
        sn_buf_addf(&text, "Added credentials to profile \"%s\" in vault\n", profile);
        if (dropped > 0) {
            sn_buf_addf(&text, "Deleted %zu existing sessions.\n", dropped);
        }
    }
    return sn_app_write(app, sn_buf_slice(&text), err);
}

static enum sn_status store_key(struct sn_app *app, const struct add_args *args, struct sn_vault_access *access,
    const char *profile, struct sn_error *err)
{
    SN_AUTO(sn_credentials_clear) struct sn_credentials key = {0};
    const struct sn_session_filter filter = {.profile = sn_slice_str(profile)};
    char mfa_serial[SN_PROMPT_MAX + 1];
    size_t dropped = 0;
    size_t failed = 0;

    SN_TRY(read_key(args, &key, mfa_serial, err));
    warn_of_form(app, key.access_key_id);
    if (args->verify) {
        SN_TRY(verify(app, profile, &key, err));
    }
    SN_TRY(sn_vault_store_put(access->store, sn_slice_str(profile), &key, err));
    SN_TRY(sn_vault_store_remember(access->store, err));
    SN_TRY(sn_vault_store_drop_sessions(access->store, &filter, &dropped, &failed, err));
    (void)sn_vault_drop_issued();
    if (!args->no_add_config) {
        SN_TRY(add_section(profile, mfa_serial, err));
    }
    struct sn_keyring *keyring = NULL;
    SN_TRY(sn_vault_access_keyring(access, &keyring, err));
    if (strcmp(sn_keyring_name(keyring), "keyctl") == 0) {
        sn_app_note(app, "this keyring is in memory: the key is lost when the machine starts again");
    }
    return say(app, profile, dropped, err);
}

static enum sn_status run_add(struct sn_app *app, void *arguments, struct sn_error *err)
{
    const struct add_args *args = arguments;
    SN_AUTO(sn_vault_access_clear) struct sn_vault_access access = {0};
    SN_AUTO(sn_base_files_clear) struct sn_base_files files = {0};
    const char *profile = app->operands[0];
    bool go_on = false;

    SN_TRY(sn_stored_check_profile(sn_slice_str(profile), err));
    SN_TRY(sn_base_files_load(sn_env_system(), &files, err));
    SN_TRY(check_source(&files, sn_slice_str(profile), err));
    sn_vault_access_open(app, &args->vault, false, &access);
    SN_TRY(may_replace(app, args, &access, profile, &go_on, err));
    if (!go_on) {
        sn_app_note(app, "nothing was changed");
        sn_app_outcome(app, 1);
        return SN_OK;
    }
    return store_key(app, args, &access, profile, err);
}

static const struct sn_example add_examples[] = {
    {"sentinel vault add dev", "ask for the key of 'dev' and store it"},
    {"sentinel vault add dev --stdin --verify < accessKeys.csv", "store the key of a file of IAM, if it works"},
    {0},
};
static const struct sn_exit_row add_exits[] = {
    {0, "stored"},
    {1, "not replaced, as you answered"},
    {2, "wrong usage, a key that is none, or a wrong passphrase; nothing was stored"},
    {3, "the keyring cannot be used, or STS does not know the key"},
    {0},
};

const struct sn_cmd sn_cmd_vault_add = {
    .name = "vault add",
    .group = SN_GROUP_VAULT,
    .summary = "store a long-lived AWS key in the keyring",
    .description =
        "Asks for the access key, or takes it from the environment or stdin, and stores it under PROFILE. From then on "
        "that profile, and every profile that names it as source_profile, gets its credentials from the keyring: for "
        "the commands 'vault ...', and to sign what other commands ask the TVM. Secrets are never taken as arguments.",
    .operands = "PROFILE",
    .min_operands = 1,
    .max_operands = 1,
    .operand_words = SN_WORDS_AWS_PROFILES,
    .opts = add_opts,
    .examples = add_examples,
    .args_size = sizeof(struct add_args),
    .exits = add_exits,
    .run = run_add,
};
