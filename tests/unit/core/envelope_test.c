/* SPDX-License-Identifier: Apache-2.0 */
/* Unit tests of core/policy/envelope.c and crypto/sign.c: the published vector, and everything that is not it. */
#include "test.h"

#include "core/policy/envelope.h"

#define NAME "/sentinel/policies/payments"
#define HASH "8162b46bd7a27a9401a61d6f909c7232f42100997af046bc4b7d3d4a614a725a"
#define KEY_ID "ed25519/56475aa75463474c0285df5dbf2bcab7"
#define SIGNATURE "/gYtAp/uwdr0/lUp+/YOKnORmR/ZG9fBp7GcaqRo7YTrd4YoaYAYk5mApWo/MfV8wtiI68BIGFZ46gAbyoBXAA=="
#define DOCUMENT                                                                                                       \
    "version: \"1\"\nrules:\n  - name: default-deny\n    effect: deny\n    conditions:\n      profiles: [payments]\n"
/* PKCS#8 of the private key 00 01 .. 1f */
#define PRIVATE_PEM                                                                                                    \
    "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f\n"                  \
    "-----END PRIVATE KEY-----\n"
#define META(alg, more)                                                                                                \
    "\"metadata\":{\"key_id\":\"" KEY_ID "\",\"algorithm\":\"" alg                                                     \
    "\",\"signed_at\":\"2026-01-01T00:00:00.000Z\",\"policy_hash\":\"" HASH "\"" more "}"
#define BOUND ",\"parameter\":\"" NAME "\",\"serial\":1767225600"
#define ENVELOPE "{\"version\":2,\"signature\":\"" SIGNATURE "\"," META("ED25519", BOUND) "}"

static struct sn_private_key *private_key(void)
{
    SN_AUTO(sn_secret_clear) struct sn_secret pem = {0};
    struct sn_private_key *key = NULL;
    struct sn_error err = {0};
    sn_secret_set(&pem, SN_S(PRIVATE_PEM));
    assert_false(sn_private_key_is_encrypted(&pem));
    assert_ok(sn_private_key_parse(&pem, NULL, &key, &err), &err);
    return key;
}

static struct sn_public_key *public_key(void)
{
    static const unsigned char raw[32] = {0x03, 0xa1, 0x07, 0xbf, 0xf3, 0xce, 0x10, 0xbe, 0x1d, 0x70, 0xdd, 0x18, 0xe7,
        0x4b, 0xc0, 0x99, 0x67, 0xe4, 0xd6, 0x30, 0x9b, 0xa5, 0x0d, 0x5f, 0x1d, 0xdc, 0x86, 0x64, 0x12, 0x55, 0x31,
        0xb8};
    struct sn_public_key *key = NULL;
    struct sn_error err = {0};
    assert_ok(sn_public_key_from_ed25519(raw, &key, &err), &err);
    return key;
}

static struct sn_envelope parsed(const char *text)
{
    struct sn_envelope envelope = {0};
    struct sn_error err = {0};
    assert_ok(sn_envelope_parse(sn_slice_str(text), &envelope, &err), &err);
    return envelope;
}

/* "" when the envelope is accepted, else the code of the refusal. */
static const char *verdict(const struct sn_envelope *envelope, struct sn_slice document, const char *name,
    int64_t min_serial, bool allow_unbound)
{
    static char code[SN_ERROR_CODE_MAX];
    SN_AUTO(sn_public_key_free_p) struct sn_public_key *key = public_key();
    const struct sn_signature_key keys[] = {{.local = key}};
    const char *used = NULL;
    struct sn_signature_rules rules = {keys, 1, name, min_serial, allow_unbound};
    struct sn_error err = {0};
    enum sn_status status = sn_envelope_verify(envelope, document, &rules, &used, &err);
    if (status == SN_OK) {
        assert_string_equal(used, KEY_ID);
        return "";
    }
    assert_int_equal(status, SN_DENIED);
    snprintf(code, sizeof(code), "%s", err.code);
    return code;
}

/* POL-49: the key gives its id, the document its hash and message, and signing exactly that signature. */
static void published_vector(void **state)
{
    SN_AUTO(sn_private_key_free_p) struct sn_private_key *key = private_key();
    SN_AUTO(sn_public_key_free_p) struct sn_public_key *public = public_key();
    SN_AUTO(sn_buf_clear) struct sn_buf text = {0};
    char digest[SN_SHA256_HEX_LEN + 1];
    struct sn_error err = {0};
    struct sn_envelope envelope = {
        .is_bound = true, .serial = 1767225600, .parameter = NAME, .signed_at = "2026-01-01T00:00:00.000Z"};
    (void)state;

    assert_int_equal(strlen(DOCUMENT), 103);
    assert_string_equal(sn_public_key_id(public), KEY_ID);
    assert_ok(sn_envelope_sign(&envelope, SN_S(DOCUMENT), key, &err), &err);
    assert_string_equal(envelope.policy_hash, HASH);
    assert_string_equal(envelope.key_id, KEY_ID);
    sn_envelope_message(&text, &envelope, SN_S(DOCUMENT));
    assert_int_equal(text.len, 217);
    sn_sha256_hex(sn_buf_slice(&text), digest);
    assert_string_equal(digest, "81d4ce18e59002b1012ff6b28cae3d3eeaa4b79f8946b28be1b74f1452935642");
    sn_buf_reset(&text);
    sn_envelope_format(&text, &envelope, false);
    assert_string_equal(sn_buf_str(&text), ENVELOPE);
    envelope = parsed(ENVELOPE);
    assert_string_equal(verdict(&envelope, SN_S(DOCUMENT), NAME, 0, false), "");
}

/* POL-49, POL-27: any bit of document, message or signature changed, and it fails. */
static void any_changed_bit_fails(void **state)
{
    char document[] = DOCUMENT;
    struct sn_envelope envelope = parsed(ENVELOPE);
    (void)state;
    for (size_t bit = 0; bit < (sizeof(document) - 1) * 8; bit++) {
        document[bit / 8] = (char)(document[bit / 8] ^ (1 << (bit % 8)));
        assert_string_equal(
            verdict(&envelope, sn_slice_bytes(document, sizeof(document) - 1), NAME, 0, false), "SIGNATURE_HASH");
        document[bit / 8] = (char)(document[bit / 8] ^ (1 << (bit % 8)));
    }
    for (size_t bit = 0; bit < envelope.signature_len * 8; bit++) {
        struct sn_envelope changed = envelope;
        changed.signature[bit / 8] ^= (unsigned char)(1 << (bit % 8));
        assert_string_equal(verdict(&changed, SN_S(DOCUMENT), NAME, 0, false), "SIGNATURE_INVALID");
    }
    struct sn_envelope changed = envelope;
    changed.serial++;
    assert_string_equal(verdict(&changed, SN_S(DOCUMENT), NAME, 0, false), "SIGNATURE_INVALID");
    changed = envelope;
    changed.signed_at[0] = '1';
    assert_string_equal(verdict(&changed, SN_S(DOCUMENT), NAME, 0, false), "SIGNATURE_INVALID");
    changed = envelope;
    changed.algorithm = SN_SIGN_RSA_PSS;
    assert_string_equal(verdict(&changed, SN_S(DOCUMENT), NAME, 0, false), "SIGNATURE_ALGORITHM");
    changed = envelope;
    changed.signature_len--;
    assert_string_equal(verdict(&changed, SN_S(DOCUMENT), NAME, 0, false), "SIGNATURE_INVALID");
    document[0] = 'V';
    assert_string_equal(
        verdict(&envelope, sn_slice_bytes(document, sizeof(document)), NAME, 0, false), "SIGNATURE_HASH");
}

/* POL-28, POL-29, POL-31: moved, old, unbound, or signed by a key that only the envelope names. */
static void bindings(void **state)
{
    struct sn_envelope envelope = parsed(ENVELOPE);
    SN_AUTO(sn_private_key_free_p) struct sn_private_key *key = private_key();
    struct sn_error err = {0};
    (void)state;
    assert_string_equal(verdict(&envelope, SN_S(DOCUMENT), "/sentinel/policies/other", 0, false), "SIGNATURE_BINDING");
    assert_string_equal(verdict(&envelope, SN_S(DOCUMENT), NULL, 0, false), "");
    assert_string_equal(verdict(&envelope, SN_S(DOCUMENT), NAME, 1767225600, false), "");
    assert_string_equal(verdict(&envelope, SN_S(DOCUMENT), NAME, 1767225601, false), "SIGNATURE_SERIAL");

    struct sn_envelope unbound = {.signed_at = "2026-01-01T00:00:00.000Z"};
    assert_ok(sn_envelope_sign(&unbound, SN_S(DOCUMENT), key, &err), &err);
    assert_string_equal(verdict(&unbound, SN_S(DOCUMENT), NAME, 0, false), "SIGNATURE_UNBOUND");
    assert_string_equal(verdict(&unbound, SN_S(DOCUMENT), NAME, 0, true), "");

    static const unsigned char seed_pem[] =
        "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIAEBAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f\n"
        "-----END PRIVATE KEY-----\n";
    SN_AUTO(sn_secret_clear) struct sn_secret pem = {0};
    SN_AUTO(sn_private_key_free_p) struct sn_private_key *other = NULL;
    sn_secret_set(&pem, sn_slice_str((const char *)seed_pem));
    assert_ok(sn_private_key_parse(&pem, NULL, &other, &err), &err);
    assert_ok(sn_envelope_sign(&envelope, SN_S(DOCUMENT), other, &err), &err);
    assert_string_equal(verdict(&envelope, SN_S(DOCUMENT), NAME, 0, false), "SIGNATURE_INVALID");
    snprintf(envelope.key_id, sizeof(envelope.key_id), "%s", KEY_ID); /* and lies about it */
    assert_string_equal(verdict(&envelope, SN_S(DOCUMENT), NAME, 0, false), "SIGNATURE_INVALID");
}

#define SIG "\"signature\":\"" SIGNATURE "\","

/* Everything unexpected is malformed. */
static void malformed_envelopes(void **state)
{
    static const struct {
        const char *name, *text;
    } rows[] = {
        {"empty", ""},
        {"no object", "[]"},
        {"cut off", "{" SIG META("ED25519", "")},
        {"text behind", "{" SIG META("ED25519", "") "} x"},
        {"unknown member", "{" SIG "\"x\":1," META("ED25519", "") "}"},
        {"unknown metadata", "{" SIG META("ED25519", ",\"x\":1") "}"},
        {"member twice", "{" SIG SIG META("ED25519", "") "}"},
        {"metadata twice", "{" SIG META("ED25519", ",\"key_id\":\"k\"") "}"},
        {"no signature", "{" META("ED25519", "") "}"},
        {"no metadata", "{\"signature\":\"" SIGNATURE "\"}"},
        {"metadata of another kind", "{" SIG "\"metadata\":[]}"},
        {"signature of another kind", "{\"signature\":1," META("ED25519", "") "}"},
        {"version 1", "{\"version\":1," SIG META("ED25519", BOUND) "}"},
        {"version as text", "{\"version\":\"2\"," SIG META("ED25519", BOUND) "}"},
        {"bound without a name", "{\"version\":2," SIG META("ED25519", ",\"serial\":1") "}"},
        {"bound without a serial", "{\"version\":2," SIG META("ED25519", ",\"parameter\":\"" NAME "\"") "}"},
        {"a name and no version", "{" SIG META("ED25519", BOUND) "}"},
        {"serial 0", "{\"version\":2," SIG META("ED25519", ",\"parameter\":\"" NAME "\",\"serial\":0") "}"},
        {"negative serial", "{\"version\":2," SIG META("ED25519", ",\"parameter\":\"" NAME "\",\"serial\":-1") "}"},
        {"serial 2^53",
            "{\"version\":2," SIG META("ED25519", ",\"parameter\":\"" NAME "\",\"serial\":9007199254740992") "}"},
        {"serial with a fraction",
            "{\"version\":2," SIG META("ED25519", ",\"parameter\":\"" NAME "\",\"serial\":1.0") "}"},
        {"a line break in the name",
            "{\"version\":2," SIG META("ED25519", ",\"parameter\":\"/a\\nserial=9\",\"serial\":1") "}"},
        {"a relative name", "{\"version\":2," SIG META("ED25519", ",\"parameter\":\"a/b\",\"serial\":1") "}"},
        {"unknown algorithm", "{" SIG META("ed25519", "") "}"},
        {"no base64", "{\"signature\":\"!!\"," META("ED25519", "") "}"},
        {"base64 without padding", "{\"signature\":\"QQ\"," META("ED25519", "") "}"},
        {"empty signature", "{\"signature\":\"\"," META("ED25519", "") "}"},
        {"hash in upper case",
            "{" SIG "\"metadata\":{\"key_id\":\"k\",\"algorithm\":\"ED25519\",\"signed_at\":\"2026-01-01T00:00:00."
            "000Z\",\"policy_hash\":\"8162B46BD7A27A9401A61D6F909C7232F42100997AF046BC4B7D3D4A614A725A\"}}"},
        {"empty hash", "{" SIG "\"metadata\":{\"key_id\":\"k\",\"algorithm\":\"ED25519\",\"signed_at\":\"2026-01-01T00:"
                       "00:00.000Z\",\"policy_hash\":\"\"}}"},
        {"time without fraction", "{" SIG "\"metadata\":{\"key_id\":\"k\",\"algorithm\":\"ED25519\",\"signed_at\":"
                                  "\"2026-01-01T00:00:00Z\",\"policy_hash\":\"" HASH "\"}}"},
        {"empty key id", "{" SIG "\"metadata\":{\"key_id\":\"\",\"algorithm\":\"ED25519\",\"signed_at\":\"2026-01-"
                         "01T00:00:00.000Z\",\"policy_hash\":\"" HASH "\"}}"},
        {"key id with an escape", "{" SIG "\"metadata\":{\"key_id\":\"\\u001b[0m\",\"algorithm\":\"ED25519\",\"signed_"
                                  "at\":\"2026-01-01T00:00:00.000Z\",\"policy_hash\":\"" HASH "\"}}"},
    };
    (void)state;
    for (size_t i = 0; i < SN_LEN(rows); i++) {
        struct sn_envelope envelope;
        struct sn_error err = {0};
        print_message("# %s\n", rows[i].name);
        assert_fails(sn_envelope_parse(sn_slice_str(rows[i].text), &envelope, &err), &err, "SIGNATURE_MALFORMED");
    }
    char large[SN_ENVELOPE_MAX_BYTES + 2];
    memset(large, ' ', sizeof(large));
    memcpy(large, ENVELOPE, strlen(ENVELOPE));
    struct sn_envelope envelope;
    struct sn_error err = {0};
    assert_ok(sn_envelope_parse(sn_slice_bytes(large, SN_ENVELOPE_MAX_BYTES), &envelope, &err), &err);
    assert_fails(sn_envelope_parse(sn_slice_bytes(large, SN_ENVELOPE_MAX_BYTES + 1), &envelope, &err), &err,
        "SIGNATURE_MALFORMED");
}

/* Both written forms read back as the same envelope. */
static void forms_read_back(void **state)
{
    struct sn_envelope envelope = parsed(ENVELOPE), again;
    (void)state;
    for (int is_file = 0; is_file < 2; is_file++) {
        SN_AUTO(sn_buf_clear) struct sn_buf text = {0};
        sn_envelope_format(&text, &envelope, is_file == 1);
        assert_int_equal(text.ptr[text.len - 1] == '\n', is_file == 1);
        again = parsed(sn_buf_str(&text));
        assert_memory_equal(&again, &envelope, sizeof(again));
    }
}

static void document_names(void **state)
{
    static const struct {
        const char *name;
        bool is_valid;
    } rows[] = {{"/a", true}, {"/sentinel/policies/team/dev-1_x.y", true},
        {"/1/2/3/4/5/6/7/8/9/10/11/12/13/14/15", true}, {"/1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16", false}, {"", false},
        {"/", false}, {"a", false}, {"//a", false}, {"/a/", false}, {"/a b", false}, {"/a\n", false}};
    (void)state;
    for (size_t i = 0; i < SN_LEN(rows); i++) {
        print_message("# %s\n", rows[i].name);
        assert_int_equal(sn_document_name_is_valid(sn_slice_str(rows[i].name)), rows[i].is_valid);
    }
}

static void bad_keys(void **state)
{
    static const char x25519[] = "-----BEGIN PUBLIC KEY-----\n"
                                 "MCowBQYDK2VuAyEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"
                                 "-----END PUBLIC KEY-----\n"; /* cannot sign */
    static const char *const texts[] = {"", "nonsense", PRIVATE_PEM, x25519};
    (void)state;
    for (size_t i = 0; i < SN_LEN(texts); i++) {
        struct sn_public_key *key = NULL;
        struct sn_private_key *private = NULL;
        SN_AUTO(sn_secret_clear) struct sn_secret pem = {0};
        struct sn_error err = {0};
        assert_fails(sn_public_key_parse(sn_slice_str(texts[i]), &key, &err), &err, "INVALID_KEY");
        sn_secret_set(&pem, sn_slice_str(texts[i]));
        if (i != 2) {
            assert_fails(sn_private_key_parse(&pem, NULL, &private, &err), &err, "INVALID_KEY");
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_vector),
        cmocka_unit_test(any_changed_bit_fails),
        cmocka_unit_test(bindings),
        cmocka_unit_test(malformed_envelopes),
        cmocka_unit_test(forms_read_back),
        cmocka_unit_test(document_names),
        cmocka_unit_test(bad_keys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
