/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What documents cost that want to cost much: allocations and bytes, counted at the allocator, and processor time.
 */
#include "test.h"

#include <malloc.h>
#include <stdlib.h>
#include <time.h>

#include "core/policy/policy.h"

/* --- The allocator of this program counts; a sanitizer's own cannot be counted. --- */

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define IS_COUNTED false
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define IS_COUNTED false
#endif
#endif

static struct {
    size_t calls, live, peak;
} counted;

#ifndef IS_COUNTED
#define IS_COUNTED true
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *memory, size_t size);
extern void __libc_free(void *memory);

/* Seen by the libraries as well. */
#define EXPORTED __attribute__((visibility("default")))

static void *count(void *memory, size_t before)
{
    counted.calls++;
    counted.live += malloc_usable_size(memory) - before;
    counted.peak = counted.live > counted.peak ? counted.live : counted.peak;
    return memory;
}

EXPORTED void *malloc(size_t size)
{
    return count(__libc_malloc(size), 0);
}

EXPORTED void *calloc(size_t number, size_t size)
{
    return count(__libc_calloc(number, size), 0);
}

EXPORTED void *realloc(void *memory, size_t size)
{
    size_t before = malloc_usable_size(memory);
    return count(__libc_realloc(memory, size), before);
}

EXPORTED void free(void *memory)
{
    counted.live -= malloc_usable_size(memory);
    __libc_free(memory);
}
#endif

/* --- Documents --- */

enum { MIB = 1024 * 1024, LARGE = MIB - 100 };

/* begin, then fill as often as it goes into bytes, then end. */
struct document {
    const char *name, *begin, *fill, *end;
};

static void write_document(struct sn_buf *out, const struct document *d, size_t bytes)
{
    sn_buf_add_str(out, d->begin);
    do {
        sn_buf_add_str(out, d->fill);
    } while (out->len + strlen(d->fill) + strlen(d->end) < bytes);
    sn_buf_add_str(out, d->end);
}

struct cost {
    size_t calls, peak;
    double cpu_s;
};

static struct cost cost_of_refusal(struct sn_slice text)
{
    struct sn_error err = {0};
    struct sn_policy *policy = NULL;
    size_t calls = counted.calls, live = counted.live;
    clock_t start = clock();

    counted.peak = counted.live;
    assert_int_not_equal(sn_policy_load(text, NULL, NULL, &policy, &err), SN_OK);
    return (struct cost){.calls = counted.calls - calls,
        .peak = counted.peak - live,
        .cpu_s = (double)(clock() - start) / CLOCKS_PER_SEC};
}

/* POL-13: what makes one part of a document change another costs nothing: 50 ms and 10 MiB are far away. */
static void attack_08_forbidden_parts(void **state)
{
    (void)state;
    static const struct document rows[] = {
        {"anchor and alias", "version: \"1\"\nrules: &r\n- {name: r, effect: deny, conditions: {}}\nmore: ", "*r",
            "\n"},
        {"merge key", "version: \"1\"\n", "<<: {rules: []}\n", ""},
        {"second document", "version: \"1\"\n", "---\n", "version: \"1\"\n"},
        {"alias bomb of nine levels",
            "a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\n"
            "d: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d]\nf: &f "
            "[*e,*e,*e,*e,*e,*e,*e,*e,*e]\n"
            "g: &g [*f,*f,*f,*f,*f,*f,*f,*f,*f]\nh: &h [*g,*g,*g,*g,*g,*g,*g,*g,*g]\n",
            "i: &i [*h,*h,*h,*h,*h,*h,*h,*h,*h]\n", ""},
        {"aliases without end", "rules: [", "*a,", "]\n"},
    };
    for (size_t i = 0; i < SN_LEN(rows); i++) {
        SN_AUTO(sn_buf_clear) struct sn_buf text = {0};
        write_document(&text, &rows[i], i + 1 == SN_LEN(rows) ? LARGE : 0);
        struct cost cost = cost_of_refusal(sn_buf_slice(&text));
        print_message("# %s: %zu allocations, %zu bytes\n", rows[i].name, cost.calls, cost.peak);
        if (IS_COUNTED) {
            assert_true(cost.calls < 1000);
            assert_true(cost.peak < MIB);
            assert_true(cost.cpu_s < 0.05);
        }
    }
}

/* POL-13: documents as large as may be, of each thing that a parser keeps: twice the text, about twice the cost. */
static void attack_08_large_documents(void **state)
{
    (void)state;
    static const struct document rows[] = {
        {"nested lists", "rules: ", "[", ""},
        {"nested mappings", "rules: ", "{a: ", ""},
        {"nested block lists", "rules:\n", "- ", ""},
        {"nested keys", "", "? ", ""},
        {"many words", "rules: ", "a ", "\n"},
        {"many lines of a text", "rules: >\n", "\n  a\n", ""},
        {"many entries", "rules: [", "1,", "]\n"},
        {"many signs that may be tags", "x: '!'\nrules: [", "'!',", "]\n"},
        {"many empty pairs beside such a sign", "x: '!'\nrules: [", "a: ,", "]\n"},
        {"many empty entries beside such a sign", "x: '!'\nrules:\n", " -\n", ""},
        {"many escapes", "rules: \"", "\\u20ac", "\"\n"},
        {"an open quote", "rules: '", "a", ""},
        {"comments", "", "# c\n", "rules: 1\n"},
        {"directives", "", "%YAML 1.2\n", "---\n"},
        {"rules", "version: \"1\"\nrules:\n", "- {name: r}\n", ""},
        {"repeated fields", "version: \"1\"\nrules:\n- {", "x: 1,", "}\n"},
    };
    for (size_t i = 0; i < SN_LEN(rows); i++) {
        SN_AUTO(sn_buf_clear) struct sn_buf half = {0}, whole = {0};
        write_document(&half, &rows[i], LARGE / 2);
        write_document(&whole, &rows[i], LARGE);
        struct cost first = cost_of_refusal(sn_buf_slice(&half)), second = cost_of_refusal(sn_buf_slice(&whole));
        print_message("# %s: %zu and %zu allocations, %zu and %zu bytes\n", rows[i].name, first.calls, second.calls,
            first.peak, second.peak);
        if (IS_COUNTED) {
            assert_true(second.calls <= 2 * first.calls + first.calls / 4 + 100);
            assert_true(second.peak <= 64 * MIB);
            assert_true(second.cpu_s < 2);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(attack_08_forbidden_parts),
        cmocka_unit_test(attack_08_large_documents),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
