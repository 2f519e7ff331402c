/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vault/process_credentials.c: splitting without a shell, the answer's form, and real children that misbehave.
 */
#include "test.h"

#include <poll.h>
#include <stdio.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/parse.h"
#include "vault/process_credentials.h"

enum { NOW = 1769940000 };

static const char *plain_env(void *ctx, const char *name)
{
    if (strcmp(name, "PATH") == 0) {
        return "/usr/bin:/bin";
    }
    if (strcmp(name, "AWS_SECRET_ACCESS_KEY") == 0) {
        return "CANARY-secret";
    }
    return strcmp(name, "SENTINEL_CP_PROFILES") == 0 ? ctx : NULL;
}

static void splitting(void **state)
{
    (void)state;
    static const struct {
        const char *command, *joined; /* words joined by '|'; NULL: refused */
    } rows[] = {
        {"a b  c", "a|b|c"},
        {"\ta ", "a"},
        {"'/x y/z' -p 'a\\b'", "/x y/z|-p|a\\b"},
        {"\"/x y\" \"a \\\"b\\\" \\\\ \\n\"", "/x y|a \"b\" \\ \\n"},
        {"a\\ b c", "a b|c"},
        {"a''b \"\"", "ab|"},
        {"a;rm -rf $HOME `x` | y > z", "a;rm|-rf|$HOME|`x`|||y|>|z"},
        {"'a", NULL},
        {"\"a", NULL},
        {"  ", NULL},
        {"1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 "
         "5 "
         "6 7 8 9 0 1 2 3 4 5",
            NULL},
    };

    for (size_t i = 0; i < SN_LEN(rows); i++) {
        SN_AUTO(sn_arena_clear) struct sn_arena arena = {0};
        SN_AUTO(sn_buf_clear) struct sn_buf joined = {0};
        char *words[SN_PROCESS_MAX_WORDS + 1] = {0};
        struct sn_error err;

        print_message("# %s\n", rows[i].command);
        if (rows[i].joined == NULL) {
            assert_fails(sn_process_split(sn_slice_str(rows[i].command), &arena, words, &err), &err, "CONFIG_INVALID");
            continue;
        }
        assert_ok(sn_process_split(sn_slice_str(rows[i].command), &arena, words, &err), &err);
        for (size_t w = 0; words[w] != NULL; w++) {
            sn_buf_addf(&joined, "%s%s", w > 0 ? "|" : "", words[w]);
        }
        assert_string_equal(sn_buf_str(&joined), rows[i].joined);
    }
}

static void answers(void **state)
{
    (void)state;
    static const struct {
        const char *text, *problem; /* NULL: good */
        int64_t expires;
    } rows[] = {
        {"{\"Version\":1,\"AccessKeyId\":\"AKIA\",\"SecretAccessKey\":\"s\"}", NULL, 0},
        {"{\"AccessKeyId\":\"AKIA\",\"SecretAccessKey\":\"s\",\"SessionToken\":\"t\",\"Expiration\":"
         "\"2026-02-01T11:00:00Z\",\"Extra\":1}\n",
            NULL, 1769943600},
        {"{\"AccessKeyId\":\"AKIA\",\"SecretAccessKey\":\"s\",\"SessionToken\":null}", NULL, 0},
        {"{\"Version\":2,\"AccessKeyId\":\"AKIA\",\"SecretAccessKey\":\"s\"}", "Version other than 1", 0},
        {"{\"Version\":\"1\",\"AccessKeyId\":\"AKIA\",\"SecretAccessKey\":\"s\"}", "Version other than 1", 0},
        {"{\"SecretAccessKey\":\"CANARY\"}", "did not answer with AccessKeyId", 0},
        {"{\"AccessKeyId\":\"AKIA\"}", "did not answer with SecretAccessKey", 0},
        {"{\"AccessKeyId\":\"AKIA\",\"SecretAccessKey\":7}", "no text: SecretAccessKey", 0},
        {"{\"AccessKeyId\":\"A\\nB\",\"SecretAccessKey\":\"CANARY\"}", "a key that is none", 0},
        {"{\"AccessKeyId\":\"AKIA\",\"SecretAccessKey\":\"CANARY\",\"Expiration\":\"2026-02-01T10:00:00Z\"}",
            "have expired", 0},
        {"{\"AccessKeyId\":\"AKIA\",\"SecretAccessKey\":\"CANARY\",\"Expiration\":\"soon\"}", "is no time", 0},
        {"[]", "JSON object", 0},
        {"CANARY\x1b[31m", "JSON object", 0},
        {"", "JSON object", 0},
    };

    for (size_t i = 0; i < SN_LEN(rows); i++) {
        SN_AUTO(sn_credentials_clear) struct sn_credentials keys = {0};
        struct sn_error err;

        print_message("# row %zu\n", i);
        if (rows[i].problem == NULL) {
            assert_ok(sn_process_parse(sn_slice_str(rows[i].text), NOW, &keys, &err), &err);
            assert_string_equal(keys.access_key_id, "AKIA");
            assert_int_equal(keys.expires_unix_s, rows[i].expires);
        } else {
            assert_fails(
                sn_process_parse(sn_slice_str(rows[i].text), NOW, &keys, &err), &err, "CREDENTIAL_PROCESS_FAILED");
            assert_non_null(strstr(err.message, rows[i].problem));
            assert_null(strstr(err.message, "CANARY"));
        }
    }
}

static enum sn_status run(
    const char *command, const char *guard, int timeout_ms, struct sn_credentials *keys, struct sn_error *err)
{
    char guard_copy[64];
    const struct sn_env env = {.get = plain_env, .ctx = guard == NULL ? NULL : guard_copy};

    (void)snprintf(guard_copy, sizeof(guard_copy), "%s", guard == NULL ? "" : guard);
    return sn_process_credentials(SN_S("p"), sn_slice_str(command), &env, NOW, timeout_ms, keys, err);
}

static void children(void **state)
{
    (void)state;
    static const struct {
        const char *name, *command, *guard, *code, *says;
        int timeout_ms;
    } rows[] = {
        {"good", "printf '{\"AccessKeyId\":\"AKIA\",\"SecretAccessKey\":\"s\"}'", NULL, NULL, NULL, 0},
        {"environment is closed",
            "/bin/sh -c 'test -z \"$AWS_SECRET_ACCESS_KEY\" && test \"$SENTINEL_CP_PROFILES\" = p && "
            "printf \"{\\\"AccessKeyId\\\":\\\"AKIA\\\",\\\"SecretAccessKey\\\":\\\"s\\\"}\"'",
            NULL, NULL, NULL, 0},
        {"no input", "/bin/sh -c 'test -z \"$(cat)\" || exit 3; exit 4'", NULL, "CREDENTIAL_PROCESS_FAILED", "code 4",
            0},
        {"no such program", "/nonexistent/helper", NULL, "CREDENTIAL_PROCESS_FAILED", "no such program", 0},
        {"complains", "/bin/sh -c 'printf \"\\n\\033[31mno login\\n\" >&2; exit 7'", NULL, "CREDENTIAL_PROCESS_FAILED",
            "ended with code 7: \\u001b[31mno login", 0},
        {"killed", "/bin/sh -c 'kill -9 $$'", NULL, "CREDENTIAL_PROCESS_FAILED", "ended by signal 9", 0},
        {"too much", "head -c 70000 /dev/zero", NULL, "CREDENTIAL_PROCESS_FAILED", "more than 64 KiB", 0},
        {"complains without end", "/bin/sh -c 'head -c 300000 /dev/zero >&2; exit 2'", NULL,
            "CREDENTIAL_PROCESS_FAILED", "code 2", 0},
        {"hangs", "sleep 60", NULL, "CREDENTIAL_PROCESS_FAILED", "in time", 50},
        {"closes its output and hangs", "/bin/sh -c 'exec >&-; exec sleep 60'", NULL, "CREDENTIAL_PROCESS_FAILED",
            "in time", 200},
        {"calls itself", "printf x", "a\np\nb", "CONFIG_INVALID", "calls itself", 0},
    };

    for (size_t i = 0; i < SN_LEN(rows); i++) {
        SN_AUTO(sn_credentials_clear) struct sn_credentials keys = {0};
        struct sn_error err;

        print_message("# %s\n", rows[i].name);
        if (rows[i].code == NULL) {
            assert_ok(run(rows[i].command, rows[i].guard, rows[i].timeout_ms, &keys, &err), &err);
            assert_string_equal(keys.access_key_id, "AKIA");
        } else {
            assert_fails(run(rows[i].command, rows[i].guard, rows[i].timeout_ms, &keys, &err), &err, rows[i].code);
            if (strstr(err.message, rows[i].says) == NULL) {
                fail_msg("'%s' does not say '%s'", err.message, rows[i].says);
            }
        }
    }
}

/* True once no process has that number any more, or one that has ended and waits to be reaped. */
static bool has_ended(long pid)
{
    char path[64];

    (void)snprintf(path, sizeof(path), "/proc/%ld/stat", pid);
    for (int i = 0; i < 1000; i++) {
        SN_AUTO(sn_buf_clear) struct sn_buf stat = {0};
        struct sn_error gone;
        if (sn_fs_read(path, 4096, &stat, &gone) != SN_OK || strstr(sn_buf_str(&stat), ") Z ") != NULL) {
            return true;
        }
        (void)poll(NULL, 0, 5);
    }
    return false;
}

/* What a process that is given up has started does not stay behind. */
static void grandchildren(void **state)
{
    (void)state;
    SN_AUTO(sn_credentials_clear) struct sn_credentials keys = {0};
    SN_AUTO(sn_buf_clear) struct sn_buf numbers = {0};
    char path[] = "/tmp/sn-grandchildren-XXXXXX";
    char command[256];
    struct sn_error err;
    struct sn_slice rest;
    struct sn_slice line;
    size_t count = 0;

    int fd = mkstemp(path);
    assert_true(fd >= 0);
    (void)close(fd);
    (void)snprintf(command, sizeof(command),
        "/bin/sh -c 'sleep 60 & echo $! >> %s; /bin/sh -c \"sleep 60 & echo \\$! >> %s; wait\" & wait'", path, path);
    assert_fails(run(command, NULL, 300, &keys, &err), &err, "CREDENTIAL_PROCESS_FAILED");
    assert_ok(sn_fs_read(path, 4096, &numbers, &err), &err);
    (void)unlink(path);
    rest = sn_buf_slice(&numbers);
    while (sn_slice_next(&rest, '\n', &line)) {
        int64_t pid = 0;
        assert_ok(sn_parse_int(line, 2, INT32_MAX, &pid, &err), &err);
        assert_true(has_ended((long)pid));
        count++;
    }
    assert_int_equal(count, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(splitting),
        cmocka_unit_test(answers),
        cmocka_unit_test(children),
        cmocka_unit_test(grandchildren),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
