/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/text_diff.h - the difference of two texts by lines, in the unified form with three lines of context.
 */
#ifndef SN_CLI_TEXT_DIFF_H
#define SN_CLI_TEXT_DIFF_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/slice.h"

struct sn_text_diff {
    const char *old_name, *new_name; /* behind "--- " and "+++ " */
    bool color;
};

/* Appends nothing for equal texts. Lines of others are made printable; a missing last newline is told of. */
void sn_text_diff(
    struct sn_buf *out, const struct sn_text_diff *options, struct sn_slice old_text, struct sn_slice new_text);
/* How many lines go, and how many come. */
void sn_text_diff_count(struct sn_slice old_text, struct sn_slice new_text, size_t *out_removed, size_t *out_added);

#endif
