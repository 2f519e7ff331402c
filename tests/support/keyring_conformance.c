/* SPDX-License-Identifier: Apache-2.0 */
/* tests/support/keyring_conformance.c - see keyring_conformance.h. */
#include "keyring_conformance.h"

#include <stdio.h>

#include "test.h"

static struct sn_keyring *reopen(const struct sn_keyring_options *options)
{
    struct sn_keyring *keyring = NULL;
    struct sn_error err = {0};

    assert_ok(sn_keyring_open(options, &keyring, &err), &err);
    return keyring;
}

static void put(struct sn_keyring *keyring, const char *key, struct sn_slice bytes)
{
    struct sn_error err = {0};
    SN_AUTO(sn_secret_clear) struct sn_secret data = {0};

    sn_secret_set(&data, bytes);
    const struct sn_keyring_item item = {.key = sn_slice_str(key), .data = &data, .label = SN_S("aws-vault (test)")};
    assert_ok(sn_keyring_set(keyring, &item, &err), &err);
}

static void assert_data(struct sn_keyring *keyring, const char *key, struct sn_slice bytes)
{
    struct sn_error err = {0};
    SN_AUTO(sn_secret_clear) struct sn_secret data = {0};

    assert_ok(sn_keyring_get(keyring, key, &data, &err), &err);
    assert_true(sn_secret_eq_slice(&data, bytes));
}

static void assert_absent(struct sn_keyring *keyring, const char *key)
{
    struct sn_error err = {0};
    SN_AUTO(sn_secret_clear) struct sn_secret data = {0};

    assert_fails(sn_keyring_get(keyring, key, &data, &err), &err, "KEYRING_NOT_FOUND");
    assert_false(sn_secret_is_set(&data));
    assert_fails(sn_keyring_remove(keyring, key, &err), &err, "KEYRING_NOT_FOUND");
}

static void assert_keys(struct sn_keyring *keyring, const char *const *expected, size_t count)
{
    struct sn_error err = {0};
    SN_AUTO(sn_keyring_keys_clear) struct sn_keyring_keys keys = {0};

    assert_ok(sn_keyring_list(keyring, &keys, &err), &err);
    assert_int_equal(keys.count, count);
    for (size_t i = 0; i < count; i++) {
        assert_string_equal(keys.items[i], expected[i]);
        assert_true(sn_keyring_keys_has(&keys, expected[i]));
    }
    assert_false(sn_keyring_keys_has(&keys, "never stored"));
}

/* Names as profiles and sessions have them, in bytewise order. */
static const char *const names[] = {
    "$(id)",
    "-x",
    "100%",
    "a b",
    "dev",
    "dev-admin",
    "my session (1)",
    "oidc:https://example.awsapps.com/start",
    "sentinel-rotate:dev",
    "sts.AssumeRole#0123456789abcdef,ZGV2,,1772360100",
    "team/prod",
    "\xc3\xa4rger",
};

static void names_round_trip(const struct sn_keyring_options *options)
{
    struct sn_keyring *keyring = reopen(options);

    for (size_t i = SN_LEN(names); i > 0; i--) {
        put(keyring, names[i - 1], sn_slice_str(names[i - 1]));
    }
    assert_keys(keyring, names, SN_LEN(names));
    sn_keyring_close(keyring);
    keyring = reopen(options); /* another process finds the same */
    assert_keys(keyring, names, SN_LEN(names));
    for (size_t i = 0; i < SN_LEN(names); i++) {
        struct sn_error err = {0};
        assert_data(keyring, names[i], sn_slice_str(names[i]));
        assert_ok(sn_keyring_remove(keyring, names[i], &err), &err);
        assert_absent(keyring, names[i]);
    }
    assert_keys(keyring, names, 0);
    sn_keyring_close(keyring);
}

static void values_round_trip(const struct sn_keyring_options *options)
{
    struct sn_keyring *keyring = reopen(options);
    struct sn_error err = {0};
    char large[8000];

    for (size_t i = 0; i < sizeof(large); i++) {
        large[i] = (char)(i * 7);
    }
    put(keyring, "dev", SN_S("first"));
    put(keyring, "dev", SN_S("\0\n\r\xff binary \x80"));
    assert_data(keyring, "dev", SN_S("\0\n\r\xff binary \x80"));
    put(keyring, "dev", sn_slice_bytes(large, sizeof(large)));
    assert_data(keyring, "dev", sn_slice_bytes(large, sizeof(large)));
    put(keyring, "dev", SN_S("x"));
    assert_data(keyring, "dev", SN_S("x"));
    assert_absent(keyring, "de");
    assert_absent(keyring, "devs");
    assert_ok(sn_keyring_remove(keyring, "dev", &err), &err);
    sn_keyring_close(keyring);
}

static void refusals(const struct sn_keyring_options *options)
{
    static const char *const bad[] = {"", "a\nb", "\x1b[31m", "\xff", "\x7f"};
    struct sn_keyring *keyring = reopen(options);
    SN_AUTO(sn_secret_clear) struct sn_secret data = {0};
    struct sn_error err = {0};

    sn_secret_set(&data, SN_S("x"));
    for (size_t i = 0; i < SN_LEN(bad); i++) {
        const struct sn_keyring_item item = {.key = sn_slice_str(bad[i]), .data = &data};
        assert_fails(sn_keyring_set(keyring, &item, &err), &err, "KEYRING_BAD_KEY");
        assert_fails(sn_keyring_get(keyring, bad[i], &data, &err), &err, "KEYRING_BAD_KEY");
    }
    sn_secret_alloc(&data, SN_ITEM_DATA_MAX + 1);
    const struct sn_keyring_item item = {.key = SN_S("large"), .data = &data};
    assert_fails(sn_keyring_set(keyring, &item, &err), &err, "KEYRING_ITEM_TOO_LARGE");
    assert_absent(keyring, "large");
    assert_keys(keyring, names, 0);
    sn_keyring_close(keyring);
}

void keyring_conformance(const struct sn_keyring_options *options)
{
    struct sn_keyring *keyring = reopen(options);

    assert_string_equal(sn_keyring_name(keyring), options->backend);
    assert_keys(keyring, names, 0);
    assert_absent(keyring, "dev");
    sn_keyring_close(keyring);
    names_round_trip(options);
    values_round_trip(options);
    refusals(options);
}
