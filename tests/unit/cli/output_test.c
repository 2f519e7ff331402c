/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tests of what commands hand out: quoting of credentials, the environment of a child, error reports, exit codes,
 * completion candidates.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "cli/child_env.h"
#include "cli/complete.h"
#include "cli/quote.h"
#include "cli/report.h"

/* --- Quoting --- */

static void quoting(void **state)
{
    static const struct {
        const char *text, *posix, *fish, *powershell;
    } rows[] = {
        {"plain", "'plain'", "'plain'", "'plain'"},
        {"", "''", "''", "''"},
        {"it's", "'it'\\''s'", "'it\\'s'", "'it''s'"},
        {"a\\b", "'a\\b'", "'a\\\\b'", "'a\\b'"},
        {"$(x) `y` \"z\"", "'$(x) `y` \"z\"'", "'$(x) `y` \"z\"'", "'$(x) `y` \"z\"'"},
        {"'; touch pwned; '", "''\\''; touch pwned; '\\'''", "'\\'; touch pwned; \\''", "'''; touch pwned; '''"},
        {"a\xe2\x80\x99; b", "'a\xe2\x80\x99; b'", "'a\xe2\x80\x99; b'", "'a\xe2\x80\x99\xe2\x80\x99; b'"},
    };
    (void)state;
    for (size_t i = 0; i < SN_LEN(rows); i++) {
        SN_AUTO(sn_buf_clear) struct sn_buf posix = {0};
        SN_AUTO(sn_buf_clear) struct sn_buf fish = {0};
        SN_AUTO(sn_buf_clear) struct sn_buf powershell = {0};
        sn_quote_posix(&posix, sn_slice_str(rows[i].text));
        sn_quote_fish(&fish, sn_slice_str(rows[i].text));
        sn_quote_powershell(&powershell, sn_slice_str(rows[i].text));
        assert_string_equal(sn_buf_str(&posix), rows[i].posix);
        assert_string_equal(sn_buf_str(&fish), rows[i].fish);
        assert_string_equal(sn_buf_str(&powershell), rows[i].powershell);
    }
}

static void sample(struct sn_credentials *credentials, const char *token)
{
    snprintf(credentials->access_key_id, sizeof(credentials->access_key_id), "ASIAEXAMPLE");
    sn_secret_set(&credentials->secret_access_key, SN_S("s3/cr+t"));
    sn_secret_set(&credentials->session_token, sn_slice_str(token));
    credentials->expires_unix_s = 1769940900; /* 2026-02-01T10:15:00Z */
}

static void export_formats(void **state)
{
    static const struct {
        const char *format, *text;
    } rows[] = {
        {"env", "export AWS_ACCESS_KEY_ID='ASIAEXAMPLE'\nexport AWS_SECRET_ACCESS_KEY='s3/cr+t'\n"
                "export AWS_SESSION_TOKEN='tok=='\nexport AWS_CREDENTIAL_EXPIRATION='2026-02-01T10:15:00Z'\n"
                "export AWS_REGION='eu-west-1'\nexport AWS_DEFAULT_REGION='eu-west-1'\n"},
        {"dotenv", "AWS_ACCESS_KEY_ID=ASIAEXAMPLE\nAWS_SECRET_ACCESS_KEY=s3/cr+t\nAWS_SESSION_TOKEN=tok==\n"
                   "AWS_CREDENTIAL_EXPIRATION=2026-02-01T10:15:00Z\nAWS_REGION=eu-west-1\n"
                   "AWS_DEFAULT_REGION=eu-west-1\n"},
        {"ini", "[dev]\naws_access_key_id=ASIAEXAMPLE\naws_secret_access_key=s3/cr+t\naws_session_token=tok==\n"
                "aws_credential_expiration=2026-02-01T10:15:00Z\nregion=eu-west-1\n"},
        {"fish", "set -gx AWS_ACCESS_KEY_ID 'ASIAEXAMPLE'\nset -gx AWS_SECRET_ACCESS_KEY 's3/cr+t'\n"
                 "set -gx AWS_SESSION_TOKEN 'tok=='\nset -gx AWS_CREDENTIAL_EXPIRATION '2026-02-01T10:15:00Z'\n"
                 "set -gx AWS_REGION 'eu-west-1'\nset -gx AWS_DEFAULT_REGION 'eu-west-1'\n"},
        {"powershell", "$Env:AWS_ACCESS_KEY_ID = 'ASIAEXAMPLE'\n$Env:AWS_SECRET_ACCESS_KEY = 's3/cr+t'\n"
                       "$Env:AWS_SESSION_TOKEN = 'tok=='\n"
                       "$Env:AWS_CREDENTIAL_EXPIRATION = '2026-02-01T10:15:00Z'\n$Env:AWS_REGION = 'eu-west-1'\n"
                       "$Env:AWS_DEFAULT_REGION = 'eu-west-1'\n"},
        {"json", "{\n  \"Version\": 1,\n  \"AccessKeyId\": \"ASIAEXAMPLE\",\n  \"SecretAccessKey\": \"s3/cr+t\",\n"
                 "  \"SessionToken\": \"tok==\",\n  \"Expiration\": \"2026-02-01T10:15:00Z\"\n}\n"},
    };
    (void)state;
    for (size_t i = 0; i < SN_LEN(rows); i++) {
        SN_AUTO(sn_credentials_clear) struct sn_credentials credentials = {0};
        SN_AUTO(sn_buf_clear) struct sn_buf out = {0};
        struct sn_error err;
        sample(&credentials, "tok==");
        assert_int_equal(sn_credentials_export(&out, rows[i].format, "dev", "eu-west-1", &credentials, &err), SN_OK);
        assert_string_equal(sn_buf_str(&out), rows[i].text);
    }
}

/* VLT-57: no value of a hostile server ends its quotes or its line. */
static void export_refuses_what_it_cannot_carry(void **state)
{
    static const struct {
        const char *format, *token;
        bool carried;
    } rows[] = {
        {"env", "'; touch pwned; '", true},
        {"fish", "'; touch pwned; '", true},
        {"powershell", "'; touch pwned; '", true},
        {"json", "'; touch pwned; '", true},
        {"dotenv", "'; touch pwned; '", false},
        {"ini", "x y", false},
        {"dotenv", "a#b", false},
        {"dotenv", "$HOME", false},
        {"env", "a\nb", false},
        {"ini", "a\nrole_arn=b", false},
        {"fish", "a\rb", false},
        {"powershell", "a\x7f", false},
    };
    (void)state;
    for (size_t i = 0; i < SN_LEN(rows); i++) {
        SN_AUTO(sn_credentials_clear) struct sn_credentials credentials = {0};
        SN_AUTO(sn_buf_clear) struct sn_buf out = {0};
        struct sn_error err = {0};
        sample(&credentials, rows[i].token);
        enum sn_status status = sn_credentials_export(&out, rows[i].format, "dev", NULL, &credentials, &err);
        assert_int_equal(status, rows[i].carried ? SN_OK : SN_PROTOCOL);
        if (!rows[i].carried) {
            assert_null(strstr(err.message, rows[i].token)); /* the value is not in the error */
        }
    }
}

static void pretty_json_keeps_strings(void **state)
{
    SN_AUTO(sn_credentials_clear) struct sn_credentials credentials = {0};
    SN_AUTO(sn_buf_clear) struct sn_buf out = {0};
    (void)state;

    sample(&credentials, "a\"}{,:\\");
    sn_credentials_json(&out, &credentials, true);
    assert_non_null(strstr(sn_buf_str(&out), "\"SessionToken\": \"a\\\"}{,:\\\\\",\n"));
}

/* --- Environment of a child --- */

static size_t count_of(char **env, const char *name, const char **out_value)
{
    size_t count = 0;
    size_t len = strlen(name);

    *out_value = NULL;
    for (; *env != NULL; env++) {
        if (strncmp(*env, name, len) == 0 && (*env)[len] == '=') {
            *out_value = *env + len + 1;
            count++;
        }
    }
    return count;
}

/* TVM-28: nothing that lends another identity stays, not even a second copy. */
static void child_environment(void **state)
{
    static const char *const parent[] = {"PATH=/bin", "AWS_ACCESS_KEY_ID=1", "AWS_SECRET_ACCESS_KEY=CANARY-1",
        "AWS_SESSION_TOKEN=3", "AWS_SECURITY_TOKEN=4", "AWS_CREDENTIAL_EXPIRATION=5", "AWS_CREDENTIAL_FILE=6",
        "AWS_PROFILE=7", "AWS_DEFAULT_PROFILE=8", "AWS_SDK_LOAD_CONFIG=9", "AWS_ROLE_ARN=10",
        "AWS_ROLE_SESSION_NAME=11", "AWS_WEB_IDENTITY_TOKEN_FILE=12", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI=13",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE=14", "SENTINEL_AUTH_TOKEN=15", "SENTINEL_UNIX_SOCKET=16",
        "AWS_CONFIG_FILE=/x", "AWS_SHARED_CREDENTIALS_FILE=/y", "AWS_PROFILE=again", "AWS_SECRET_ACCESS_KEY=CANARY-2",
        "AWS_REGION=old", "AWS_REGION=older", "NO_PROXY=corp.example", "AWS_PROFILES=kept", "novalue", "EMPTY=", NULL};
    static const char *const gone[] = {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN",
        "AWS_SECURITY_TOKEN", "AWS_CREDENTIAL_EXPIRATION", "AWS_CREDENTIAL_FILE", "AWS_PROFILE", "AWS_DEFAULT_PROFILE",
        "AWS_SDK_LOAD_CONFIG", "AWS_ROLE_ARN", "AWS_ROLE_SESSION_NAME", "AWS_WEB_IDENTITY_TOKEN_FILE",
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "SENTINEL_AUTH_TOKEN",
        "SENTINEL_UNIX_SOCKET"};
    static const struct {
        const char *name, *value;
    } set[] = {
        {"AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://127.0.0.1:4711/"},
        {"AWS_CONTAINER_AUTHORIZATION_TOKEN", "tok"},
        {"AWS_SENTINEL", "dev"},
        {"AWS_CONFIG_FILE", "/dev/null"},
        {"AWS_SHARED_CREDENTIALS_FILE", "/dev/null"},
        {"AWS_EC2_METADATA_DISABLED", "true"},
        {"SENTINEL_SESSION_ID", "ses-4g7kq2m9x0v5c8za"},
        {"AWS_REGION", "eu-west-1"},
        {"AWS_DEFAULT_REGION", "eu-west-1"},
        {"NO_PROXY", "corp.example,127.0.0.1,localhost"},
        {"no_proxy", "corp.example,127.0.0.1,localhost"},
        {"PATH", "/bin"},
        {"AWS_PROFILES", "kept"},
        {"EMPTY", ""},
    };
    struct sn_child_env_options options = {.profile = "dev",
        .session_id = "ses-4g7kq2m9x0v5c8za",
        .region = "eu-west-1",
        .port = 4711,
        .token = SN_S_INIT("tok")};
    const char *value;
    (void)state;

    char **env = sn_child_env_new(parent, &options);
    for (size_t i = 0; i < SN_LEN(gone); i++) {
        assert_int_equal(count_of(env, gone[i], &value), 0);
    }
    for (size_t i = 0; i < SN_LEN(set); i++) {
        print_message("# %s\n", set[i].name);
        assert_int_equal(count_of(env, set[i].name, &value), 1);
        assert_string_equal(value, set[i].value);
    }
    for (size_t i = 0; env[i] != NULL; i++) {
        assert_null(strstr(env[i], "CANARY"));
        assert_string_not_equal(env[i], "novalue");
    }
    sn_child_env_free(env);
}

static void child_environment_for_a_unix_socket(void **state)
{
    static const char *const parent[] = {"AWS_CONTAINER_CREDENTIALS_FULL_URI=http://x",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN=y", "AWS_REGION=kept", "no_proxy=a", "NO_PROXY=b", NULL};
    struct sn_child_env_options options = {
        .profile = "dev", .session_id = "ses-x", .unix_path = "/run/s", .token = SN_S_INIT("tok")};
    const char *value;
    (void)state;

    char **env = sn_child_env_new(parent, &options);
    assert_int_equal(count_of(env, "AWS_CONTAINER_CREDENTIALS_FULL_URI", &value), 0);
    assert_int_equal(count_of(env, "AWS_CONTAINER_AUTHORIZATION_TOKEN", &value), 0);
    assert_int_equal(count_of(env, "SENTINEL_UNIX_SOCKET", &value), 1);
    assert_string_equal(value, "/run/s");
    assert_int_equal(count_of(env, "SENTINEL_AUTH_TOKEN", &value), 1);
    assert_int_equal(count_of(env, "AWS_REGION", &value), 1);
    assert_string_equal(value, "kept");
    assert_int_equal(count_of(env, "no_proxy", &value), 1);
    assert_string_equal(value, "a,127.0.0.1,localhost");
    sn_child_env_free(env);
}

/* --- Reports --- */

static void report_as_text(void **state)
{
    SN_AUTO(sn_buf_clear) struct sn_buf out = {0};
    struct sn_error_report how = {.program = "sentinel", .failure = "no credentials for 'prod'"};
    struct sn_error err;
    (void)state;

    sn_fail(&err, SN_DENIED, "POLICY_DENY", "Access denied by policy: \"only\"\x1b[2J ops");
    sn_suggest(&err, "see why: sentinel explain prod");
    sn_error_detail(&err, "request_id", "4g7kq2m9x0v5c8za");
    sn_error_detail(&err, "http_status", "403");
    sn_error_detail(&err, "operation", "sts:AssumeRole");
    sn_report_text(&out, &how, &err);
    assert_string_equal(sn_buf_str(&out), "sentinel: error: no credentials for 'prod'\n"
                                          "  why:  POLICY_DENY: Access denied by policy: \"only\"\\u001b[2J ops\n"
                                          "  why:  operation: sts:AssumeRole\n"
                                          "  hint: see why: sentinel explain prod\n");
    sn_buf_reset(&out);
    how.failure = NULL;
    err.status = SN_UNAVAILABLE; /* somebody has to look into the server's log: the id is shown */
    sn_report_text(&out, &how, &err);
    assert_non_null(strstr(sn_buf_str(&out), "  why:  request: 4g7kq2m9x0v5c8za\n"));
}

static void report_as_json(void **state)
{
    SN_AUTO(sn_buf_clear) struct sn_buf out = {0};
    struct sn_error_report how = {.program = "sentinel"};
    struct sn_error err;
    (void)state;

    sn_fail(&err, SN_DENIED, "POLICY_DENY", "Access denied by policy");
    sn_suggest(&err, "hint \"here\"");
    sn_error_detail(&err, "request_id", "4g7kq2m9x0v5c8za");
    sn_error_detail(&err, "operation", "x");
    sn_report_json(&out, &how, &err);
    assert_string_equal(sn_buf_str(&out),
        "{\"error\":{\"code\":\"POLICY_DENY\",\"message\":\"Access denied by policy\",\"hint\":\"hint \\\"here\\\"\","
        "\"context\":{\"operation\":\"x\"},\"retryable\":false,\"request_id\":\"4g7kq2m9x0v5c8za\"}}\n");
}

/* AUD-37, TVM-32: the exit code follows from the error's code. */
static void exit_codes(void **state)
{
    static const struct {
        const char *code;
        enum sn_status status;
        int exit_code;
    } rows[] = {
        {"POLICY_DENY", SN_DENIED, 1},
        {"UNKNOWN_PROFILE", SN_NOT_FOUND, 1},
        {"SESSION_REVOKED", SN_DENIED, 1},
        {"DEVICE_REQUIRED", SN_DENIED, 1},
        {"CALLER_NOT_ALLOWED", SN_DENIED, 1},
        {"APPROVAL_REQUIRED", SN_DENIED, 1},
        {"SESSION_NOT_FOUND", SN_NOT_FOUND, 1},
        {"SSM_PARAMETER_NOT_FOUND", SN_NOT_FOUND, 1},
        {"AMBIGUOUS_ID", SN_CONFLICT, 1},
        {"INVALID_PROFILE", SN_INVALID, 2},
        {"INVALID_DURATION", SN_INVALID, 2},
        {"UNKNOWN_OPTION", SN_USAGE, 2},
        {"TVM_NOT_CONFIGURED", SN_USAGE, 2},
        {"LOG_KEY_INVALID", SN_INVALID, 2},
        {"CONFIG_INVALID_REGION", SN_INVALID, 2},
        {"INVALID_IDENTITY", SN_INVALID, 3},
        {"IAM_AUTH_REQUIRED", SN_DENIED, 3},
        {"PROOF_EXPIRED", SN_UNAUTHENTICATED, 3},
        {"PROOF_MALFORMED", SN_INVALID, 3},
        {"TICKET_INVALID", SN_UNAUTHENTICATED, 3},
        {"RATE_LIMITED", SN_THROTTLED, 3},
        {"CONCURRENT_MODIFICATION", SN_CONFLICT, 3},
        {"REQUEST_TIMEOUT", SN_TIMEOUT, 3},
        {"AUDIT_UNAVAILABLE", SN_UNAVAILABLE, 3},
        {"TVM_UNREACHABLE", SN_UNAVAILABLE, 3},
        {"CONFIG_MISSING_CREDENTIALS", SN_NOT_FOUND, 3},
        {"GATEWAY_FORBIDDEN", SN_DENIED, 3},
        {"SOMETHING_NEW", SN_INTERNAL, 3},
        {"FILE_PERMISSIONS", SN_DENIED, 3},
    };
    (void)state;
    for (size_t i = 0; i < SN_LEN(rows); i++) {
        struct sn_error err;
        sn_fail(&err, rows[i].status, rows[i].code, "x");
        print_message("# %s\n", rows[i].code);
        assert_int_equal(sn_exit_code_of(&err), rows[i].exit_code);
    }
    struct sn_error pending;
    sn_fail(&pending, SN_DENIED, "APPROVAL_REQUIRED", "x");
    sn_error_detail(&pending, "pending_request", "req-9f3k7m2x5c8v1b4n");
    assert_int_equal(sn_exit_code_of(&pending), 4);
}

/* AUD-37: whatever the code and the status, there is something to do next. */
static void every_error_has_a_hint(void **state)
{
    static const char *const codes[] = {"POLICY_DENY", "CONFIG_INVALID_REGION", "CONFIG_PROFILE_NOT_FOUND",
        "CONFIG_MISSING_CREDENTIALS", "TVM_UNREACHABLE", "TVM_NOT_CONFIGURED", "STS_REFUSED", "STS_ERROR",
        "LOG_KEY_INVALID", "LOG_UNREADABLE", "LOG_EMPTY", "ANCHOR_UNREADABLE", "ANCHOR_UNWRITABLE", "OUTPUT_FAILED",
        "SOMETHING_NEW"};
    (void)state;
    for (size_t i = 0; i < SN_LEN(codes); i++) {
        for (int status = SN_USAGE; status <= SN_INTERNAL; status++) {
            struct sn_error err;
            sn_fail(&err, (enum sn_status)status, codes[i], "x");
            sn_report_hint("sentinel", "audit verify-logs", &err);
            assert_true(err.suggestion[0] != '\0');
            assert_int_equal(err.status, status);
        }
    }
    struct sn_error err;
    sn_fail(&err, SN_INVALID, "X", "x");
    sn_report_hint("sentinel", "audit verify-logs", &err);
    assert_string_equal(err.suggestion, "mend it, or see 'sentinel audit verify-logs --help'");
    sn_fail(&err, SN_USAGE, "X", "x");
    sn_report_hint("sentinel", NULL, &err);
    assert_string_equal(err.suggestion, "see 'sentinel --help'");
    sn_suggest(&err, "its own");
    sn_report_hint("sentinel", NULL, &err);
    assert_string_equal(err.suggestion, "its own");
}

/* --- Completion --- */

static void profiles_of_an_aws_config(void **state)
{
    SN_AUTO(sn_buf_clear) struct sn_buf out = {0};
    (void)state;

    sn_complete_aws_profiles(&out,
        SN_S("[default]\nregion=x\n[profile dev]\n # [profile comment]\n[ profile  ops ]\r\n[sso-session corp]\n"
             "[profile \"quoted\"]\n[profile two words]\n[profile]\n[plain]\nkey = [profile no]\n[profile open\n"));
    assert_string_equal(sn_buf_str(&out), "default\ndev\nops\nquoted\n");
}

static const char *no_env(void *ctx, const char *name)
{
    (void)ctx;
    (void)name;
    return NULL;
}

static const char *const colors[] = {"red", "green", NULL};
static const struct sn_opt paint_opts[] = {{.name = "color-of", .kind = SN_OPT_CHOICE, .choices = colors, .help = "x"},
    {.name = "file", .letter = 'f', .kind = SN_OPT_STRING, .words = SN_WORDS_FILES, .help = "x"},
    {.name = "old", .flags = SN_OPT_REMOVED, .help = "x"}, {.name = "alias", .flags = SN_OPT_HIDDEN, .help = "x"}, {0}};
static const struct sn_cmd paint_cmd = {
    .name = "paint", .opts = paint_opts, .max_operands = 1, .operand_choices = colors, .takes_command = true};
static const struct sn_cmd audit_a = {.name = "audit verify"}, audit_b = {.name = "audit verify-logs"};
static const struct sn_cmd secret_cmd = {.name = "pa-hidden", .hidden = true};
static const struct sn_cmd *const some_commands[] = {&paint_cmd, &audit_a, &audit_b, &secret_cmd, NULL};

static void candidates(void **state)
{
    static const struct {
        const char *words[6];
        enum sn_complete_answer answer;
        const char *lines;
    } rows[] = {
        {{""}, SN_COMPLETE_WORDS, "paint\naudit\n"},
        {{"pa"}, SN_COMPLETE_WORDS, "paint\n"},
        {{"audit", ""}, SN_COMPLETE_WORDS, "verify\nverify-logs\n"},
        {{"audit", "verify-"}, SN_COMPLETE_WORDS, "verify-logs\n"},
        {{"paint", "--"}, SN_COMPLETE_WORDS, "--color-of\n--file\n--json\n--quiet\n--color\n--help\n"},
        {{"paint", "--color-"}, SN_COMPLETE_WORDS, "--color-of\n"},
        {{"paint", "--color-of", ""}, SN_COMPLETE_WORDS, "red\ngreen\n"},
        {{"paint", "--color-of=g"}, SN_COMPLETE_WORDS, "green\n"},
        {{"paint", "--file", ""}, SN_COMPLETE_FILES, ""},
        {{"paint", "-f", ""}, SN_COMPLETE_FILES, ""},
        {{"paint", "g"}, SN_COMPLETE_WORDS, "green\n"},
        {{"paint", "green", ""}, SN_COMPLETE_WORDS, ""},
        {{"paint", "--", ""}, SN_COMPLETE_COMMAND, ""},
        {{"paint", "--", "aws", "--"}, SN_COMPLETE_COMMAND, ""},
        {{"nonsense", ""}, SN_COMPLETE_WORDS, ""},
    };
    static const struct sn_env env = {no_env, NULL};
    (void)state;
    for (size_t i = 0; i < SN_LEN(rows); i++) {
        SN_AUTO(sn_buf_clear) struct sn_buf out = {0};
        size_t count = 0;
        while (count < SN_LEN(rows[i].words) && rows[i].words[count] != NULL) {
            count++;
        }
        print_message("# %s %s\n", rows[i].words[0], count > 1 ? rows[i].words[1] : "");
        assert_int_equal(sn_complete(some_commands, &env, rows[i].words, count, &out), rows[i].answer);
        assert_string_equal(sn_buf_str(&out), rows[i].lines);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quoting),
        cmocka_unit_test(export_formats),
        cmocka_unit_test(export_refuses_what_it_cannot_carry),
        cmocka_unit_test(pretty_json_keeps_strings),
        cmocka_unit_test(child_environment),
        cmocka_unit_test(child_environment_for_a_unix_socket),
        cmocka_unit_test(report_as_text),
        cmocka_unit_test(report_as_json),
        cmocka_unit_test(exit_codes),
        cmocka_unit_test(every_error_has_a_hint),
        cmocka_unit_test(profiles_of_an_aws_config),
        cmocka_unit_test(candidates),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
