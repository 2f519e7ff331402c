/* SPDX-License-Identifier: Apache-2.0 */
/* tests/unit/keyring/backends_test.c - the conformance suite over the backends that need no other program. */
#include "test.h"

#include <stdio.h>

#include "keyring_conformance.h"
#include "scratch.h"

struct fixture {
    struct scratch scratch;
    struct scripted_clock clock;
    struct sn_keyring_options options;
    char dir[256];
    char passphrase[64];
    struct sn_env env;
};

static const char *variable(void *ctx, const char *name)
{
    const struct fixture *f = ctx;

    if (strcmp(name, "AWS_VAULT_FILE_PASSPHRASE") == 0) {
        return f->passphrase[0] != '\0' ? f->passphrase : NULL;
    }
    return strcmp(name, "HOME") == 0 ? f->scratch.dir : NULL;
}

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));

    scratch_make(&f->scratch);
    scripted_clock_init(&f->clock);
    scratch_path(&f->scratch, "keys", f->dir);
    snprintf(f->passphrase, sizeof(f->passphrase), "correct horse");
    f->env = (struct sn_env){.get = variable, .ctx = f};
    f->options = (struct sn_keyring_options){.backend = "file",
        .file_dir = f->dir,
        .env = &f->env,
        .clock = &f->clock.clock,
        .random_source = sn_random_system(),
        .file_iterations = 1000};
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    scratch_remove(&f->scratch);
    free(f);
    return 0;
}

static void file_conforms(void **state)
{
    struct fixture *f = *state;

    keyring_conformance(&f->options);
}

/* VLT-36: two masks, possession, and a store that is empty again afterwards; on the kernel of this machine. */
static void kernel_conforms(void **state)
{
    struct fixture *f = *state;
    struct sn_keyring *keyring = NULL;
    struct sn_error err = {0};

    f->options.backend = "keyctl";
    if (sn_keyring_open(&f->options, &keyring, &err) != SN_OK) {
        print_message("the kernel refuses keyrings here\n");
        skip();
    }
    SN_AUTO(sn_keyring_keys_clear) struct sn_keyring_keys keys = {0};
    assert_ok(sn_keyring_list(keyring, &keys, &err), &err);
    sn_keyring_close(keyring);
    if (keys.count > 0) {
        print_message("the kernel keyring of this user is in use\n");
        skip();
    }
    keyring_conformance(&f->options);
}

static void store(struct fixture *f, const char *key, const char *text, const char *expected_code)
{
    struct sn_keyring *keyring = NULL;
    SN_AUTO(sn_secret_clear) struct sn_secret data = {0};
    struct sn_error err = {0};

    sn_secret_set(&data, sn_slice_str(text));
    const struct sn_keyring_item item = {.key = sn_slice_str(key), .data = &data};
    assert_ok(sn_keyring_open(&f->options, &keyring, &err), &err);
    if (expected_code == NULL) {
        assert_ok(sn_keyring_set(keyring, &item, &err), &err);
    } else {
        assert_fails(sn_keyring_set(keyring, &item, &err), &err, expected_code);
    }
    sn_keyring_close(keyring);
}

static void fetch(struct fixture *f, const char *key, const char *expected, const char *expected_code)
{
    struct sn_keyring *keyring = NULL;
    SN_AUTO(sn_secret_clear) struct sn_secret data = {0};
    struct sn_error err = {0};

    assert_ok(sn_keyring_open(&f->options, &keyring, &err), &err);
    if (expected_code == NULL) {
        assert_ok(sn_keyring_get(keyring, key, &data, &err), &err);
        assert_true(sn_secret_eq_slice(&data, sn_slice_str(expected)));
    } else {
        assert_fails(sn_keyring_get(keyring, key, &data, &err), &err, expected_code);
        assert_false(sn_secret_is_set(&data));
    }
    sn_keyring_close(keyring);
}

/* VLT-03: a store keeps to one passphrase, and a wrong one changes nothing. */
static void one_passphrase(void **state)
{
    struct fixture *f = *state;
    char path[512];

    store(f, "dev", "one", NULL);
    snprintf(f->passphrase, sizeof(f->passphrase), "another");
    store(f, "other", "two", "KEYRING_PASSPHRASE");
    fetch(f, "dev", NULL, "KEYRING_PASSPHRASE");
    snprintf(path, sizeof(path), "%s/other", f->dir);
    assert_int_equal(access(path, F_OK), -1);
    f->passphrase[0] = '\0';
    fetch(f, "dev", NULL, "KEYRING_LOCKED");
    snprintf(f->passphrase, sizeof(f->passphrase), "correct horse");
    fetch(f, "dev", "one", NULL);
}

static void write_text(const char *dir, const char *name, const char *text, size_t len)
{
    char path[512];

    snprintf(path, sizeof(path), "%s/%s", dir, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, len, file), len);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(path, 0600), 0);
}

static size_t read_text(const char *dir, const char *name, char *out, size_t size)
{
    char path[512];

    snprintf(path, sizeof(path), "%s/%s", dir, name);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    size_t len = fread(out, 1, size, file);
    assert_int_equal(fclose(file), 0);
    return len;
}

/* Cut at every length a file is damaged, never something else; its neighbours are as they were, and it can be replaced.
 */
static void truncated(void **state)
{
    struct fixture *f = *state;
    char whole[4096];

    store(f, "dev", "one", NULL);
    store(f, "prod", "two", NULL);
    size_t len = read_text(f->dir, "dev", whole, sizeof(whole));
    for (size_t cut = 0; cut < len; cut += cut < len - 40 ? 17 : 1) {
        write_text(f->dir, "dev", whole, cut);
        fetch(f, "dev", NULL, "KEYRING_CORRUPT");
    }
    fetch(f, "prod", "two", NULL);
    store(f, "dev", "new", NULL); /* the passphrase is checked against the item that can be read */
    fetch(f, "dev", "new", NULL);
}

/* One changed byte anywhere is noticed. */
static void changed_bytes(void **state)
{
    struct fixture *f = *state;
    char whole[4096];

    store(f, "dev", "one", NULL);
    size_t len = read_text(f->dir, "dev", whole, sizeof(whole));
    for (size_t at = 0; at < len; at += 5) {
        struct sn_keyring *keyring = NULL;
        SN_AUTO(sn_secret_clear) struct sn_secret data = {0};
        struct sn_error err = {0};
        char kept = whole[at];
        whole[at] = kept == 'A' ? 'B' : 'A';
        write_text(f->dir, "dev", whole, len);
        assert_ok(sn_keyring_open(&f->options, &keyring, &err), &err);
        assert_int_not_equal(sn_keyring_get(keyring, "dev", &data, &err), SN_OK);
        sn_keyring_close(keyring);
        whole[at] = kept;
    }
}

/* An item moved to another name is that of another key. An older copy put back is what it was. */
static void copies(void **state)
{
    struct fixture *f = *state;
    char older[4096];

    store(f, "dev", "one", NULL);
    size_t len = read_text(f->dir, "dev", older, sizeof(older));
    store(f, "dev", "two", NULL);
    write_text(f->dir, "prod", older, len);
    fetch(f, "prod", NULL, "KEYRING_CORRUPT");
    write_text(f->dir, "dev", older, len);
    fetch(f, "dev", "one", NULL);
    store(f, "dev", "three", NULL);
    fetch(f, "dev", "three", NULL);
}

/* VLT-01: the published item opens, and is written anew with today's count when it is replaced. */
static void published_item(void **state)
{
    static const char text[] =
        "eyJhbGciOiJQQkVTMi1IUzI1NitBMTI4S1ciLCJjcmVhdGVkIjoiMjAyNi0wMS0wMiAwMzowNDowNSArMDAwMCBVVEMiLCJlbmMiOiJBMjU2R0"
        "NNIiwicDJjIjo4MTkyLCJwMnMiOiJBUUlEQkFVR0J3Z0pDZ3NNIn0.i31JELxgH92GpYP5ngt2kWHbi4EpfEDEdo0NASKCj28If7e0qCxORA."
        "oK"
        "Gio6Slpqeoqaqr."
        "BR7vUb31uojFTcDVBHFU4vALoCUGlkNbRdCSy50KzMtRGWfsauOROYPUmoYIOs6rMBUsabHL5SoJKNUozrGwhhkQn8jgpCG4"
        "cyrmatk_6gc7mm8qbESyp7TubIZYc2I7WyeEaIVdPBRBEliN5yyctePVKFjWliyBHGJzue9UO2RlcQeWNJpWwUcxoB9AJX_r5rTfeP9cfKl_"
        "X6E"
        "iypVIkDbxoiuxHXsOVqlKaw.avt66z4iLtDpV4Xi0gKJSA";
    struct fixture *f = *state;
    char again[sizeof(text)];

    assert_int_equal(mkdir(f->dir, 0700), 0);
    write_text(f->dir, "demo", text, sizeof(text) - 1);
    fetch(f, "demo", "{\"AccessKeyID\":\"AKIAEXAMPLE000000001\",\"SecretAccessKey\":\"example-secret-0001\"}", NULL);
    snprintf(f->passphrase, sizeof(f->passphrase), "wrong");
    fetch(f, "demo", NULL, "KEYRING_PASSPHRASE");
    store(f, "demo", "x", "KEYRING_PASSPHRASE");
    assert_int_equal(read_text(f->dir, "demo", again, sizeof(again)), sizeof(text) - 1);
    assert_memory_equal(again, text, sizeof(text) - 1);
}

/* What others can read is not read; the directory counts as well. */
static void permissions(void **state)
{
    struct fixture *f = *state;
    char path[512];
    struct stat st = {0};

    (void)umask(0);
    store(f, "dev", "one", NULL);
    (void)umask(077);
    snprintf(path, sizeof(path), "%s/dev", f->dir);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(stat(f->dir, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0700);
    assert_int_equal(chmod(path, 0640), 0);
    fetch(f, "dev", NULL, "FILE_PERMISSIONS");
    assert_int_equal(chmod(path, 0600), 0);
    assert_int_equal(chmod(f->dir, 0750), 0);
    fetch(f, "dev", NULL, "KEYRING_PERMISSIONS");
    store(f, "dev", "two", "KEYRING_PERMISSIONS");
    assert_int_equal(chmod(f->dir, 0700), 0);
    fetch(f, "dev", "one", NULL);
}

/* What is no item is no key: leftovers of a killed writer, which the next one removes, folders, links, dot files. */
static void other_files(void **state)
{
    struct fixture *f = *state;
    struct sn_keyring *keyring = NULL;
    SN_AUTO(sn_keyring_keys_clear) struct sn_keyring_keys keys = {0};
    struct sn_error err = {0};
    char path[512];
    char link_path[512];

    store(f, "dev", "one", NULL);
    write_text(f->dir, ".sentinel-0000000000000000.tmp", "half", 4);
    write_text(f->dir, ".hidden", "x", 1);
    write_text(f->dir, "bad%zz", "x", 1);
    snprintf(path, sizeof(path), "%s/folder", f->dir);
    assert_int_equal(mkdir(path, 0700), 0);
    snprintf(path, sizeof(path), "%s/dev", f->dir);
    snprintf(link_path, sizeof(link_path), "%s/link", f->dir);
    assert_int_equal(symlink(path, link_path), 0);
    assert_ok(sn_keyring_open(&f->options, &keyring, &err), &err);
    assert_ok(sn_keyring_list(keyring, &keys, &err), &err);
    assert_int_equal(keys.count, 1);
    assert_string_equal(keys.items[0], "dev");
    sn_keyring_close(keyring);
    fetch(f, "link", NULL, "FILE_IS_LINK");
    fetch(f, "../keys/dev", NULL, "KEYRING_BAD_KEY");
    store(f, "prod", "two", NULL);
    snprintf(path, sizeof(path), "%s/.sentinel-0000000000000000.tmp", f->dir);
    assert_int_equal(access(path, F_OK), -1);
}

/* A person: three tries, an empty or mistyped one is none, and no name of a secret in the questions. */
struct person {
    const char *const *answers;
    size_t asked;
};

static enum sn_status answer(void *ctx, const char *question, struct sn_secret *out_answer, struct sn_error *err)
{
    struct person *person = ctx;

    (void)err;
    assert_true(strstr(question, "passphrase") != NULL);
    sn_secret_set(out_answer, sn_slice_str(person->answers[person->asked++]));
    return SN_OK;
}

static void typed(void **state)
{
    struct fixture *f = *state;
    static const char *const new_ones[] = {"p1", "p1"};
    static const char *const differing[] = {"p1", "p2"};
    static const char *const late[] = {"", "no", "p1"};
    static const char *const never[] = {"a", "b", "c"};
    struct person person = {.answers = differing};
    const struct sn_keyring_prompt prompt = {.ask = answer, .ctx = &person};

    f->passphrase[0] = '\0';
    f->options.prompt = &prompt;
    store(f, "dev", "one", "KEYRING_PASSPHRASE");
    person = (struct person){.answers = new_ones};
    store(f, "dev", "one", NULL);
    assert_int_equal(person.asked, 2);
    person = (struct person){.answers = late};
    fetch(f, "dev", "one", NULL);
    assert_int_equal(person.asked, 3);
    person = (struct person){.answers = never};
    fetch(f, "dev", NULL, "KEYRING_PASSPHRASE");
    assert_int_equal(person.asked, 3);
}

static int64_t refuse_key(
    void *ctx, const char *type, const char *description, const void *payload, size_t len, int64_t ring)
{
    (void)ctx, (void)type, (void)description, (void)payload, (void)len, (void)ring;
    return -1;
}

static int64_t refuse_call(void *ctx, int operation, uintptr_t a, uintptr_t b, uintptr_t c, uintptr_t d)
{
    (void)ctx, (void)operation, (void)a, (void)b, (void)c, (void)d;
    return -1;
}

/* VLT-37: a backend that is named is used or is an error; the kernel's is never chosen by itself. */
static void choice(void **state)
{
    struct fixture *f = *state;
    struct sn_keyring *keyring = NULL;
    struct sn_error err = {0};

    f->options.backend = "keychain";
    assert_fails(sn_keyring_open(&f->options, &keyring, &err), &err, "KEYRING_UNKNOWN");
    assert_true(strstr(err.suggestion, "file") != NULL);
    const struct sn_keyctl refusing = {.add_key = refuse_key, .control = refuse_call};
    f->options.backend = "keyctl";
    f->options.keyctl = &refusing;
    assert_fails(sn_keyring_open(&f->options, &keyring, &err), &err, "KEYRING_UNAVAILABLE");
    assert_int_equal(err.status, SN_UNAVAILABLE); /* exit 3 */
    assert_string_equal(err.suggestion, "here these would work: file");
    f->options.backend = NULL;
    assert_ok(sn_keyring_open(&f->options, &keyring, &err), &err);
    assert_string_equal(sn_keyring_name(keyring), "file");
    sn_keyring_close(keyring);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(file_conforms, set_up, tear_down),
        cmocka_unit_test_setup_teardown(kernel_conforms, set_up, tear_down),
        cmocka_unit_test_setup_teardown(one_passphrase, set_up, tear_down),
        cmocka_unit_test_setup_teardown(truncated, set_up, tear_down),
        cmocka_unit_test_setup_teardown(changed_bytes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(copies, set_up, tear_down),
        cmocka_unit_test_setup_teardown(published_item, set_up, tear_down),
        cmocka_unit_test_setup_teardown(permissions, set_up, tear_down),
        cmocka_unit_test_setup_teardown(other_files, set_up, tear_down),
        cmocka_unit_test_setup_teardown(typed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(choice, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
