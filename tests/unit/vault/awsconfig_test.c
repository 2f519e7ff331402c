/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vault/awsconfig.c: the grammar of the AWS files, its limits, and who may change a file that names commands (ATK-29).
 */
#include "test.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/env.h"
#include "base/fs.h"
#include "vault/awsconfig.h"

static struct sn_awsconfig *must_parse(const char *text, enum sn_awsconfig_kind kind)
{
    struct sn_awsconfig *config = NULL;
    struct sn_error err;

    assert_ok(sn_awsconfig_parse(sn_slice_str(text), "cfg", kind, &config, &err), &err);
    return config;
}

/* The value of a key in a profile; NULL when it is not there. */
static void assert_value(const char *text, const char *profile, const char *key, const char *expected)
{
    SN_AUTO(sn_awsconfig_free_p) struct sn_awsconfig *config = must_parse(text, SN_AWSCONFIG_CONFIG);
    const struct sn_awsconfig_section *section = sn_awsconfig_find(config, SN_AWSCONFIG_PROFILE, sn_slice_str(profile));
    const struct sn_awsconfig_setting *setting = sn_awsconfig_get(section, key);

    if (expected == NULL) {
        assert_null(setting);
        return;
    }
    assert_non_null(setting);
    assert_slice_equal(setting->value, expected);
}

static void grammar(void **state)
{
    (void)state;
    static const struct {
        const char *name, *text, *profile, *key, *value;
    } rows[] = {
        {"plain", "[profile a]\nregion = eu-west-1\n", "a", "region", "eu-west-1"},
        {"no blanks, no last newline", "[profile a]\nregion=eu-west-1", "a", "region", "eu-west-1"},
        {"CRLF and BOM", "\xef\xbb\xbf[default]\r\nregion = x\r\n", "default", "region", "x"},
        {"keys fold", "[profile a]\nRole_Arn = x\n", "a", "role_arn", "x"},
        {"section names do not", "[DEFAULT]\nregion = x\n", "default", "region", NULL},
        {"quoted name", "[profile \"my profile\"]\nregion = x\n", "my profile", "region", "x"},
        {"tab before the name", "[profile\ta]\nregion = x\n", "a", "region", "x"},
        {"comment behind the section", "[profile a] # c\nregion = x\n", "a", "region", "x"},
        {"profile default wins", "[default]\nregion = x\n[profile default]\nregion = y\n", "default", "region", "y"},
        {"profile default wins, first", "[profile default]\nregion = y\n[default]\nregion = x\n", "default", "region",
            "y"},
        {"repeated sections merge", "[profile a]\nregion = x\n[profile b]\n[profile a]\nrole_arn = y\n", "a", "region",
            "x"},
        {"the later key wins", "[profile a]\nregion = x\nregion = y\n", "a", "region", "y"},
        {"comment lines", "# a\n; b\n[profile a]\n  # c\nregion = x\n", "a", "region", "x"},
        {"inline comment", "[profile a]\nregion = x # c\n", "a", "region", "x"},
        {"hash without a blank", "[profile a]\nsso_start_url = https://x/start#/\n", "a", "sso_start_url",
            "https://x/start#/"},
        {"only a comment", "[profile a]\nregion = # c\n", "a", "region", ""},
        {"quotes around all", "[profile a]\nregion = \"x # y\" # c\n", "a", "region", "x # y"},
        {"quotes in the middle", "[profile a]\ncredential_process = \"/a b\" c\n", "a", "credential_process",
            "\"/a b\" c"},
        {"backslash is literal", "[profile a]\nregion = a\\\n", "a", "region", "a\\"},
        {"equals sign in the value", "[profile a]\nx = a=b\n", "a", "x", "a=b"},
        {"nested settings are apart", "[profile a]\ns3 =\n  region = inner\nregion = outer\n", "a", "region", "outer"},
        {"nested only", "[profile a]\ns3 =\n  region = inner\n", "a", "region", NULL},
        {"indented section body", "[profile a]\n  region = x\n  output = json\n", "a", "output", "json"},
        {"other sections are skipped", "[plugins]\nregion = x\n[profile a]\nregion = y\n", "a", "region", "y"},
        {"profile without a name", "[profile ]\nregion = x\n", "", "region", NULL},
        {"bare name in the config", "[a]\nregion = x\n", "a", "region", NULL},
        {"sso-session is no profile", "[sso-session a]\nregion = x\n", "a", "region", NULL},
        {"empty file", "", "a", "region", NULL},
    };

    for (size_t i = 0; i < SN_LEN(rows); i++) {
        print_message("# %s\n", rows[i].name);
        assert_value(rows[i].text, rows[i].profile, rows[i].key, rows[i].value);
    }
}

static void attack_29_bad_lines(void **state)
{
    (void)state;
    static const struct {
        const char *name, *text;
        size_t len;
        const char *message;
    } rows[] = {
        {"no pair", "[profile a]\nregion\n", 0, "cfg:2: neither a section, nor a setting 'key = value', nor a comment"},
        {"no key", "[profile a]\n= x\n", 0, "cfg:2: a setting without a key"},
        {"before any section", "\nregion = x\n", 0, "cfg:2: a setting before the first section"},
        {"unterminated", "[profile a\n", 0, "cfg:1: a section without its closing ']'"},
        {"text behind", "[profile a]x\n", 0, "cfg:1: text behind a section's ']'"},
        {"NUL", "[profile a]\nregion = a\0b\n", 25, "cfg:2: a NUL byte"},
        {"continued line", "[profile a]\nx = 1\n  more\n", 0,
            "cfg:3: neither a section, nor a setting 'key = value', nor a comment"},
    };

    for (size_t i = 0; i < SN_LEN(rows); i++) {
        SN_AUTO(sn_awsconfig_free_p) struct sn_awsconfig *config = NULL;
        struct sn_slice text = {rows[i].text, rows[i].len > 0 ? rows[i].len : strlen(rows[i].text)};
        struct sn_error err;

        print_message("# %s\n", rows[i].name);
        assert_fails(sn_awsconfig_parse(text, "cfg", SN_AWSCONFIG_CONFIG, &config, &err), &err, "CONFIG_INVALID");
        assert_string_equal(err.message, rows[i].message);
        assert_null(config);
    }
}

static void attack_29_limits(void **state)
{
    (void)state;
    SN_AUTO(sn_awsconfig_free_p) struct sn_awsconfig *config = NULL;
    SN_AUTO(sn_buf_clear) struct sn_buf text = {0};
    struct sn_error err;

    sn_buf_add_str(&text, "[profile a]\nx = ");
    while (text.len < 12 + SN_AWSCONFIG_MAX_LINE) {
        sn_buf_add_byte(&text, 'x');
    }
    assert_ok(sn_awsconfig_parse(sn_buf_slice(&text), "cfg", SN_AWSCONFIG_CONFIG, &config, &err), &err);
    sn_buf_add_byte(&text, 'x');
    assert_fails(
        sn_awsconfig_parse(sn_buf_slice(&text), "cfg", SN_AWSCONFIG_CONFIG, &config, &err), &err, "CONFIG_INVALID");
    sn_buf_reset(&text);
    while (text.len <= SN_AWSCONFIG_MAX_BYTES) {
        sn_buf_add_str(&text, "# 34567\n");
    }
    assert_fails(
        sn_awsconfig_parse(sn_buf_slice(&text), "cfg", SN_AWSCONFIG_CONFIG, &config, &err), &err, "CONFIG_INVALID");
    sn_buf_reset(&text);
    for (int i = 0; i <= SN_AWSCONFIG_MAX_SECTIONS; i++) {
        sn_buf_addf(&text, "[profile %d]\n", i);
    }
    assert_fails(
        sn_awsconfig_parse(sn_buf_slice(&text), "cfg", SN_AWSCONFIG_CONFIG, &config, &err), &err, "CONFIG_INVALID");
    sn_buf_reset(&text);
    sn_buf_add_str(&text, "[profile a]\n");
    for (int i = 0; i <= SN_AWSCONFIG_MAX_SETTINGS; i++) {
        sn_buf_add_str(&text, "a=b\n");
    }
    assert_fails(
        sn_awsconfig_parse(sn_buf_slice(&text), "cfg", SN_AWSCONFIG_CONFIG, &config, &err), &err, "CONFIG_INVALID");
}

/* Keys are secrets from the parser on; in the credentials file names are bare. */
static void credentials_file(void **state)
{
    (void)state;
    SN_AUTO(sn_awsconfig_free_p)
    struct sn_awsconfig *config =
        must_parse("[a]\naws_access_key_id = AKIA\naws_secret_access_key = CANARY-s\naws_session_token=CANARY-t\n"
                   "[profile b]\nx = y\n",
            SN_AWSCONFIG_CREDENTIALS);
    const struct sn_awsconfig_section *a = sn_awsconfig_find(config, SN_AWSCONFIG_PROFILE, SN_S("a"));

    assert_int_equal(sn_awsconfig_count(config), 2);
    assert_slice_equal(sn_awsconfig_get(a, "aws_access_key_id")->value, "AKIA");
    assert_int_equal(sn_awsconfig_get(a, "aws_secret_access_key")->value.len, 0);
    assert_slice_equal(sn_secret_reveal(&sn_awsconfig_get(a, "aws_secret_access_key")->secret), "CANARY-s");
    assert_slice_equal(sn_secret_reveal(&sn_awsconfig_get(a, "aws_session_token")->secret), "CANARY-t");
    assert_non_null(sn_awsconfig_find(config, SN_AWSCONFIG_PROFILE, SN_S("profile b")));
}

struct pairs {
    const char *names[3], *values[3];
};

static const char *get_pair(void *ctx, const char *name)
{
    const struct pairs *p = ctx;

    for (size_t i = 0; i < 3; i++) {
        if (p->names[i] != NULL && strcmp(p->names[i], name) == 0) {
            return p->values[i];
        }
    }
    return NULL;
}

static void locations(void **state)
{
    (void)state;
    static const struct {
        struct pairs env;
        enum sn_awsconfig_kind kind;
        const char *path;
    } rows[] = {
        {{{"HOME"}, {"/h/a"}}, SN_AWSCONFIG_CONFIG, "/h/a/.aws/config"},
        {{{"HOME"}, {"/h/a"}}, SN_AWSCONFIG_CREDENTIALS, "/h/a/.aws/credentials"},
        {{{"HOME", "AWS_CONFIG_FILE"}, {"/h/a", "/x/y"}}, SN_AWSCONFIG_CONFIG, "/x/y"},
        {{{"HOME", "AWS_SHARED_CREDENTIALS_FILE"}, {"/h/a", "~/z"}}, SN_AWSCONFIG_CREDENTIALS, "/h/a/z"},
        {{{NULL}, {NULL}}, SN_AWSCONFIG_CONFIG, NULL},
    };

    for (size_t i = 0; i < SN_LEN(rows); i++) {
        struct pairs pairs = rows[i].env;
        const struct sn_env env = {.get = get_pair, .ctx = &pairs};
        char path[SN_AWSCONFIG_PATH_MAX];
        struct sn_error err;

        if (rows[i].path == NULL) {
            assert_fails(sn_awsconfig_path(&env, rows[i].kind, path, &err), &err, "CONFIG_INVALID");
        } else {
            assert_ok(sn_awsconfig_path(&env, rows[i].kind, path, &err), &err);
            assert_string_equal(path, rows[i].path);
        }
    }
}

static void missing_file_is_empty(void **state)
{
    (void)state;
    SN_AUTO(sn_awsconfig_free_p) struct sn_awsconfig *config = NULL;
    struct sn_error err;

    assert_ok(sn_awsconfig_load("/nonexistent/config", SN_AWSCONFIG_CONFIG, &config, &err), &err);
    assert_int_equal(sn_awsconfig_count(config), 0);
}

/* A file or directory that others can change names no command that is run. */
static void attack_29_trust(void **state)
{
    (void)state;
    static const struct {
        mode_t file, dir;
        bool good;
    } rows[] = {
        {0600, 0700, true}, {0644, 0755, true}, {0606, 0700, false}, {0602, 0700, false}, {0600, 0703, false},
        {0600, 01777, true}, /* the sticky bit keeps others from replacing the file */
    };
    char dir[] = "/tmp/sn-trust-XXXXXX";
    char path[64];

    assert_non_null(mkdtemp(dir));
    (void)snprintf(path, sizeof(path), "%s/config", dir);
    int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    (void)close(fd);
    for (size_t i = 0; i < SN_LEN(rows); i++) {
        struct sn_error err;
        assert_int_equal(chmod(path, rows[i].file), 0);
        assert_int_equal(chmod(dir, rows[i].dir), 0);
        SN_AUTO(sn_awsconfig_free_p) struct sn_awsconfig *config = NULL;
        assert_ok(sn_awsconfig_load(path, SN_AWSCONFIG_CONFIG, &config, &err), &err);
        if (rows[i].good) {
            assert_ok(sn_awsconfig_check_trust(config, &err), &err);
        } else {
            assert_fails(sn_awsconfig_check_trust(config, &err), &err, "CONFIG_INVALID");
            assert_non_null(strstr(err.suggestion, "chmod"));
        }
    }
    /* What counts is the file that was read, not the one that stands at its path by now. */
    SN_AUTO(sn_awsconfig_free_p) struct sn_awsconfig *config = NULL;
    struct sn_error err;
    assert_int_equal(chmod(dir, 0700), 0);
    assert_int_equal(chmod(path, 0606), 0);
    assert_ok(sn_awsconfig_load(path, SN_AWSCONFIG_CONFIG, &config, &err), &err);
    assert_int_equal(unlink(path), 0);
    fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    (void)close(fd);
    assert_fails(sn_awsconfig_check_trust(config, &err), &err, "CONFIG_INVALID");
    (void)unlink(path);
    (void)rmdir(dir);
    sn_awsconfig_free_p(&config);
    assert_ok(sn_awsconfig_load(path, SN_AWSCONFIG_CONFIG, &config, &err), &err);
    assert_fails(sn_awsconfig_check_trust(config, &err), &err, "CONFIG_INVALID");
}

/* Every file of the published corpus is read or refused, as a config and as a credentials file. */
static void published_corpus(void **state)
{
    (void)state;
    static const char *const folders[] = {"parse_config_profile", "parse_credentials_profile"};
    const char *data = sn_env_get("SENTINEL_TEST_DATA");
    size_t files = 0;

    for (size_t i = 0; i < SN_LEN(folders); i++) {
        char folder[1024];
        (void)snprintf(
            folder, sizeof(folder), "%s/aws-config-corpus/%s", data != NULL ? data : "../shared/data", folders[i]);
        DIR *dir = opendir(folder);
        if (dir == NULL) {
            print_message("# SKIPPED: no corpus at %s; set SENTINEL_TEST_DATA\n", folder);
            skip();
        }
        for (struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir)) {
            SN_AUTO(sn_buf_clear) struct sn_buf text = {0};
            SN_AUTO(sn_awsconfig_free_p) struct sn_awsconfig *config = NULL;
            char path[2048];
            struct sn_error err;
            (void)snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
            if (entry->d_name[0] == '.' || sn_fs_read(path, SN_AWSCONFIG_MAX_BYTES, &text, &err) != SN_OK) {
                continue;
            }
            files++;
            if (sn_awsconfig_parse(sn_buf_slice(&text), entry->d_name,
                    i == 0 ? SN_AWSCONFIG_CONFIG : SN_AWSCONFIG_CREDENTIALS, &config, &err) != SN_OK) {
                assert_string_equal(err.code, "CONFIG_INVALID");
            }
        }
        (void)closedir(dir);
    }
    assert_true(files > 40);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(grammar),
        cmocka_unit_test(attack_29_bad_lines),
        cmocka_unit_test(attack_29_limits),
        cmocka_unit_test(credentials_file),
        cmocka_unit_test(locations),
        cmocka_unit_test(missing_file_is_empty),
        cmocka_unit_test(attack_29_trust),
        cmocka_unit_test(published_corpus),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
