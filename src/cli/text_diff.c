/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/text_diff.c - the shortest edit script by Myers' greedy method, within a bound; see text_diff.h.
 *
 * Texts that differ in more than EDITS_MAX lines are shown as one replaced block between what they have in common at
 * both ends: still right, only longer.
 */
#include "cli/text_diff.h"

#include <string.h>

#include "base/alloc.h"
#include "cli/report.h"

enum { EDITS_MAX = 2000, CONTEXT = 3 };

struct lines {
    struct sn_slice *items; /* with their newline */
    size_t count;
};

static struct lines split(struct sn_slice text)
{
    struct lines lines = {0};
    size_t newlines = 0, start = 0;

    for (size_t i = 0; i < text.len; i++) {
        newlines += text.ptr[i] == '\n';
    }
    lines.items = sn_alloc(newlines + 1, sizeof(*lines.items));
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '\n') {
            lines.items[lines.count++] = sn_slice_sub(text, start, i + 1 - start);
            start = i + 1;
        }
    }
    if (start < text.len) {
        lines.items[lines.count++] = sn_slice_sub(text, start, text.len - start);
    }
    return lines;
}

/* Which lines of either text are not in the other. */
struct marks {
    struct lines old_lines, new_lines;
    bool *removed, *added;
};

static bool is_same(const struct marks *m, size_t old_at, size_t new_at)
{
    return sn_slice_eq(m->old_lines.items[old_at], m->new_lines.items[new_at]);
}

/* The part between the common lines at both ends. */
struct span {
    size_t old_at, new_at; /* where it begins */
    long old_count, new_count;
};

/* Walks back through the kept frontiers and marks what was not common. */
static void mark_path(struct marks *m, const struct span *span, int *const *fronts, int edits)
{
    int x = (int)span->old_count, y = (int)span->new_count;

    for (int d = edits; d > 0; d--) {
        const int *front = fronts[d - 1] + d; /* index 0 is diagonal 0 */
        int k = x - y;
        bool is_down = k == -d || (k != d && front[k - 1] < front[k + 1]);
        int before_k = is_down ? k + 1 : k - 1;
        int before_x = front[before_k], before_y = before_x - before_k;
        if (is_down) {
            m->added[span->new_at + (size_t)before_y] = true;
        } else {
            m->removed[span->old_at + (size_t)before_x] = true;
        }
        x = before_x;
        y = before_y;
    }
}

/* One round: how far each diagonal reaches with d edits. True when the end is reached. */
static bool advance(const struct marks *m, const struct span *span, const int *before, int *front, int d)
{
    for (int k = -d; k <= d; k += 2) {
        int x = d == 0 ? 0 : k == -d || (k != d && before[k - 1] < before[k + 1]) ? before[k + 1] : before[k - 1] + 1;
        int y = x - k;
        while (x < span->old_count && y < span->new_count && x >= 0 && y >= 0 &&
               is_same(m, span->old_at + (size_t)x, span->new_at + (size_t)y)) {
            x++;
            y++;
        }
        front[k] = x;
        if (x >= span->old_count && y >= span->new_count) {
            return true;
        }
    }
    return false;
}

static void mark_all(struct marks *m, const struct span *span)
{
    for (long i = 0; i < span->old_count; i++) {
        m->removed[span->old_at + (size_t)i] = true;
    }
    for (long i = 0; i < span->new_count; i++) {
        m->added[span->new_at + (size_t)i] = true;
    }
}

static void mark_span(struct marks *m, const struct span *span)
{
    int *fronts[EDITS_MAX + 1] = {0};
    long most = span->old_count + span->new_count;
    int d = 0;
    bool is_done = span->old_count == 0 || span->new_count == 0;

    if (is_done) {
        mark_all(m, span);
        return;
    }
    for (; d <= EDITS_MAX && d <= most && !is_done; d++) {
        /* Diagonals -d-1..d+1, so that the next round may look one past either end. */
        size_t diagonals = 2 * (size_t)d + 3;
        fronts[d] = sn_alloc(diagonals, sizeof(int));
        for (size_t i = 0; i < diagonals; i++) {
            fronts[d][i] = -1;
        }
        is_done = advance(m, span, d > 0 ? fronts[d - 1] + d : NULL, fronts[d] + d + 1, d);
    }
    if (is_done) {
        mark_path(m, span, fronts, d - 1);
    } else {
        mark_all(m, span);
    }
    for (int i = 0; i < d; i++) {
        sn_free(fronts[i]);
    }
}

static void compare(struct marks *m, struct sn_slice old_text, struct sn_slice new_text)
{
    *m = (struct marks){.old_lines = split(old_text), .new_lines = split(new_text)};
    m->removed = sn_alloc(m->old_lines.count + 1, sizeof(bool));
    m->added = sn_alloc(m->new_lines.count + 1, sizeof(bool));
    size_t head = 0, tail = 0;
    size_t least = m->old_lines.count < m->new_lines.count ? m->old_lines.count : m->new_lines.count;
    while (head < least && is_same(m, head, head)) {
        head++;
    }
    while (tail < least - head && is_same(m, m->old_lines.count - 1 - tail, m->new_lines.count - 1 - tail)) {
        tail++;
    }
    struct span span = {.old_at = head,
        .new_at = head,
        .old_count = (long)(m->old_lines.count - head - tail),
        .new_count = (long)(m->new_lines.count - head - tail)};
    mark_span(m, &span);
}

static void clear(struct marks *m)
{
    sn_free(m->old_lines.items);
    sn_free(m->new_lines.items);
    sn_free(m->removed);
    sn_free(m->added);
}

/* --- Output --- */

static void put_line(struct sn_buf *out, char mark, struct sn_slice line, bool color)
{
    bool has_newline = line.len > 0 && line.ptr[line.len - 1] == '\n';
    const char *begin = !color ? "" : mark == '-' ? "\033[31m" : mark == '+' ? "\033[32m" : "";

    sn_buf_addf(out, "%s%c", begin, mark);
    sn_cli_printable(out, has_newline ? sn_slice_sub(line, 0, line.len - 1) : line);
    sn_buf_addf(out, "%s\n%s", begin[0] != '\0' ? "\033[0m" : "", has_newline ? "" : "\\ No newline at end of file\n");
}

static void put_range(struct sn_buf *out, char mark, size_t start, size_t count)
{
    sn_buf_addf(out, " %c%zu", mark, count == 0 ? start : start + 1);
    if (count != 1) {
        sn_buf_addf(out, ",%zu", count);
    }
}

/* Where the next change begins at or behind both places; false: there is none. */
static bool next_change(const struct marks *m, size_t *i, size_t *k)
{
    while (*i < m->old_lines.count || *k < m->new_lines.count) {
        if ((*i < m->old_lines.count && m->removed[*i]) || (*k < m->new_lines.count && m->added[*k])) {
            return true;
        }
        (*i)++;
        (*k)++;
    }
    return false;
}

static void skip_change(const struct marks *m, size_t *i, size_t *k)
{
    while (*i < m->old_lines.count && m->removed[*i]) {
        (*i)++;
    }
    while (*k < m->new_lines.count && m->added[*k]) {
        (*k)++;
    }
}

/* Lines of [i, i_end) and [k, k_end): common ones once, removed before added. */
static void put_body(
    struct sn_buf *out, const struct marks *m, size_t i, size_t i_end, size_t k, size_t k_end, bool color)
{
    while (i < i_end || k < k_end) {
        if (i < i_end && m->removed[i]) {
            put_line(out, '-', m->old_lines.items[i++], color);
        } else if (k < k_end && m->added[k]) {
            put_line(out, '+', m->new_lines.items[k++], color);
        } else {
            put_line(out, ' ', m->old_lines.items[i++], color);
            k++;
        }
    }
}

/* One hunk: from a change on, all further ones no more than two contexts away. */
static void put_hunk(struct sn_buf *out, const struct marks *m, size_t *i, size_t *k, bool color)
{
    size_t lead = *i < CONTEXT ? *i : CONTEXT;
    lead = *k < lead ? *k : lead;
    size_t i_start = *i - lead, k_start = *k - lead;
    size_t next_i, next_k;
    bool has_more;

    do {
        skip_change(m, i, k);
        next_i = *i;
        next_k = *k;
        has_more = next_change(m, &next_i, &next_k);
        if (has_more && next_i - *i <= 2 * CONTEXT) {
            *i = next_i;
            *k = next_k;
        }
    } while (has_more && next_i == *i && next_k == *k);
    size_t left = m->old_lines.count - *i, trail = left < CONTEXT ? left : CONTEXT;
    size_t i_end = *i + trail, k_end = *k + trail;
    sn_buf_add_str(out, color ? "\033[36m@@" : "@@");
    put_range(out, '-', i_start, i_end - i_start);
    put_range(out, '+', k_start, k_end - k_start);
    sn_buf_addf(out, " @@%s\n", color ? "\033[0m" : "");
    put_body(out, m, i_start, i_end, k_start, k_end, color);
    *i = i_end;
    *k = k_end;
}

void sn_text_diff(
    struct sn_buf *out, const struct sn_text_diff *options, struct sn_slice old_text, struct sn_slice new_text)
{
    struct marks m;
    size_t i = 0, k = 0;

    if (sn_slice_eq(old_text, new_text)) {
        return;
    }
    compare(&m, old_text, new_text);
    sn_buf_addf(out, "--- ");
    sn_cli_printable(out, sn_slice_str(options->old_name));
    sn_buf_addf(out, "\n+++ ");
    sn_cli_printable(out, sn_slice_str(options->new_name));
    sn_buf_add_byte(out, '\n');
    while (next_change(&m, &i, &k)) {
        put_hunk(out, &m, &i, &k, options->color);
    }
    clear(&m);
}

void sn_text_diff_count(struct sn_slice old_text, struct sn_slice new_text, size_t *out_removed, size_t *out_added)
{
    struct marks m;

    *out_removed = *out_added = 0;
    compare(&m, old_text, new_text);
    for (size_t i = 0; i < m.old_lines.count; i++) {
        *out_removed += m.removed[i];
    }
    for (size_t i = 0; i < m.new_lines.count; i++) {
        *out_added += m.added[i];
    }
    clear(&m);
}
