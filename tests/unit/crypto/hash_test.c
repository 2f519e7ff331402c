/* SPDX-License-Identifier: Apache-2.0 */
/* tests/unit/crypto/hash_test.c - published vectors, and HMAC under a kept key against HMAC in one call. */
#include "test.h"

#include <pthread.h>

#include "crypto/hash.h"

static void assert_hex(const unsigned char *bytes, size_t len, const char *expected)
{
    struct sn_buf hex = {0};
    sn_buf_add_hex(&hex, bytes, len);
    assert_slice_equal(sn_buf_slice(&hex), expected);
    sn_buf_clear(&hex);
}

/* FIPS 180-4 examples. */
static void sha_vectors(void **state)
{
    (void)state;
    static const struct {
        const char *text, *sha256, *sha1;
    } rows[] = {
        {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            "da39a3ee5e6b4b0d3255bfef95601890afd80709"},
        {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
            "a9993e364706816aba3e25717850c26c9cd0d89d"},
        {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
            "84983e441c3bd26ebaae4aa1f95129e5e54670f1"},
    };
    for (size_t i = 0; i < SN_LEN(rows); i++) {
        struct sn_slice text = sn_slice_str(rows[i].text);
        unsigned char hash[SN_SHA256_LEN];
        char hex[SN_SHA256_HEX_LEN + 1];
        sn_sha256(text, hash);
        assert_hex(hash, sizeof hash, rows[i].sha256);
        sn_sha256_hex(text, hex);
        assert_string_equal(hex, rows[i].sha256);
        const struct sn_slice parts[] = {sn_slice_sub(text, 0, 1), {NULL, 0}, sn_slice_sub(text, 1, SIZE_MAX)};
        sn_sha256_parts(parts, SN_LEN(parts), hash);
        assert_hex(hash, sizeof hash, rows[i].sha256);
        unsigned char sha1[SN_SHA1_LEN];
        sn_sha1(text, sha1);
        assert_hex(sha1, sizeof sha1, rows[i].sha1);
    }
    unsigned char hash[SN_SHA256_LEN];
    sn_sha256((struct sn_slice){NULL, 0}, hash);
    assert_hex(hash, sizeof hash, rows[0].sha256);
}

static struct sn_slice repeated(char *room, char byte, size_t len)
{
    memset(room, byte, len);
    return (struct sn_slice){room, len};
}

/* RFC 4231, cases 1 to 4, 6 and 7, and the empty key. */
static void hmac_vectors(void **state)
{
    (void)state;
    char key1[20], key3[20], key4[25], data3[50], data4[50], key6[131];
    for (size_t i = 0; i < sizeof key4; i++) {
        key4[i] = (char)(i + 1);
    }
    const struct {
        struct sn_slice key, message;
        const char *mac;
    } rows[] = {
        {repeated(key1, 0x0b, sizeof key1), SN_S("Hi There"),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
        {SN_S("Jefe"), SN_S("what do ya want for nothing?"),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
        {repeated(key3, (char)0xaa, sizeof key3), repeated(data3, (char)0xdd, sizeof data3),
            "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"},
        {{key4, sizeof key4}, repeated(data4, (char)0xcd, sizeof data4),
            "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"},
        {repeated(key6, (char)0xaa, sizeof key6), SN_S("Test Using Larger Than Block-Size Key - Hash Key First"),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"},
        {{key6, sizeof key6},
            SN_S("This is a test using a larger than block-size key and a larger than block-size data. The key needs "
                 "to be "
                 "hashed before being used by the HMAC algorithm."),
            "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"},
        {{NULL, 0}, {NULL, 0}, "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad"},
    };
    for (size_t i = 0; i < SN_LEN(rows); i++) {
        unsigned char mac[SN_SHA256_LEN];
        sn_hmac_sha256(rows[i].key, rows[i].message, mac);
        assert_hex(mac, sizeof mac, rows[i].mac);

        struct sn_secret key = {0};
        struct sn_hmac hmac = {0};
        sn_secret_set(&key, rows[i].key);
        sn_hmac_init(&hmac, &key);
        sn_secret_clear(&key); /* the state does not need it any more */
        for (int round = 0; round < 3; round++) {
            sn_hmac_begin(&hmac);
            sn_hmac_update(&hmac, sn_slice_sub(rows[i].message, 0, 7));
            sn_hmac_update(&hmac, sn_slice_sub(rows[i].message, 7, SIZE_MAX));
            sn_hmac_finish(&hmac, mac);
            assert_hex(mac, sizeof mac, rows[i].mac);
        }
        /* What was begun and not finished leaves nothing behind. */
        sn_hmac_begin(&hmac);
        sn_hmac_update(&hmac, SN_S("dropped"));
        sn_hmac_begin(&hmac);
        sn_hmac_update(&hmac, rows[i].message);
        sn_hmac_finish(&hmac, mac);
        assert_hex(mac, sizeof mac, rows[i].mac);
        sn_hmac_clear(&hmac);
        sn_hmac_clear(&hmac);
    }
}

static void *hash_much(void *ctx)
{
    for (int i = 0; i < 2000; i++) {
        char hex[SN_SHA256_HEX_LEN + 1];
        unsigned char mac[SN_SHA256_LEN];
        sn_sha256_hex(SN_S("abc"), hex);
        sn_hmac_sha256(SN_S("Jefe"), SN_S("what do ya want for nothing?"), mac);
        if (strcmp(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad") != 0 || mac[0] != 0x5b) {
            return NULL;
        }
    }
    return ctx;
}

static void threads_do_not_disturb_each_other(void **state)
{
    (void)state;
    pthread_t threads[4];
    int good = 1;
    for (size_t i = 0; i < SN_LEN(threads); i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, hash_much, &good), 0);
    }
    for (size_t i = 0; i < SN_LEN(threads); i++) {
        void *result = NULL;
        assert_int_equal(pthread_join(threads[i], &result), 0);
        assert_ptr_equal(result, &good);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sha_vectors),
        cmocka_unit_test(hmac_vectors),
        cmocka_unit_test(threads_do_not_disturb_each_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
