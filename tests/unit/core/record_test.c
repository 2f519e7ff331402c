/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tests of core/audit/chain.c and keys.c: records and anchors as bytes, against the published log.
 */
#include "test.h"

#include "audit_log.h"
#include "core/audit/chain.h"
#include "crypto/hash.h"

/* AUD-16: the published lines come out bit for bit. */
static void published_log_is_reproduced(void **state)
{
    (void)state;
    static const char *const times[] = {
        "2026-03-01T09:00:00.000Z", "2026-03-01T09:00:07.131Z", "2026-03-02T08:15:04.412Z", "2026-04-01T00:00:00.000Z"};
    struct sn_audit_keys keys = sn_test_audit_keys();
    SN_AUTO(sn_buf_clear) struct sn_buf text = {0};
    struct sn_audit_position position;
    struct sn_error err;
    char hex[SN_SHA256_HEX_LEN + 1];

    sn_audit_position_start(&position, &(struct sn_id){"7c9e6679f3a04d1b"});
    for (size_t i = 0; i < 4; i++) {
        const struct sn_audit_key *key = &keys.keys[i < 3 ? 0 : 1];
        SN_AUTO(sn_hmac_clear) struct sn_hmac hmac = {0};
        struct sn_audit_record record;
        int64_t unix_ms = 0;
        struct sn_slice line = sn_test_published_line(i);

        line.len--;
        assert_ok(sn_audit_record_parse(line, &record, &err), &err);
        assert_ok(sn_time_parse_stored(sn_slice_str(times[i]), &unix_ms, &err), &err);
        assert_int_equal(record.seq, (int)i + 1);
        sn_hmac_init(&hmac, &key->key);
        assert_ok(sn_audit_record_append(&text, &position, key, &hmac, record.entry, unix_ms, &err), &err);
    }
    assert_int_equal(text.len, 2425);
    sn_sha256_hex(sn_buf_slice(&text), hex);
    assert_string_equal(hex, "dca23fde5931b96060482af56f6f5227370fcf36171ecf922ba6a71ad6d42654");
    assert_slice_equal(sn_buf_slice(&text), sn_test_published_log);

    SN_AUTO(sn_buf_clear) struct sn_buf anchor = {0};
    sn_audit_anchor_append(&anchor, &position, &keys.keys[1], position.unix_ms + 1000);
    assert_slice_equal(sn_buf_slice(&anchor), sn_test_published_anchor);
    sn_audit_keys_clear(&keys);
}

/* AUD-20, ATK-33: anything that is nearly a record is none. */
static void attack_33_near_records(void **state)
{
    (void)state;
    struct sn_slice good = sn_test_published_line(0);
    static const struct {
        const char *name, *from, *to;
    } rows[] = {
        {"white space", "\"v\":1,", "\"v\": 1,"},
        {"version 2", "{\"v\":1,", "{\"v\":2,"},
        {"leading zero", "\"seq\":1,", "\"seq\":01,"},
        {"zero", "\"seq\":1,", "\"seq\":0,"},
        {"negative", "\"seq\":1,", "\"seq\":-1,"},
        {"too large", "\"seq\":1,", "\"seq\":9007199254740992,"},
        {"fraction", "\"seq\":1,", "\"seq\":1.0,"},
        {"upper-case stream", "7c9e6679f3a04d1b", "7C9E6679F3A04D1B"},
        {"other order", "\"key_id\":\"k1\",\"entry\"", "\"entry\":{},\"key_id\":\"k1\",\"entry\""},
        {"two fraction digits", "09:00:00.000Z\",\"key_id", "09:00:00.00Z\",\"key_id"},
        {"offset", "09:00:00.000Z\",\"key_id", "09:00:00.000+00:00\",\"key_id"},
        {"key id of other characters", "\"key_id\":\"k1\"", "\"key_id\":\"k 1\""},
        {"empty key id", "\"key_id\":\"k1\"", "\"key_id\":\"\""},
        {"second member behind the entry", "\"1.0.0\"}", "\"1.0.0\"},\"entry\":{\"a\":1}"},
        {"entry is an array", "\"entry\":{\"timestamp\":\"2026-03-01T09:00:00.000Z\",", "\"entry\":[1],\"x\":{"},
        {"blank in the entry", "\"event\":\"audit.opened\"", "\"event\": \"audit.opened\""},
        {"entry not closed", "\"1.0.0\"}", "\"1.0.0\""},
        {"string not closed", "\"1.0.0\"}", "\"1.0.0}"},
        {"signature in capitals is no signature part", ",\"signature\":\"", ",\"SIGNATURE\":\""},
    };
    for (size_t i = 0; i < SN_LEN(rows); i++) {
        SN_AUTO(sn_buf_clear) struct sn_buf text = {0};
        struct sn_audit_record record;
        struct sn_error err;
        const char *at = memmem(good.ptr, good.len, rows[i].from, strlen(rows[i].from));

        print_message("# %s\n", rows[i].name);
        assert_non_null(at);
        sn_buf_add_bytes(&text, good.ptr, (size_t)(at - good.ptr));
        sn_buf_add_str(&text, rows[i].to);
        sn_buf_add_str(&text, at + strlen(rows[i].from));
        struct sn_slice line = sn_buf_slice(&text);
        line = sn_slice_sub(line, 0, (size_t)((const char *)memchr(line.ptr, '\n', line.len) - line.ptr));
        assert_fails(sn_audit_record_parse(line, &record, &err), &err, "NOT_A_RECORD");
    }
    struct sn_audit_record record;
    struct sn_error err;
    assert_fails(sn_audit_record_parse(SN_S(""), &record, &err), &err, "NOT_A_RECORD");
    SN_AUTO(sn_buf_clear) struct sn_buf newer = {0};
    sn_buf_add_str(&newer, "{\"v\":12,\"stream\":\"7c9e6679f3a04d1b\"}");
    assert_fails(sn_audit_record_parse(sn_buf_slice(&newer), &record, &err), &err, "NOT_A_RECORD");
    assert_non_null(strstr(err.message, "version 12"));
}

/* AUD-19: keys that are refused; the message names the rule and never the value. */
static void key_texts(void **state)
{
    (void)state;
#define HEX "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
    static const struct {
        const char *text, *signing_id, *problem; /* problem NULL: good */
        size_t count;
    } rows[] = {
        {HEX, "given", NULL, 1},
        {"  " HEX "\n", "given", NULL, 1},
        {"00010203 04050607 08090a0b 0c0d0e0f\n10111213 14151617 18191a1b 1c1d1e1f\n", "given", NULL, 1},
        {"k1:" HEX "\n# old\n\nk2:" HEX "\n", "k2", NULL, 2},
        {"# only\n" HEX "\n", "given", NULL, 1},
        {"", NULL, "is empty", 0},
        {"\n\n", NULL, "is empty", 0},
        {"# nothing\n", NULL, "is empty", 0},
        {"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e", NULL, "shorter than 32 bytes", 0},
        {HEX "0", NULL, "odd number", 0},
        {"zz0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f", NULL, "not hexadecimal", 0},
        {"k1:" HEX "\nk1:" HEX "\n", NULL, "occurs twice", 0},
        {"k 1:" HEX, NULL, "id that is not", 0},
        {":" HEX, NULL, "id that is not", 0},
    };
    for (size_t i = 0; i < SN_LEN(rows); i++) {
        struct sn_audit_keys keys = {.count = 0};
        struct sn_error err;
        print_message("# %zu\n", i);
        if (rows[i].problem == NULL) {
            assert_ok(sn_audit_keys_parse(sn_slice_str(rows[i].text), "given", &keys, &err), &err);
            assert_int_equal(keys.count, rows[i].count);
            assert_string_equal(sn_audit_keys_signing(&keys)->id, rows[i].signing_id);
            assert_int_equal(keys.keys[0].key.len, 32);
            assert_int_equal(keys.keys[0].key.bytes[31], 0x1f);
        } else {
            assert_fails(
                sn_audit_keys_parse(sn_slice_str(rows[i].text), "given", &keys, &err), &err, "INVALID_AUDIT_KEY");
            assert_non_null(strstr(err.message, rows[i].problem));
            assert_null(strstr(err.message, "0102"));
            assert_null(sn_audit_keys_signing(&keys));
        }
        sn_audit_keys_clear(&keys);
    }
}

/* The time of a record never goes back, whatever the clock does. */
static void clock_stepping_back(void **state)
{
    (void)state;
    struct sn_audit_keys keys = sn_test_audit_keys();
    SN_AUTO(sn_hmac_clear) struct sn_hmac hmac = {0};
    SN_AUTO(sn_buf_clear) struct sn_buf text = {0};
    struct sn_audit_position position;
    struct sn_error err;

    sn_hmac_init(&hmac, &keys.keys[0].key);
    sn_audit_position_start(&position, &(struct sn_id){"aaaaaaaaaaaaaaaa"});
    assert_ok(sn_audit_record_append(&text, &position, &keys.keys[0], &hmac, SN_S("{}"), 5000, &err), &err);
    assert_ok(sn_audit_record_append(&text, &position, &keys.keys[0], &hmac, SN_S("{}"), 4000, &err), &err);
    assert_int_equal(position.unix_ms, 5000);
    assert_int_equal(position.seq, 2);
    sn_audit_keys_clear(&keys);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_log_is_reproduced),
        cmocka_unit_test(attack_33_near_records),
        cmocka_unit_test(key_texts),
        cmocka_unit_test(clock_stepping_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
