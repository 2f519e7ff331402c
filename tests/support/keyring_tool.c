/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/support/keyring_tool.c - one keyring operation a run, for tests that drive a backend beside real programs.
 *
 *   keyring_tool BACKEND get|set|remove|keys|conform [KEY]      set reads the data from stdin
 *
 * SN_ITERATIONS: the count of new encrypted items. SN_HELPER: the program that speaks D-Bus. Failures: CODE and message
 * on stderr, exit 1.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fs.h"
#include "base/parse.h"
#include "base/process.h"
#include "keyring/jwe.h"
#include "keyring/keyring.h"
#include "keyring_conformance.h"
#include "test.h"

static struct sn_keyring_options options;

static enum sn_status set(struct sn_keyring *keyring, const char *key, struct sn_error *err)
{
    SN_AUTO(sn_secret_clear) struct sn_secret data = {0};
    char bytes[SN_ITEM_DATA_MAX];
    char label[256];

    size_t len = fread(bytes, 1, sizeof(bytes), stdin);
    sn_secret_set(&data, sn_slice_bytes(bytes, len));
    snprintf(label, sizeof(label), "aws-vault (%.200s)", key);
    const struct sn_keyring_item item = {.key = sn_slice_str(key), .data = &data, .label = sn_slice_str(label)};
    return sn_keyring_set(keyring, &item, err);
}

static enum sn_status get(struct sn_keyring *keyring, const char *key, struct sn_error *err)
{
    SN_AUTO(sn_secret_clear) struct sn_secret data = {0};

    SN_TRY(sn_keyring_get(keyring, key, &data, err));
    return sn_fd_write_all(STDOUT_FILENO, sn_secret_reveal(&data), err);
}

static enum sn_status keys(struct sn_keyring *keyring, struct sn_error *err)
{
    SN_AUTO(sn_keyring_keys_clear) struct sn_keyring_keys found = {0};

    SN_TRY(sn_keyring_list(keyring, &found, err));
    for (size_t i = 0; i < found.count; i++) {
        printf("%s\n", found.items[i]);
    }
    return SN_OK;
}

static void conform(void **state)
{
    (void)state;
    keyring_conformance(&options);
}

static enum sn_status run(const char *verb, const char *key, struct sn_error *err)
{
    SN_AUTO(sn_keyring_close_p) struct sn_keyring *keyring = NULL;

    SN_TRY(sn_keyring_open(&options, &keyring, err));
    if (strcmp(verb, "set") == 0) {
        return set(keyring, key, err);
    }
    if (strcmp(verb, "get") == 0) {
        return get(keyring, key, err);
    }
    if (strcmp(verb, "remove") == 0) {
        return sn_keyring_remove(keyring, key, err);
    }
    return keys(keyring, err);
}

int main(int argc, char **argv)
{
    struct sn_error err = {0};
    int64_t iterations = 0;

    if (argc < 3) {
        return 2;
    }
    if (sn_env_get("SN_ITERATIONS") != NULL &&
        sn_parse_int(sn_slice_str(sn_env_get("SN_ITERATIONS")), 1, SN_JWE_ITERATIONS_MAX, &iterations, &err) != SN_OK) {
        return 2;
    }
    sn_harden_process();
    options = (struct sn_keyring_options){.backend = strcmp(argv[1], "auto") == 0 ? NULL : argv[1],
        .helper_path = sn_env_get("SN_HELPER"),
        .env = sn_env_system(),
        .clock = sn_clock_system(),
        .random_source = sn_random_system(),
        .file_iterations = (uint32_t)iterations};
    if (strcmp(argv[2], "conform") == 0) {
        const struct CMUnitTest tests[] = {cmocka_unit_test(conform)};
        return cmocka_run_group_tests(tests, NULL, NULL);
    }
    if (run(argv[2], argc > 3 ? argv[3] : "", &err) != SN_OK) {
        fprintf(stderr, "%s: %s\n", err.code, err.message);
        return 1;
    }
    return 0;
}
