/* SPDX-License-Identifier: Apache-2.0 */
/* tests/unit/codec/base64_test.c - the vectors of RFC 4648 and what strict decoders refuse. */
#include "test.h"

#include "codec/base64.h"

/* RFC 4648, section 10. */
static void rfc4648_vectors(void **state)
{
    (void)state;
    static const struct {
        const char *bytes, *base64, *base64url;
    } rows[] = {
        {"", "", ""},
        {"f", "Zg==", "Zg"},
        {"fo", "Zm8=", "Zm8"},
        {"foo", "Zm9v", "Zm9v"},
        {"foob", "Zm9vYg==", "Zm9vYg"},
        {"fooba", "Zm9vYmE=", "Zm9vYmE"},
        {"foobar", "Zm9vYmFy", "Zm9vYmFy"},
        {"\xfb\xff\xbf", "+/+/", "-_-_"},
    };
    for (size_t i = 0; i < SN_LEN(rows); i++) {
        struct sn_buf buf = {0};
        struct sn_error err;
        sn_base64_encode(&buf, rows[i].bytes, strlen(rows[i].bytes));
        assert_slice_equal(sn_buf_slice(&buf), rows[i].base64);
        sn_buf_reset(&buf);
        sn_base64url_encode(&buf, rows[i].bytes, strlen(rows[i].bytes));
        assert_slice_equal(sn_buf_slice(&buf), rows[i].base64url);
        sn_buf_reset(&buf);
        assert_ok(sn_base64_decode(sn_slice_str(rows[i].base64), &buf, &err), &err);
        assert_slice_equal(sn_buf_slice(&buf), rows[i].bytes);
        sn_buf_reset(&buf);
        assert_ok(sn_base64url_decode(sn_slice_str(rows[i].base64url), &buf, &err), &err);
        assert_slice_equal(sn_buf_slice(&buf), rows[i].bytes);
        sn_buf_clear(&buf);
    }
}

static void every_byte_comes_back(void **state)
{
    (void)state;
    unsigned char bytes[256];
    for (size_t i = 0; i < sizeof bytes; i++) {
        bytes[i] = (unsigned char)(255 - i);
    }
    for (size_t len = 0; len <= sizeof bytes; len++) {
        struct sn_buf text = {0};
        struct sn_buf back = {0};
        struct sn_error err;
        sn_base64url_encode(&text, bytes, len);
        assert_ok(sn_base64url_decode(sn_buf_slice(&text), &back, &err), &err);
        assert_true(sn_slice_eq(sn_buf_slice(&back), sn_slice_bytes(bytes, len)));
        sn_buf_clear(&text);
        sn_buf_clear(&back);
    }
}

static void decoders_refuse(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool url;
    } rows[] = {
        {"Zg", false},
        {"Zg=", false},
        {"Zg===", false},
        {"====", false},
        {"Z===", false},
        {"=Zg=", false},
        {"Zg==Zg==", false},
        {"Zm8=Zm8=", false},
        {"Zh==", false},
        {"Zm9=", false},
        {"Zm9v\n", false},
        {" Zm9", false},
        {"Zm-_", false},
        {"Zm9\x80", false},
        {"Z", true},
        {"Zm9vY", true},
        {"Zg==", true},
        {"Zh", true},
        {"Zm9", true},
        {"+/+/", true},
        {"Zm 9", true},
        {"Zm9[", true},
        {"Zm9`", true},
        {"Zm9@", true},
        {"Zm9{", true},
        {"Zm9:", true},
    };
    for (size_t i = 0; i < SN_LEN(rows); i++) {
        print_message("# %s\n", rows[i].text);
        struct sn_buf buf = {0};
        struct sn_error err;
        struct sn_slice text = sn_slice_str(rows[i].text);
        assert_fails(rows[i].url ? sn_base64url_decode(text, &buf, &err) : sn_base64_decode(text, &buf, &err), &err,
            "INVALID_BASE64");
        assert_int_equal(buf.len, 0);
        sn_buf_clear(&buf);
    }
    struct sn_buf small = SN_BUF_INIT(2);
    struct sn_error err;
    assert_fails(sn_base64_decode(SN_S("Zm9v"), &small, &err), &err, "TOO_LARGE");
    sn_buf_clear(&small);
}

static void hex_is_exact(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool allow_upper;
        size_t len;
        bool good;
    } rows[] = {
        {"00ff7a", false, 3, true},
        {"00FF7a", false, 3, false},
        {"00FF7a", true, 3, true},
        {"00ff7", false, 3, false},
        {"00ff7a00", false, 3, false},
        {"0xff7a", false, 3, false},
        {"00fg7a", true, 3, false},
        {"00f:7a", true, 3, false},
        {"00f/7a", true, 3, false},
        {"00f`7a", true, 3, false},
        {"", false, 0, true},
        {"00ff ", false, 3, false},
    };
    for (size_t i = 0; i < SN_LEN(rows); i++) {
        print_message("# %s\n", rows[i].text);
        unsigned char out[4] = {9, 9, 9, 9};
        struct sn_error err;
        enum sn_status status = sn_hex_decode(sn_slice_str(rows[i].text), rows[i].allow_upper, out, rows[i].len, &err);
        assert_int_equal(status == SN_OK, rows[i].good);
        static const unsigned char want[4] = {0x00, 0xff, 0x7a, 9};
        static const unsigned char same[4] = {9, 9, 9, 9};
        assert_memory_equal(out, rows[i].good && rows[i].len > 0 ? want : same, sizeof out);
        assert_true(rows[i].good || sn_error_is(&err, "INVALID_HEX"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rfc4648_vectors),
        cmocka_unit_test(every_byte_comes_back),
        cmocka_unit_test(decoders_refuse),
        cmocka_unit_test(hex_is_exact),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
