/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/fuzz/fuzz.h - what every fuzz target defines, and the check that ends a run.
 *
 * A target reads any bytes without crash, leak or undefined behaviour, and checks properties that hold for all input
 * (what was read and written is read again as the same). It keeps nothing between calls.
 */
#ifndef SN_TESTS_FUZZ_FUZZ_H
#define SN_TESTS_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A property of the target that must hold. */
#define FUZZ_CHECK(condition) SN_ASSERT(condition)

#endif
