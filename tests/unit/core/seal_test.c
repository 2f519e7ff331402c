/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tests of core/session/seal.c. The expected seals come from Python's hmac module over a canonical text written out
 * there by hand.
 */
#include "test.h"

#include "core/session/seal.h"
#include "core/session/session.h"

#define T0 INT64_C(1769940000000) /* 2026-02-01T10:00:00.000Z */

static void make_key(struct sn_seal_key *key, const char *id, unsigned char first)
{
    unsigned char bytes[32];

    for (unsigned char i = 0; i < 32; i++) {
        bytes[i] = (unsigned char)(first + i);
    }
    memcpy(key->id, id, strlen(id) + 1);
    sn_secret_set(&key->key, sn_slice_bytes(bytes, sizeof(bytes)));
}

static struct sn_session make_session(void)
{
    return (struct sn_session){.id = {"4g7kq2m9x0v5c8za"},
        .rev = 1,
        .user = SN_S("alice"),
        .account = SN_S("123456789012"),
        .caller_type = SN_S("user"),
        .caller_arn = SN_S("arn:aws:iam::123456789012:user/alice"),
        .vouched = true,
        .profile = SN_S("prod"),
        .role_arn = SN_S("arn:aws:iam::123456789012:role/SentinelProtected-prod"),
        .kind = SN_ISSUE_DIRECT,
        .source_identity = SN_S("sentinel=alice=direct=4g7kq2m9x0v5c8za"),
        .server_instance_id = {"c4q9e2h7m1x5s8z3"},
        .status = SN_SESSION_ACTIVE,
        .started_at_ms = T0,
        .last_access_at_ms = T0,
        .expires_at_ms = T0 + 900000,
        .created_at_ms = T0,
        .updated_at_ms = T0,
        .keys_expire_at_ms = T0 + 900000,
        .request_count = 1,
        .ttl_unix_s = T0 / 1000 + 900 + 90 * 86400};
}

static void session_vector(void **state)
{
    (void)state;
    struct sn_seal_keys keys = {.count = 1};
    struct sn_session session = make_session();
    char seal[SN_SEAL_MAX + 1];

    make_key(&keys.keys[0], "k1", 0);
    sn_session_seal(&keys, &session, seal);
    assert_string_equal(seal, "v1:k1:3959336e07525df5c82295daa3c16015e41ffd43bc0db55d9b2873c9e3651fd2");
    session.seal = sn_slice_str(seal);
    assert_true(sn_session_seal_is_valid(&keys, &session));
    sn_seal_keys_clear(&keys);
}

/* ATK-15: every sealed attribute, changed by one step, breaks the seal; a touch does not. */
static void attack_15_changed_row(void **state)
{
    (void)state;
    struct sn_seal_keys keys = {.count = 1};
    const struct sn_session good = make_session();
    char seal[SN_SEAL_MAX + 1];

    make_key(&keys.keys[0], "k1", 0);
    sn_session_seal(&keys, &good, seal);
#define BROKEN(change)                                                                                                 \
    do {                                                                                                               \
        struct sn_session s = good;                                                                                    \
        s.seal = sn_slice_str(seal);                                                                                   \
        assert_true(sn_session_seal_is_valid(&keys, &s));                                                              \
        change;                                                                                                        \
        if (sn_session_seal_is_valid(&keys, &s)) {                                                                     \
            print_error("accepted: %s\n", #change);                                                                    \
            fail();                                                                                                    \
        }                                                                                                              \
    } while (0)
    BROKEN(s.id.text[0] = '5');
    BROKEN(s.rev = 2);
    BROKEN(s.user = SN_S("bob"));
    BROKEN(s.account = SN_S("210987654321"));
    BROKEN(s.caller_type = SN_S("root"));
    BROKEN(s.caller_role = SN_S("R"));
    BROKEN(s.caller_arn = SN_S("arn:aws:iam::123456789012:user/bob"));
    BROKEN(s.vouched = false);
    BROKEN(s.profile = SN_S("dev"));
    BROKEN(s.role_arn = SN_S("arn:aws:iam::123456789012:role/Other"));
    BROKEN(s.kind = SN_ISSUE_APPROVED);
    BROKEN(s.grant_id = SN_S("9f3k7m2x5c8v1b4n"));
    BROKEN(s.source_identity = SN_S("sentinel=bob=direct=4g7kq2m9x0v5c8za"));
    BROKEN(s.server_instance_id.text[0] = '0');
    BROKEN(s.status = SN_SESSION_REVOKED);
    BROKEN(s.started_at_ms++);
    BROKEN(s.expires_at_ms++);
    BROKEN(s.created_at_ms++);
    BROKEN(s.keys_expire_at_ms++);
    BROKEN(s.device_id = SN_S("d"));
    BROKEN(s.revoked_by = SN_S("x"));
    BROKEN(s.revoked_by_arn = SN_S("x"));
    BROKEN(s.revoked_reason = SN_S("x"));
    BROKEN(s.revoked_at_ms = T0);
    BROKEN(s.keys_denied_at_ms = T0);
    BROKEN(s.seal = SN_S(""));
    BROKEN(s.seal = SN_S("v2:k1:3959336e07525df5c82295daa3c16015e41ffd43bc0db55d9b2873c9e3651fd2"));
    BROKEN(s.seal = SN_S("v1:k2:3959336e07525df5c82295daa3c16015e41ffd43bc0db55d9b2873c9e3651fd2"));
    BROKEN(s.seal = SN_S("v1:k1:3959336E07525DF5C82295DAA3C16015E41FFD43BC0DB55D9B2873C9E3651FD2"));
    BROKEN(s.seal = SN_S("v1:k1:3959336e07525df5c82295daa3c16015e41ffd43bc0db55d9b2873c9e3651fd"));
    BROKEN(s.seal.len--);

    struct sn_session touched = good;
    touched.seal = sn_slice_str(seal);
    touched.last_access_at_ms++;
    touched.updated_at_ms++;
    touched.request_count++;
    assert_true(sn_session_seal_is_valid(&keys, &touched));
    sn_seal_keys_clear(&keys);
}

/* ATK-15: text moved from one attribute to its neighbour, or a row moved to another kind, is another text. */
static void attack_15_moved_text(void **state)
{
    (void)state;
    struct sn_seal_keys keys = {.count = 1};
    SN_AUTO(sn_canon_clear) struct sn_canon a = {0};
    SN_AUTO(sn_canon_clear) struct sn_canon b = {0};
    SN_AUTO(sn_canon_clear) struct sn_canon c = {0};
    char seal[SN_SEAL_MAX + 1];

    make_key(&keys.keys[0], "k1", 0);
    sn_canon_begin(&a, "session");
    sn_canon_text(&a, "x", SN_S("1\ny:1:2"));
    sn_canon_begin(&b, "session");
    sn_canon_text(&b, "x", SN_S("1"));
    sn_canon_text(&b, "y", SN_S("2"));
    sn_canon_begin(&c, "block");
    sn_canon_text(&c, "x", SN_S("1\ny:1:2"));
    sn_seal_make(&keys, &a, seal);
    assert_true(sn_seal_is_valid(&keys, &a, sn_slice_str(seal)));
    assert_false(sn_seal_is_valid(&keys, &b, sn_slice_str(seal)));
    assert_false(sn_seal_is_valid(&keys, &c, sn_slice_str(seal)));
    sn_seal_keys_clear(&keys);
}

static void canonical_text(void **state)
{
    (void)state;
    SN_AUTO(sn_canon_clear) struct sn_canon canon = {0};

    sn_canon_begin(&canon, "session");
    sn_canon_text(&canon, "a", SN_S("x:y"));
    sn_canon_text(&canon, "b", SN_S(""));
    sn_canon_int(&canon, "n", -12);
    sn_canon_bool(&canon, "t", true);
    sn_canon_bool(&canon, "f", false);
    sn_canon_time(&canon, "at", T0);
    sn_canon_time(&canon, "none", 0);
    assert_slice_equal(sn_buf_slice(&canon.text),
        "sentinel-seal-v1\nsession\na:3:x:y\nb:0:\nn:3:-12\nt:4:true\nf:5:false\n"
        "at:24:2026-02-01T10:00:00.000Z\nnone:0:\n");
}

/* After a rotation the new key seals and the old one still verifies; once dropped it no longer does. */
static void key_rotation(void **state)
{
    (void)state;
    struct sn_seal_keys old_keys = {.count = 1};
    struct sn_seal_keys both = {.count = 2};
    struct sn_seal_keys new_keys = {.count = 1};
    struct sn_session session = make_session();
    char seal[SN_SEAL_MAX + 1];
    char new_seal[SN_SEAL_MAX + 1];

    make_key(&old_keys.keys[0], "k1", 0);
    make_key(&both.keys[0], "k2", 32);
    make_key(&both.keys[1], "k1", 0);
    make_key(&new_keys.keys[0], "k2", 32);
    sn_session_seal(&old_keys, &session, seal);
    session.seal = sn_slice_str(seal);
    assert_true(sn_session_seal_is_valid(&both, &session));
    assert_false(sn_session_seal_is_valid(&new_keys, &session));
    sn_session_seal(&both, &session, new_seal);
    assert_memory_equal(new_seal, "v1:k2:", 6);
    session.seal = sn_slice_str(new_seal);
    assert_true(sn_session_seal_is_valid(&new_keys, &session));
    assert_false(sn_session_seal_is_valid(&old_keys, &session));
    sn_seal_keys_clear(&old_keys);
    sn_seal_keys_clear(&both);
    sn_seal_keys_clear(&new_keys);
}

/* ATK-24: a marker blocks until its end, and whoever breaks it makes it block for ever. */
static void attack_24_broken_marker_blocks(void **state)
{
    (void)state;
    struct sn_seal_keys keys = {.count = 1};
    struct sn_block_marker marker = {.id = SN_S("block#profile#prod#0"),
        .blocked_until_ms = T0 + 12 * 3600000,
        .blocked_by = SN_S("sec-lead"),
        .reason = SN_S("laptop lost")};
    char seal[SN_SEAL_MAX + 1];

    make_key(&keys.keys[0], "k1", 0);
    sn_block_marker_seal(&keys, &marker, seal);
    assert_string_equal(seal, "v1:k1:74f275bbc3c805b1b39c01b0590ee65ae8a3d8341ceb443d767d2d7e5f6ed0d0");
    marker.seal = sn_slice_str(seal);
    assert_true(sn_block_marker_is_in_force(&keys, &marker, T0));
    assert_true(sn_block_marker_is_in_force(&keys, &marker, marker.blocked_until_ms - 1));
    assert_false(sn_block_marker_is_in_force(&keys, &marker, marker.blocked_until_ms));
    marker.blocked_until_ms = T0 - 1; /* lifted by hand */
    assert_true(sn_block_marker_is_in_force(&keys, &marker, T0));
    sn_seal_keys_clear(&keys);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(session_vector),
        cmocka_unit_test(attack_15_changed_row),
        cmocka_unit_test(attack_15_moved_text),
        cmocka_unit_test(canonical_text),
        cmocka_unit_test(key_rotation),
        cmocka_unit_test(attack_24_broken_marker_blocks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
