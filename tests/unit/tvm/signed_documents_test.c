/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/unit/tvm/signed_documents_test.c - which documents of a directory count when signatures are asked for.
 */
#include "test.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fs.h"
#include "core/policy/envelope.h"
#include "core/policy/tz.h"
#include "tvm/documents.h"
#include "tvm/source_dir.h"

#define CATALOG                                                                                                        \
    "version: \"1\"\nprofiles:\n  dev: {role_arn: \"arn:aws:iam::123456789012:role/D\"}\n"                             \
    "  prod: {role_arn: \"arn:aws:iam::123456789012:role/P\"}\n"
#define ALLOW(profile) "version: \"1\"\nrules:\n- {name: r, effect: allow, conditions: {profiles: [" profile "]}}\n"
#define KEY(last)                                                                                                      \
    "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4" last                \
    "\n-----END PRIVATE KEY-----\n"

struct fx {
    char dir[64];
    struct sn_private_key *signer, *stranger;
    struct sn_document_trust trust;
    struct sn_metrics *metrics;
    struct sn_public_key *keys[2];
    struct sn_source_dir *source;
    struct sn_documents *documents;
};

static struct sn_private_key *read_key(const char *text)
{
    SN_AUTO(sn_secret_clear) struct sn_secret pem = {0};
    struct sn_private_key *key = NULL;
    struct sn_error err = {0};
    sn_secret_set(&pem, sn_slice_str(text));
    assert_ok(sn_private_key_parse(&pem, NULL, &key, &err), &err);
    return key;
}

static void reopen(struct fx *fx)
{
    sn_documents_free(fx->documents);
    sn_source_dir_free(fx->source);
    fx->source = sn_source_dir_new(fx->dir);
    struct sn_documents_options options = {.source = sn_source_dir_table(fx->source),
        .ttl_s = 300,
        .clock = sn_clock_system(),
        .random_source = sn_random_system(),
        .metrics = fx->metrics,
        .trust = &fx->trust};
    fx->documents = sn_documents_new(&options);
}

static int set_up(void **state)
{
    struct fx *fx = sn_alloc(1, sizeof(*fx));
    struct sn_error err = {0};
    char path[128];
    snprintf(fx->dir, sizeof(fx->dir), "/tmp/sentinel-signed-XXXXXX");
    assert_non_null(mkdtemp(fx->dir));
    snprintf(path, sizeof(path), "%s/policies", fx->dir);
    assert_int_equal(mkdir(path, 0755), 0);
    fx->signer = read_key(KEY("f"));
    fx->stranger = read_key(KEY("e"));
    fx->metrics = sn_metrics_new();
    fx->trust = (struct sn_document_trust){.key_count = 1, .enforce = true};
    assert_ok(sn_private_key_public(fx->signer, &fx->keys[0], &err), &err);
    assert_ok(sn_private_key_public(fx->stranger, &fx->keys[1], &err), &err);
    fx->trust.keys[0].local = fx->keys[0];
    reopen(fx);
    *state = fx;
    return 0;
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *walk)
{
    (void)st;
    (void)kind;
    (void)walk;
    return remove(path);
}

static int tear_down(void **state)
{
    struct fx *fx = *state;
    sn_documents_free(fx->documents);
    sn_source_dir_free(fx->source);
    sn_public_key_free(fx->keys[0]);
    sn_public_key_free(fx->keys[1]);
    sn_private_key_free(fx->signer);
    sn_private_key_free(fx->stranger);
    sn_metrics_free(fx->metrics);
    (void)nftw(fx->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    sn_free(fx);
    return 0;
}

static void write_file(struct fx *fx, const char *name, const char *text)
{
    char path[256];
    struct sn_error err = {0};
    snprintf(path, sizeof(path), "%s/%s", fx->dir, name);
    assert_ok(sn_fs_write_atomic(path, 0644, sn_slice_str(text), &err), &err);
}

/* serial 0: an unbound signature. */
static void write_signed(struct fx *fx, const struct sn_private_key *key, const char *name, const char *text,
    const char *parameter, int64_t serial)
{
    SN_AUTO(sn_buf_clear) struct sn_buf out = {0};
    struct sn_envelope envelope = {.is_bound = serial != 0, .serial = serial, .signed_at = "2026-01-01T00:00:00.000Z"};
    struct sn_error err = {0};
    char sig_name[128];
    snprintf(envelope.parameter, sizeof(envelope.parameter), "%s", parameter);
    assert_ok(sn_envelope_sign(&envelope, sn_slice_str(text), key, &err), &err);
    sn_envelope_format(&out, &envelope, true);
    snprintf(sig_name, sizeof(sig_name), "%s.sig.json", name);
    write_file(fx, sig_name, sn_buf_str(&out));
    write_file(fx, name, text);
}

/* "" when the policy loads, "none" when there is none, else the code. */
static const char *policy(struct fx *fx, const char *profile)
{
    static char code[SN_ERROR_CODE_MAX];
    SN_AUTO(sn_policy_unref_p) struct sn_policy *found = NULL;
    const struct sn_tvm_documents *table = sn_documents_table(fx->documents);
    struct sn_document_origin origin;
    struct sn_error err = {0};
    table->reload(table->ctx);
    if (table->policy(table->ctx, sn_slice_str(profile), &found, &origin, &err) == SN_OK) {
        return found != NULL ? "" : "none";
    }
    assert_true(sn_document_is_bad(&err));
    snprintf(code, sizeof(code), "%s", err.code);
    return code;
}

static const char *catalogue(struct fx *fx)
{
    static char code[SN_ERROR_CODE_MAX];
    SN_AUTO(sn_catalog_unref_p) struct sn_catalog *catalog = NULL;
    const struct sn_tvm_documents *table = sn_documents_table(fx->documents);
    struct sn_error err = {0};
    table->reload(table->ctx);
    if (table->catalog(table->ctx, &catalog, &err) == SN_OK) {
        return "";
    }
    snprintf(code, sizeof(code), "%s", err.code);
    return code;
}

#define DEV "policies/dev.yaml"
#define DEV_NAME "/sentinel/policies/dev"

/* POL-27: a signed policy loads; one byte changed, it does not, and what is in force is the error. */
static void changed_policy_fails(void **state)
{
    struct fx *fx = *state;
    write_signed(fx, fx->signer, DEV, ALLOW("dev"), DEV_NAME, 100);
    assert_string_equal(policy(fx, "dev"), "");
    write_file(fx, DEV, ALLOW("dew"));
    assert_string_equal(policy(fx, "dev"), "SIGNATURE_HASH");
    assert_string_equal(policy(fx, "dev"), "SIGNATURE_HASH");
    write_file(fx, DEV, ALLOW("dev"));
    assert_string_equal(policy(fx, "dev"), "");
    write_file(fx, DEV ".sig.json", "{}");
    assert_string_equal(policy(fx, "dev"), "SIGNATURE_MALFORMED");
    assert_string_equal(policy(fx, "prod"), "none");
}

/* POL-28: a good signature under another name. */
static void moved_policy_fails(void **state)
{
    struct fx *fx = *state;
    write_signed(fx, fx->signer, "policies/prod.yaml", ALLOW("prod"), DEV_NAME, 100);
    assert_string_equal(policy(fx, "prod"), "SIGNATURE_BINDING");
    write_signed(fx, fx->signer, "policies/prod.yaml", ALLOW("prod"), "/sentinel/policies/prod", 100);
    assert_string_equal(policy(fx, "prod"), "");
    write_signed(fx, fx->signer, "policy.yaml", ALLOW("prod"), "/sentinel/policies/prod", 100);
    assert_string_equal(policy(fx, "dev"), "SIGNATURE_BINDING");
}

/* POL-29: an old policy with its old signature does not come back, nor anything below the setting's floor. */
static void old_policy_fails(void **state)
{
    struct fx *fx = *state;
    write_signed(fx, fx->signer, DEV, ALLOW("dev"), DEV_NAME, 100);
    assert_string_equal(policy(fx, "dev"), "");
    write_signed(fx, fx->signer, DEV, ALLOW("prod"), DEV_NAME, 101);
    assert_string_equal(policy(fx, "dev"), "");
    write_signed(fx, fx->signer, DEV, ALLOW("dev"), DEV_NAME, 100);
    assert_string_equal(policy(fx, "dev"), "SIGNATURE_SERIAL");
    /* Another document has a floor of its own. */
    write_signed(fx, fx->signer, "policies/prod.yaml", ALLOW("prod"), "/sentinel/policies/prod", 5);
    assert_string_equal(policy(fx, "prod"), "");
    fx->trust.min_serial = 200;
    reopen(fx);
    write_signed(fx, fx->signer, DEV, ALLOW("dev"), DEV_NAME, 199);
    assert_string_equal(policy(fx, "dev"), "SIGNATURE_SERIAL");
    write_signed(fx, fx->signer, DEV, ALLOW("dev"), DEV_NAME, 200);
    assert_string_equal(policy(fx, "dev"), "");
}

/* POL-30: no signature counts as none only where that was said, and a bad one never. */
static void unsigned_policy(void **state)
{
    struct fx *fx = *state;
    write_file(fx, DEV, ALLOW("dev"));
    assert_string_equal(policy(fx, "dev"), "SIGNATURE_MISSING");
    fx->trust.enforce = false;
    reopen(fx);
    assert_string_equal(policy(fx, "dev"), "");
    write_signed(fx, fx->stranger, DEV, ALLOW("dev"), DEV_NAME, 1);
    assert_string_equal(policy(fx, "dev"), "SIGNATURE_INVALID");
    write_file(fx, DEV ".sig.json", "");
    assert_string_equal(policy(fx, "dev"), "SIGNATURE_MALFORMED");
}

/* POL-31: signed by a key that the server does not list; each listed key is as good as the other. */
static void keys(void **state)
{
    struct fx *fx = *state;
    write_signed(fx, fx->stranger, DEV, ALLOW("dev"), DEV_NAME, 100);
    assert_string_equal(policy(fx, "dev"), "SIGNATURE_INVALID");
    fx->trust.keys[1].local = fx->keys[1];
    fx->trust.key_count = 2;
    reopen(fx);
    assert_string_equal(policy(fx, "dev"), "");
    write_signed(fx, fx->signer, DEV, ALLOW("dev"), DEV_NAME, 101);
    assert_string_equal(policy(fx, "dev"), "");
}

static void unbound_signatures(void **state)
{
    struct fx *fx = *state;
    write_signed(fx, fx->signer, DEV, ALLOW("dev"), "", 0);
    assert_string_equal(policy(fx, "dev"), "SIGNATURE_UNBOUND");
    fx->trust.allow_unbound = true;
    reopen(fx);
    assert_string_equal(policy(fx, "dev"), "");
}

/* Every file of the catalogue has its signature; one without makes the whole catalogue unusable. */
static void catalogue_files(void **state)
{
    struct fx *fx = *state;
    char path[128];
    snprintf(path, sizeof(path), "%s/catalog.d", fx->dir);
    assert_int_equal(mkdir(path, 0755), 0);
    write_file(fx, "catalog.yaml", CATALOG);
    assert_string_equal(catalogue(fx), "SIGNATURE_MISSING");
    write_signed(fx, fx->signer, "catalog.yaml", CATALOG, "/sentinel/catalog/catalog", 1);
    assert_string_equal(catalogue(fx), "");
    write_file(fx, "catalog.d/more.yaml",
        "version: \"1\"\nprofiles:\n  x: {role_arn: \"arn:aws:iam::123456789012:role/X\"}\n");
    assert_string_equal(catalogue(fx), "SIGNATURE_MISSING");
    write_signed(fx, fx->signer, "catalog.d/more.yaml",
        "version: \"1\"\nprofiles:\n  x: {role_arn: \"arn:aws:iam::123456789012:role/X\"}\n", "/sentinel/catalog/more",
        1);
    assert_string_equal(catalogue(fx), "");
}

/* A signature that others can write is no signature. */
static void signature_file_is_trusted_like_a_document(void **state)
{
    struct fx *fx = *state;
    char path[128];
    SN_AUTO(sn_policy_unref_p) struct sn_policy *found = NULL;
    const struct sn_tvm_documents *table = sn_documents_table(fx->documents);
    struct sn_document_origin origin;
    struct sn_error err = {0};
    write_signed(fx, fx->signer, DEV, ALLOW("dev"), DEV_NAME, 1);
    snprintf(path, sizeof(path), "%s/" DEV ".sig.json", fx->dir);
    assert_int_equal(chmod(path, 0666), 0);
    assert_fails(table->policy(table->ctx, SN_S("dev"), &found, &origin, &err), &err, "DOCUMENT_UNTRUSTED");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define WITH_DIR(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
        WITH_DIR(changed_policy_fails),
        WITH_DIR(moved_policy_fails),
        WITH_DIR(old_policy_fails),
        WITH_DIR(unsigned_policy),
        WITH_DIR(keys),
        WITH_DIR(unbound_signatures),
        WITH_DIR(catalogue_files),
        WITH_DIR(signature_file_is_trusted_like_a_document),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
