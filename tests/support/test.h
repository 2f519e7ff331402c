/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/support/test.h - what every cmocka program includes first, and the comparisons the project's types need.
 */
#ifndef SN_TESTS_SUPPORT_TEST_H
#define SN_TESTS_SUPPORT_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/slice.h"

/* Both ends of a slice, so that a missing or an extra byte shows. */
#define assert_slice_equal(actual, expected_text)                                                                      \
    do {                                                                                                               \
        struct sn_slice test_actual = (actual);                                                                        \
        struct sn_slice test_expected = sn_slice_str(expected_text);                                                   \
        if (!sn_slice_eq(test_actual, test_expected)) {                                                                \
            print_error("got      '%.*s'\nexpected '%s'\n", SN_PRI(test_actual), test_expected.ptr);                   \
            fail();                                                                                                    \
        }                                                                                                              \
    } while (0)

/* A call that must succeed; prints the error when it does not. */
#define assert_ok(call, error)                                                                                         \
    do {                                                                                                               \
        enum sn_status test_status = (call);                                                                           \
        if (test_status != SN_OK) {                                                                                    \
            print_error("%s: %s\n", (error)->code, (error)->message);                                                  \
            fail();                                                                                                    \
        }                                                                                                              \
    } while (0)

/* A call that must fail with a code. */
#define assert_fails(call, error, expected_code)                                                                       \
    do {                                                                                                               \
        enum sn_status test_status = (call);                                                                           \
        assert_int_not_equal(test_status, SN_OK);                                                                      \
        assert_string_equal((error)->code, (expected_code));                                                           \
        assert_int_equal((error)->status, test_status);                                                                \
    } while (0)

#endif
