/* SPDX-License-Identifier: Apache-2.0 */
/* base/nearest.c - edit distance; see nearest.h. */
#include "base/nearest.h"

enum { WORD_MAX = 64 };

static size_t min3(size_t a, size_t b, size_t c)
{
    size_t least = a < b ? a : b;

    return least < c ? least : c;
}

/* Optimal string alignment over three rows. Words past WORD_MAX bytes are no typing mistakes. */
size_t sn_edit_distance(struct sn_slice a, struct sn_slice b, size_t limit)
{
    size_t rows[3][WORD_MAX + 1];
    size_t *before = rows[0], *last = rows[1], *now = rows[2];

    if (a.len > WORD_MAX || b.len > WORD_MAX || (a.len > b.len ? a.len - b.len : b.len - a.len) > limit) {
        return limit + 1;
    }
    for (size_t j = 0; j <= b.len; j++) {
        last[j] = j;
        before[j] = j;
    }
    for (size_t i = 1; i <= a.len; i++) {
        size_t least = now[0] = i;
        for (size_t j = 1; j <= b.len; j++) {
            size_t change = a.ptr[i - 1] == b.ptr[j - 1] ? 0 : 1;
            now[j] = min3(last[j] + 1, now[j - 1] + 1, last[j - 1] + change);
            if (i > 1 && j > 1 && a.ptr[i - 1] == b.ptr[j - 2] && a.ptr[i - 2] == b.ptr[j - 1] &&
                before[j - 2] + 1 < now[j]) {
                now[j] = before[j - 2] + 1;
            }
            least = now[j] < least ? now[j] : least;
        }
        if (least > limit) {
            return limit + 1;
        }
        size_t *reuse = before;
        before = last;
        last = now;
        now = reuse;
    }
    return last[b.len] > limit ? limit + 1 : last[b.len];
}

const char *sn_nearest(struct sn_slice word, const char *const *words, size_t count)
{
    size_t limit = word.len <= 3 ? 1 : 2;
    size_t best = limit + 1;
    const char *found = NULL;

    for (size_t i = 0; i < count; i++) {
        size_t distance = sn_edit_distance(word, sn_slice_str(words[i]), limit);
        if (distance < best) {
            best = distance;
            found = words[i];
        }
    }
    return found;
}
