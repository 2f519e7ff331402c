/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tests of vault/device_id.c.
 */
#include "test.h"

#include "vault/device_id.h"

/* The published pair; its second value is HMAC-SHA256 as any other program computes it. */
#define MACHINE "0123456789abcdef0123456789abcdef"
#define DEVICE "8bbbda85ccfac0988b2d1785168d78ff337536bc93cc0c898ec869e7970c5f98"

/* TVM-25: the identifier of a machine id, and what is none. */
static void of_a_machine_id(void **state)
{
    (void)state;
    static const struct {
        const char *text, *expected; /* NULL: refused */
    } rows[] = {
        {MACHINE, DEVICE},
        {MACHINE "\n", DEVICE},
        {" \t" MACHINE "\r\n", DEVICE},
        {"", NULL},
        {"\n", NULL},
        {"uninitialized\n", NULL},
        {"0123456789abcdef0123456789abcde", NULL},
        {MACHINE "0", NULL},
        {"0123456789abcdef0123456789abcdeg", NULL},
        {"0123456789abcdef 0123456789abcdef", NULL},
    };
    for (size_t i = 0; i < SN_LEN(rows); i++) {
        char id[SN_DEVICE_ID_LEN + 1];
        struct sn_error err = {0};
        if (rows[i].expected != NULL) {
            assert_ok(sn_device_id_of(sn_slice_str(rows[i].text), id, &err), &err);
            assert_string_equal(id, rows[i].expected);
        } else {
            assert_fails(sn_device_id_of(sn_slice_str(rows[i].text), id, &err), &err, "DEVICE_ID_UNAVAILABLE");
            assert_string_equal(id, "");
            assert_null(strstr(err.message, "0123"));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(of_a_machine_id),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
