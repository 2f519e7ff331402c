/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/support/counts.h - how often a counted proof is repeated in this run (tests/counts.toml).
 *
 * The column is "ci" unless SENTINEL_COUNTS names "soak". Ends the program when the file or the name is missing: a
 * proof that is repeated zero times would look like one that holds.
 */
#ifndef SN_TESTS_SUPPORT_COUNTS_H
#define SN_TESTS_SUPPORT_COUNTS_H

#include <stdio.h>
#include <stdlib.h>

#include "base/env.h"
#include "base/fs.h"
#include "base/parse.h"
#include "base/slice.h"

/* The number of "key = number" in the line, or -1. */
static inline int64_t sn_counts_value(struct sn_slice line, const char *key)
{
    struct sn_slice name, value;
    struct sn_error err;
    int64_t number = -1;
    if (!sn_slice_cut(line, '=', &name, &value) || !sn_slice_eq_str(sn_slice_trim(name), key) ||
        sn_parse_int(sn_slice_trim(value), 1, INT64_MAX, &number, &err) != SN_OK) {
        return -1;
    }
    return number;
}

static inline int64_t sn_test_count(const char *proof)
{
    const char *column = sn_env_get("SENTINEL_COUNTS") != NULL ? sn_env_get("SENTINEL_COUNTS") : "ci";
    struct sn_buf text = {0};
    struct sn_error err;
    int64_t number = -1;
    if (sn_fs_read(SN_TEST_COUNTS, 64 * 1024, &text, &err) == SN_OK) {
        struct sn_slice rest = sn_buf_slice(&text);
        struct sn_slice line;
        bool is_inside = false;
        while (number < 0 && sn_slice_next(&rest, '\n', &line)) {
            struct sn_slice head, ignored;
            if (sn_slice_has_prefix(line, SN_S("["))) {
                sn_slice_cut(sn_slice_sub(line, 1, SIZE_MAX), ']', &head, &ignored);
                is_inside = sn_slice_eq_str(head, proof);
            } else if (is_inside) {
                number = sn_counts_value(line, column);
            }
        }
    }
    sn_buf_clear(&text);
    if (number < 0) {
        fprintf(stderr, "no count of '%s' for '%s' in %s\n", proof, column, SN_TEST_COUNTS);
        exit(1);
    }
    return number;
}

#endif
