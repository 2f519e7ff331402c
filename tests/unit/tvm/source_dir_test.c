/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/unit/tvm/source_dir_test.c - catalogue and policies from a directory: layout, trust, cache, changes.
 */
#include "test.h"

#include <dirent.h>
#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fs.h"
#include "store/zoneinfo.h"
#include "tvm/documents.h"
#include "tvm/source_dir.h"

#define ENTRY(name) "  " name ": {role_arn: \"arn:aws:iam::123456789012:role/SentinelProtected-" name "\"}\n"
#define CATALOG(entries) "version: \"1\"\nprofiles:\n" entries
#define ALLOW(profile) "version: \"1\"\nrules:\n- {name: r, effect: allow, conditions: {profiles: [" profile "]}}\n"

struct fx {
    char dir[64];
    int64_t unix_ns, mono_ns;
    struct sn_clock clock;
    struct sn_zoneinfo zoneinfo;
    struct sn_tz_source zones;
    struct sn_metrics *metrics;
    struct sn_source_dir *source;
    struct sn_documents *documents;
    const struct sn_tvm_documents *table;
};

static int64_t unix_ns(void *ctx)
{
    return ((struct fx *)ctx)->unix_ns;
}

static int64_t mono_ns(void *ctx)
{
    return ((struct fx *)ctx)->mono_ns;
}

static void write_file(struct fx *fx, const char *name, const char *text)
{
    char path[256];
    struct sn_error err = {0};
    snprintf(path, sizeof(path), "%s/%s", fx->dir, name);
    for (char *slash = strchr(path + strlen(fx->dir) + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        (void)!mkdir(path, 0755);
        (void)!chmod(path, 0755);
        *slash = '/';
    }
    assert_ok(sn_fs_write_atomic(path, 0644, sn_slice_str(text), &err), &err);
    assert_int_equal(chmod(path, 0644), 0);
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *walk)
{
    (void)st;
    (void)kind;
    (void)walk;
    return remove(path);
}

static int set_up(void **state)
{
    struct fx *fx = sn_alloc(1, sizeof(*fx));
    snprintf(fx->dir, sizeof(fx->dir), "/tmp/sentinel-documents-XXXXXX");
    assert_non_null(mkdtemp(fx->dir));
    assert_int_equal(chmod(fx->dir, 0755), 0);
    fx->unix_ns = INT64_C(1769940000000000000);
    fx->mono_ns = INT64_C(5000000000);
    fx->clock = (struct sn_clock){.unix_ns = unix_ns, .mono_ns = mono_ns, .ctx = fx};
    sn_zoneinfo_init(&fx->zoneinfo, NULL);
    fx->zones = sn_zoneinfo_source(&fx->zoneinfo);
    fx->metrics = sn_metrics_new();
    fx->source = sn_source_dir_new(fx->dir);
    struct sn_documents_options options = {.source = sn_source_dir_table(fx->source),
        .ttl_s = 30,
        .clock = &fx->clock,
        .random_source = sn_random_system(),
        .zones = &fx->zones,
        .metrics = fx->metrics};
    fx->documents = sn_documents_new(&options);
    fx->table = sn_documents_table(fx->documents);
    *state = fx;
    return 0;
}

static int tear_down(void **state)
{
    struct fx *fx = *state;
    sn_documents_free(fx->documents);
    sn_source_dir_free(fx->source);
    sn_metrics_free(fx->metrics);
    sn_zoneinfo_clear(&fx->zoneinfo);
    (void)nftw(fx->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    sn_free(fx);
    return 0;
}

/* Number of profiles, or the error's code through out_code. */
static size_t catalogue(struct fx *fx, char out_code[SN_ERROR_CODE_MAX])
{
    SN_AUTO(sn_catalog_unref_p) struct sn_catalog *catalog = NULL;
    struct sn_error err = {0};
    enum sn_status status = fx->table->catalog(fx->table->ctx, &catalog, &err);
    snprintf(out_code, SN_ERROR_CODE_MAX, "%s", status == SN_OK ? "" : err.code);
    return status == SN_OK ? sn_catalog_count(catalog) : 0;
}

/* "name" of the governing policy, "none", or the error's code. */
static const char *policy(struct fx *fx, const char *profile)
{
    static char answer[1100];
    SN_AUTO(sn_policy_unref_p) struct sn_policy *found = NULL;
    struct sn_error err = {0};
    struct sn_document_origin origin;
    enum sn_status status = fx->table->policy(fx->table->ctx, sn_slice_str(profile), &found, &origin, &err);
    snprintf(answer, sizeof(answer), "%s", status != SN_OK ? err.code : found == NULL ? "none" : origin.name);
    if (status == SN_OK && found != NULL) {
        assert_int_equal(strlen(origin.hash), 64);
    }
    return answer;
}

static void catalogue_is_the_union_of_its_files(void **state)
{
    struct fx *fx = *state;
    char code[SN_ERROR_CODE_MAX];

    catalogue(fx, code);
    assert_string_equal(code, "CATALOG_EMPTY");
    write_file(fx, "catalog.yaml", CATALOG(ENTRY("dev")));
    assert_int_equal(catalogue(fx, code), 1);
    write_file(fx, "catalog.d/more.yaml", CATALOG(ENTRY("prod") ENTRY("qa")));
    write_file(fx, "catalog.d/.hidden.yaml", "nonsense");
    write_file(fx, "catalog.d/x.yaml.sig.json", "nonsense");
    write_file(fx, "catalog.d/x.test.yaml", "nonsense");
    assert_int_equal(catalogue(fx, code), 3);
    write_file(fx, "catalog.d/twice.yaml", CATALOG(ENTRY("dev")));
    assert_int_equal(catalogue(fx, code), 0);
    assert_string_equal(code, "INVALID_CATALOG");
    write_file(fx, "catalog.d/twice.yaml", CATALOG(ENTRY("other")));
    assert_int_equal(catalogue(fx, code), 4);
    write_file(fx, "catalog.d/a b.yaml", CATALOG(ENTRY("z")));
    catalogue(fx, code);
    assert_string_equal(code, "DOCUMENT_LAYOUT");
}

static void one_policy_or_one_a_profile(void **state)
{
    struct fx *fx = *state;

    assert_string_equal(policy(fx, "dev"), "none");
    write_file(fx, "policies/dev.yaml", ALLOW("dev"));
    write_file(fx, "policies/team/dev.yaml", ALLOW("team/dev"));
    assert_string_equal(policy(fx, "dev"), "/sentinel/policies/dev");
    assert_string_equal(policy(fx, "team/dev"), "/sentinel/policies/team/dev");
    assert_string_equal(policy(fx, "prod"), "none");
    write_file(fx, "policy.yaml", ALLOW("dev"));
    assert_string_equal(policy(fx, "dev"), "DOCUMENT_LAYOUT");
    assert_string_equal(policy(fx, "prod"), "DOCUMENT_LAYOUT");
    char path[256];
    snprintf(path, sizeof(path), "%s/policies/dev.yaml", fx->dir);
    unlink(path);
    assert_string_equal(policy(fx, "prod"), "DOCUMENT_LAYOUT"); /* team/dev.yaml is still there */
    snprintf(path, sizeof(path), "%s/policies/team/dev.yaml", fx->dir);
    unlink(path);
    assert_string_equal(policy(fx, "prod"), "/sentinel/config/policy");
}

/* ATK-11: an edit, a broken document and a deletion count with the next question; the old one never serves. */
static void attack_11_nothing_stale(void **state)
{
    struct fx *fx = *state;
    char path[256];

    write_file(fx, "policy.yaml", ALLOW("dev"));
    assert_string_equal(policy(fx, "dev"), "/sentinel/config/policy");
    write_file(fx, "policy.yaml", "version: \"1\"\nrules: nonsense\n");
    assert_string_equal(policy(fx, "dev"), "INVALID_POLICY");
    assert_string_equal(policy(fx, "dev"), "INVALID_POLICY");
    write_file(fx, "policy.yaml", ALLOW("dev"));
    assert_string_equal(policy(fx, "dev"), "/sentinel/config/policy");
    snprintf(path, sizeof(path), "%s/policy.yaml", fx->dir);
    unlink(path);
    assert_string_equal(policy(fx, "dev"), "none");
}

/* A cached document is the very same object until its time is over, by either clock. */
static void cache_time(void **state)
{
    struct fx *fx = *state;
    struct sn_policy *first = NULL, *again = NULL;
    struct sn_error err = {0};
    struct sn_document_origin origin;
    static const struct {
        int64_t mono_s, unix_s;
        bool same;
    } rows[] = {{26, 26, true}, {31, 26, false}, {26, 31, false}, {10, -1, false}};

    write_file(fx, "policy.yaml", ALLOW("dev"));
    for (size_t i = 0; i < SN_LEN(rows); i++) {
        assert_ok(fx->table->policy(fx->table->ctx, SN_S("dev"), &first, &origin, &err), &err);
        fx->mono_ns += rows[i].mono_s * 1000000000;
        fx->unix_ns += rows[i].unix_s * 1000000000;
        assert_ok(fx->table->policy(fx->table->ctx, SN_S("dev"), &again, &origin, &err), &err);
        assert_int_equal(first == again, rows[i].same);
        sn_policy_unref(first);
        sn_policy_unref(again);
        first = again = NULL;
        fx->table->reload(fx->table->ctx);
    }
}

/* What others may write, another user owns, leads out, is no file or too large does not count as a document. */
static void untrusted_documents(void **state)
{
    struct fx *fx = *state;
    char path[256], target[256];

    snprintf(path, sizeof(path), "%s/policy.yaml", fx->dir);
    write_file(fx, "policy.yaml", ALLOW("dev"));
    assert_int_equal(chmod(path, 0664), 0);
    assert_string_equal(policy(fx, "dev"), "DOCUMENT_UNTRUSTED");
    assert_int_equal(chmod(path, 0644), 0);
    assert_int_equal(chmod(fx->dir, 0777), 0);
    assert_string_equal(policy(fx, "dev"), "DOCUMENT_UNTRUSTED");
    assert_int_equal(chmod(fx->dir, 0755), 0);
    if (geteuid() == 0) {
        assert_int_equal(chown(path, 65534, 65534), 0);
        assert_string_equal(policy(fx, "dev"), "DOCUMENT_UNTRUSTED");
    }
    unlink(path);
    assert_int_equal(symlink("/etc/hostname", path), 0);
    assert_string_equal(policy(fx, "dev"), "DOCUMENT_UNTRUSTED");
    unlink(path);
    write_file(fx, "versions/7.yaml", ALLOW("dev"));
    snprintf(target, sizeof(target), "%s/versions/7.yaml", fx->dir);
    assert_int_equal(symlink("versions/7.yaml", path), 0);
    assert_string_equal(policy(fx, "dev"), "/sentinel/config/policy");
    snprintf(target, sizeof(target), "%s/versions", fx->dir);
    assert_int_equal(chmod(target, 0777), 0); /* the folder that the link leads into */
    assert_string_equal(policy(fx, "dev"), "DOCUMENT_UNTRUSTED");
    unlink(path);
    assert_int_equal(mkfifo(path, 0644), 0);
    assert_string_equal(policy(fx, "dev"), "DOCUMENT_UNTRUSTED");
    unlink(path);
    char *large = sn_alloc(1048578, 1);
    memset(large, '#', 1048577);
    write_file(fx, "policy.yaml", large);
    assert_string_equal(policy(fx, "dev"), "DOCUMENT_TOO_LARGE");
    sn_free(large);
}

/* More profiles than the cache holds: each question still gets its own document. */
static void more_documents_than_entries(void **state)
{
    struct fx *fx = *state;
    char name[64], text[256], expected[128];

    for (int i = 0; i < 300; i++) {
        snprintf(name, sizeof(name), "policies/p%d.yaml", i);
        snprintf(text, sizeof(text),
            "version: \"1\"\nrules:\n- {name: r, effect: allow, conditions: {profiles: [p%d]}}\n", i);
        write_file(fx, name, text);
    }
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 300; i++) {
            snprintf(name, sizeof(name), "p%d", i);
            snprintf(expected, sizeof(expected), "/sentinel/policies/p%d", i);
            assert_string_equal(policy(fx, name), expected);
        }
    }
}

int main(void)
{
#define ROW(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        ROW(catalogue_is_the_union_of_its_files),
        ROW(one_policy_or_one_a_profile),
        ROW(attack_11_nothing_stale),
        ROW(cache_time),
        ROW(untrusted_documents),
        ROW(more_documents_than_entries),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
