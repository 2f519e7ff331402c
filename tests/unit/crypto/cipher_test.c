/* SPDX-License-Identifier: Apache-2.0 */
/* tests/unit/crypto/cipher_test.c - published vectors of PBKDF2, key wrap and GCM; changed bytes are noticed. */
#include "test.h"

#include "codec/base64.h"
#include "crypto/cipher.h"

static void set_hex(struct sn_secret *secret, const char *hex)
{
    struct sn_error err = {0};

    sn_secret_alloc(secret, strlen(hex) / 2);
    assert_ok(sn_hex_decode(sn_slice_str(hex), true, secret->bytes, secret->len, &err), &err);
}

static void assert_hex(struct sn_slice bytes, const char *expected)
{
    SN_AUTO(sn_buf_clear) struct sn_buf hex = {0};

    sn_buf_add_hex(&hex, bytes.ptr, bytes.len);
    assert_slice_equal(sn_buf_slice(&hex), expected);
}

/* RFC 7914, section 11. */
static void pbkdf2_vectors(void **state)
{
    (void)state;
    static const struct {
        const char *passphrase, *salt;
        uint32_t iterations;
        const char *key;
    } rows[] = {
        {"passwd", "salt", 1,
            "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc49ca9cccf179b645991664b39d77ef317c71b845b1"
            "e30bd5"
            "09112041d3a19783"},
        {"Password", "NaCl", 80000,
            "4ddcd8f60b98be21830cee5ef22701f9641a4418d04c0414aeff08876b34ab56a1d425a1225833549adb841b51c9b3176a272bdebb"
            "a1d0"
            "78478f62b397f33c8d"},
    };
    for (size_t i = 0; i < SN_LEN(rows); i++) {
        SN_AUTO(sn_secret_clear) struct sn_secret passphrase = {0};
        SN_AUTO(sn_secret_clear) struct sn_secret key = {0};
        sn_secret_set(&passphrase, sn_slice_str(rows[i].passphrase));
        sn_pbkdf2_sha256(&passphrase, sn_slice_str(rows[i].salt), rows[i].iterations, 64, &key);
        assert_hex(sn_secret_reveal(&key), rows[i].key);
    }
}

/* RFC 3394, sections 4.1, and 4.6 with a key of 128 bits as RFC 7518 uses it: wrapped and back; a changed byte is not.
 */
static void key_wrap(void **state)
{
    (void)state;
    SN_AUTO(sn_secret_clear) struct sn_secret wrapping = {0};
    SN_AUTO(sn_secret_clear) struct sn_secret key = {0};
    SN_AUTO(sn_secret_clear) struct sn_secret again = {0};
    SN_AUTO(sn_buf_clear) struct sn_buf wrapped = {0};

    set_hex(&wrapping, "000102030405060708090A0B0C0D0E0F");
    set_hex(&key, "00112233445566778899AABBCCDDEEFF");
    sn_aes128_wrap(&wrapping, &key, &wrapped);
    assert_hex(sn_buf_slice(&wrapped), "1fa68b0a8112b447aef34bd8fb5a7b829d3e862371d2cfe5");
    assert_true(sn_aes128_unwrap(&wrapping, sn_buf_slice(&wrapped), &again));
    assert_true(sn_secret_eq(&key, &again));
    for (size_t i = 0; i < wrapped.len; i++) {
        wrapped.ptr[i] = (char)(wrapped.ptr[i] ^ 1);
        assert_false(sn_aes128_unwrap(&wrapping, sn_buf_slice(&wrapped), &again));
        wrapped.ptr[i] = (char)(wrapped.ptr[i] ^ 1);
    }
    assert_false(sn_aes128_unwrap(&wrapping, sn_slice_sub(sn_buf_slice(&wrapped), 0, 16), &again));
    assert_false(sn_aes128_unwrap(&wrapping, sn_slice_sub(sn_buf_slice(&wrapped), 0, 23), &again));
}

/* The Galois/Counter Mode of Operation, McGrew and Viega, test case 16. */
static void gcm(void **state)
{
    (void)state;
    SN_AUTO(sn_secret_clear) struct sn_secret key = {0};
    SN_AUTO(sn_secret_clear) struct sn_secret iv = {0};
    SN_AUTO(sn_secret_clear) struct sn_secret plain = {0};
    SN_AUTO(sn_secret_clear) struct sn_secret associated = {0};
    SN_AUTO(sn_secret_clear) struct sn_secret again = {0};
    SN_AUTO(sn_buf_clear) struct sn_buf sealed = {0};
    unsigned char tag[SN_GCM_TAG_LEN];

    set_hex(&key, "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308");
    set_hex(&iv, "cafebabefacedbaddecaf888");
    set_hex(&plain,
        "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5"
        "aa0de657ba637b39");
    set_hex(&associated, "feedfacedeadbeeffeedfacedeadbeefabaddad2");
    struct sn_slice with = sn_secret_reveal(&associated);
    sn_aes256_gcm_seal(&key, iv.bytes, with, sn_secret_reveal(&plain), &sealed, tag);
    assert_hex(sn_buf_slice(&sealed),
        "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b0"
        "8b1056828838c5f61e6393ba7a0abcc9f662");
    assert_hex(sn_slice_bytes(tag, sizeof(tag)), "76fc6ece0f4e1768cddf8853bb2d551b");
    assert_true(sn_aes256_gcm_open(&key, iv.bytes, with, sn_buf_slice(&sealed), tag, &again));
    assert_true(sn_secret_eq(&plain, &again));
    sn_secret_clear(&again);
    assert_false(sn_aes256_gcm_open(&key, iv.bytes, sn_slice_sub(with, 0, 19), sn_buf_slice(&sealed), tag, &again));
    tag[15] ^= 1;
    assert_false(sn_aes256_gcm_open(&key, iv.bytes, with, sn_buf_slice(&sealed), tag, &again));
    tag[15] ^= 1;
    sealed.ptr[0] = (char)(sealed.ptr[0] ^ 1);
    assert_false(sn_aes256_gcm_open(&key, iv.bytes, with, sn_buf_slice(&sealed), tag, &again));
    assert_false(sn_secret_is_set(&again));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pbkdf2_vectors),
        cmocka_unit_test(key_wrap),
        cmocka_unit_test(gcm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
