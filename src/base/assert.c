/* SPDX-License-Identifier: Apache-2.0 */
/* base/assert.c - the end of a process whose own invariants do not hold. */
#include <unistd.h>

#include "base/defs.h"
#include "base/slice.h"

/* Writes a constant text and a number by hand: the heap may be what is broken. */
void sn_assert_failed(const char *file, int line)
{
    char digits[12];
    size_t at = sizeof(digits);
    struct sn_slice name = sn_slice_str(file);

    do {
        digits[--at] = (char)('0' + line % 10);
        line /= 10;
    } while (line > 0 && at > 0);
    ssize_t ignored = write(2, "sentinel: internal error at ", 28);
    ignored += write(2, name.ptr, name.len);
    ignored += write(2, ":", 1);
    ignored += write(2, digits + at, sizeof(digits) - at);
    ignored += write(2, "\n", 1);
    (void)ignored;
    __builtin_trap();
}
