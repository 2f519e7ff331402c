/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vault/base_roles.c: sessions from keys of the keyring, and codes of MFA devices, over a scripted STS.
 */
#include "test.h"

#include "base_fixture.h"
#include "scratch.h"
#include "vault/vault_store.h"

#define SERIAL "arn:aws:iam::123456789012:mfa/alice"
#define SESSION                                                                                                        \
    "<GetSessionTokenResponse" NS "><GetSessionTokenResult><Credentials><AccessKeyId>ASIASESSION</AccessKeyId>"        \
    "<SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken><Expiration>2100-01-01T00:00:00Z</Expiration>"  \
    "</Credentials></GetSessionTokenResult></GetSessionTokenResponse>"
#define WRONG_CODE                                                                                                     \
    "<ErrorResponse" NS "><Error><Code>AccessDenied</Code><Message>MultiFactorAuthentication failed with invalid MFA " \
    "one time pass code.</Message></Error></ErrorResponse>"

/* A person who types one code after the other, and what the keyring says. */
struct vault {
    struct sn_vault_store *store;
    struct sn_mfa mfa;
    const char *const *codes;
    size_t asked;
    size_t warned;
    char keys[128];
};

static enum sn_status type_code(void *ctx, const char *question, struct sn_secret *out_answer, struct sn_error *err)
{
    struct vault *vault = ctx;

    (void)err;
    assert_string_equal(question, "Enter MFA code for " SERIAL ": ");
    sn_secret_set(out_answer, sn_slice_str(vault->codes[vault->asked++]));
    return SN_OK;
}

static void count_warning(void *ctx, const struct sn_error *err)
{
    struct vault *vault = ctx;

    (void)err;
    vault->warned++;
}

static void open_vault(struct fixture *f, struct vault *vault, const char *const *codes)
{
    const char *profile = "base";
    struct sn_error err = {0};
    SN_AUTO(sn_credentials_clear) struct sn_credentials key = {.access_key_id = "AKIASTORED"};

    *vault = (struct vault){.codes = codes, .mfa = {.ask = type_code, .ctx = vault}};
    (void)snprintf(vault->keys, sizeof(vault->keys), "%s/keys", f->dir);
    set_env(f, "AWS_VAULT_FILE_PASSPHRASE", "p");
    const struct sn_vault_store_options options = {.keyring = {.backend = "file",
                                                       .file_dir = vault->keys,
                                                       .env = &f->env,
                                                       .clock = &f->clock,
                                                       .random_source = sn_random_system(),
                                                       .file_iterations = 1000},
        .warn = count_warning,
        .ctx = vault};
    sn_vault_store_new(&options, &vault->store);
    sn_secret_set(&key.secret_access_key, SN_S("CANARY-stored"));
    assert_ok(sn_vault_store_put(vault->store, sn_slice_str(profile), &key, &err), &err);
}

static void close_vault(struct fixture *f, struct vault *vault)
{
    char command[160];

    sn_vault_store_free(vault->store);
    (void)snprintf(command, sizeof(command), "%s", vault->keys);
    scratch_remove_in(command);
    (void)rmdir(command);
    teardown(f);
}

static enum sn_status resolve_with(
    struct fixture *f, struct vault *vault, const char *profile, int64_t duration_s, struct sn_error *err)
{
    SN_AUTO(sn_credentials_clear) struct sn_credentials keys = {0};
    struct sn_base_options options = {.profile = profile,
        .env = &f->env,
        .clock = &f->clock,
        .transport = &f->transport,
        .store = vault->store,
        .mfa = &vault->mfa,
        .duration_s = duration_s};

    sn_base_free(f->base);
    f->base = NULL;
    SN_TRY(sn_base_new(&options, &f->base, err));
    return sn_base_source(f->base)->get(sn_base_source(f->base)->ctx, &keys, err);
}

static bool was_sent(const struct fixture *f, size_t call, const char *text)
{
    return strstr(sn_buf_str(&f->script.sent[call]), text) != NULL;
}

#define MFA_CONFIG                                                                                                     \
    "[profile base]\nmfa_serial = " SERIAL "\n[profile one]\nsource_profile = base\nrole_session_name = xy\n"          \
    "mfa_serial = " SERIAL "\n" ROLE("A") "[profile two]\nsource_profile = base\nrole_session_name = xy\n"             \
                                          "mfa_serial = " SERIAL "\n" ROLE("A")

/* VLT-12: one code makes a session that serves both roles; the role's own call carries none. */
static void one_code_for_two_roles(void **state)
{
    (void)state;
    static const struct scripted_reply replies[] = {
        ANSWER(200, SESSION), ANSWER(200, ASSUMED("A", "xy", "2100-01-01T00:00:00Z"))};
    static const char *const codes[] = {"123456"};
    struct fixture f;
    struct vault vault;
    struct sn_error err = {0};

    setup(&f, MFA_CONFIG, "", replies, SN_LEN(replies));
    open_vault(&f, &vault, codes);
    assert_ok(resolve_with(&f, &vault, "one", 0, &err), &err);
    assert_ok(resolve_with(&f, &vault, "two", 0, &err), &err);
    assert_int_equal(vault.asked, 1);
    assert_int_equal(f.script.calls, 3);
    assert_true(was_sent(&f, 0, "Action=GetSessionToken"));
    assert_true(was_sent(&f, 0, "DurationSeconds=28800"));
    assert_true(was_sent(&f, 0, "TokenCode=123456"));
    for (size_t i = 1; i < 3; i++) {
        assert_true(was_sent(&f, i, "Action=AssumeRole") && was_sent(&f, i, "X-Amz-Security-Token: t"));
        assert_false(was_sent(&f, i, "SerialNumber") || was_sent(&f, i, "TokenCode"));
    }
    assert_int_equal(vault.warned, 0);
    close_vault(&f, &vault);
}

/* VLT-13: a role that is to live two hours takes the code in its own call. */
static void long_role_takes_the_code_itself(void **state)
{
    (void)state;
    static const struct scripted_reply replies[] = {ANSWER(200, ASSUMED("A", "xy", "2100-01-01T00:00:00Z"))};
    static const char *const codes[] = {"123456"};
    struct fixture f;
    struct vault vault;
    struct sn_error err = {0};

    setup(&f, MFA_CONFIG, "", replies, SN_LEN(replies));
    open_vault(&f, &vault, codes);
    assert_ok(resolve_with(&f, &vault, "one", 7200, &err), &err);
    assert_int_equal(f.script.calls, 1);
    assert_true(was_sent(&f, 0, "Action=AssumeRole") && was_sent(&f, 0, "DurationSeconds=7200"));
    assert_true(was_sent(&f, 0, "SerialNumber=") && was_sent(&f, 0, "TokenCode=123456"));
    close_vault(&f, &vault);
}

/* VLT-47: shapes are checked before STS is asked; a code that STS refuses is asked for once more, and no code is sent
 * twice. */
static void codes_that_are_none(void **state)
{
    (void)state;
    static const struct scripted_reply wrong[] = {ANSWER(403, WRONG_CODE)};
    static const struct scripted_reply down[] = {ANSWER(500, "")};
    static const char *const bad[] = {"12345", "x", ""};
    static const char *const twice[] = {"111111", "222222"};
    struct fixture f;
    struct vault vault;
    struct sn_error err = {0};

    setup(&f, MFA_CONFIG, "", wrong, SN_LEN(wrong));
    open_vault(&f, &vault, bad);
    assert_fails(resolve_with(&f, &vault, "one", 0, &err), &err, "MFA_INVALID");
    assert_int_equal(vault.asked, 3);
    SN_AUTO(sn_secret_clear) struct sn_secret given = {0};
    sn_secret_set(&given, SN_S("12345"));
    vault.mfa.given = &given;
    assert_fails(resolve_with(&f, &vault, "one", 0, &err), &err, "MFA_INVALID");
    assert_int_equal(f.script.calls, 0);
    vault.mfa.given = NULL;
    vault.codes = twice;
    vault.asked = 0;
    assert_fails(resolve_with(&f, &vault, "one", 0, &err), &err, "MFA_REJECTED");
    assert_int_equal(vault.asked, 2);
    assert_int_equal(f.script.calls, 2);
    assert_true(was_sent(&f, 0, "TokenCode=111111") && was_sent(&f, 1, "TokenCode=222222"));
    close_vault(&f, &vault);

    setup(&f, MFA_CONFIG, "", down, SN_LEN(down));
    open_vault(&f, &vault, twice);
    assert_fails(resolve_with(&f, &vault, "one", 0, &err), &err, "STS_UNAVAILABLE");
    assert_int_equal(f.script.calls, 1);
    close_vault(&f, &vault);
}

static void security_keys_are_refused(void **state)
{
    (void)state;
    static const struct scripted_reply replies[] = {ANSWER(200, SESSION)};
    struct fixture f;
    struct vault vault;
    struct sn_error err = {0};

    setup(&f, "[profile base]\nmfa_serial = arn:aws:iam::123456789012:u2f/user/x\n", "", replies, 1);
    open_vault(&f, &vault, NULL);
    assert_fails(resolve_with(&f, &vault, "base", 0, &err), &err, "MFA_INVALID");
    assert_true(strstr(err.message, "TOTP") != NULL);
    assert_int_equal(f.script.calls, 0);
    close_vault(&f, &vault);
}

/* A key of the keyring wins over source_profile and over keys in the file. */
static void stored_keys_come_first(void **state)
{
    (void)state;
    static const struct scripted_reply replies[] = {ANSWER(200, SESSION)};
    struct fixture f;
    struct vault vault;
    struct sn_error err = {0};

    setup(&f, "[profile base]\nsource_profile = other\n[profile other]\n", "[base]\n" KEYS, replies, 1);
    open_vault(&f, &vault, NULL);
    assert_ok(resolve_with(&f, &vault, "base", 0, &err), &err);
    assert_true(was_sent(&f, 0, "Credential=AKIASTORED/"));
    close_vault(&f, &vault);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_code_for_two_roles),
        cmocka_unit_test(long_role_takes_the_code_itself),
        cmocka_unit_test(codes_that_are_none),
        cmocka_unit_test(security_keys_are_refused),
        cmocka_unit_test(stored_keys_come_first),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
