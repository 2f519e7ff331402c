/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/fuzz/ruleset_fuzz.h - what holds for approval, break-glass and rate-limit policies alike.
 *
 * A document either loads without an error among its findings or does not exist. One that loads has a canonical form,
 * which loads too, finds the same rules for the same profiles, and is its own canonical form.
 */
#ifndef SN_TESTS_FUZZ_RULESET_FUZZ_H
#define SN_TESTS_FUZZ_RULESET_FUZZ_H

#include "fuzz.h"

#include <string.h>

#include "core/identity/principal.h"
#include "core/policy/canonical.h"
#include "core/policy/findings.h"
#include "core/policy/ruleset.h"
#include "core/policy/tz.h"

static inline enum sn_status fuzz_zone(void *ctx, struct sn_slice name, struct sn_buf *out_tzif, struct sn_error *err)
{
    static const char fixed[] = "TZif\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1\0\0\0\1"
                                "\0\0\x0e\x10\0\0"; /* version 1, one type, an hour east */
    (void)ctx;
    FUZZ_CHECK(sn_tz_name_is_valid(name));
    if (sn_slice_eq_str(name, "Europe/Berlin")) {
        sn_buf_add_bytes(out_tzif, fixed, sizeof(fixed)); /* the final NUL is the one name byte */
        return SN_OK;
    }
    return sn_fail(err, SN_NOT_FOUND, "UNKNOWN_ZONE", "no such zone");
}
static const struct sn_tz_source fuzz_zones = {.read = fuzz_zone};

static const struct sn_principal fuzz_alice = {.arn = "arn:aws:iam::111122223333:user/alice",
    .partition = "aws",
    .account = "111122223333",
    .type = SN_PRINCIPAL_USER,
    .name = "alice",
    .vouched = true};
static const char *const fuzz_profiles[] = {"dev", "prod", "team/dev", ""};

static inline struct sn_ruleset *fuzz_load(enum sn_document_kind kind, struct sn_slice text)
{
    struct sn_findings findings = {0};
    struct sn_ruleset *ruleset = NULL;
    struct sn_error err = {0};
    enum sn_status status = sn_ruleset_load(kind, text, &fuzz_zones, &findings, &ruleset, &err);
    FUZZ_CHECK((status == SN_OK) == (findings.errors == 0));
    FUZZ_CHECK((status == SN_OK) == (ruleset != NULL));
    for (size_t i = 0; i < findings.count; i++) {
        for (size_t k = 0; k < findings.items[i].message.len; k++) {
            FUZZ_CHECK((unsigned char)findings.items[i].message.ptr[k] >= 0x20);
        }
    }
    sn_findings_clear(&findings);
    return ruleset;
}

/* The text of a document that loads, canonical. */
static inline void fuzz_canonical(enum sn_document_kind kind, struct sn_slice text, struct sn_buf *out)
{
    SN_AUTO(sn_buf_clear) struct sn_buf again = SN_BUF_INIT(1 << 24);
    struct sn_error err = {0};
    FUZZ_CHECK(sn_document_canonical(kind, text, out, &err) == SN_OK);
    FUZZ_CHECK(sn_document_canonical(kind, sn_buf_slice(out), &again, &err) == SN_OK);
    FUZZ_CHECK(sn_slice_eq(sn_buf_slice(out), sn_buf_slice(&again)));
}

/* Loads, compares with the canonical form, and returns both for the questions of the kind; false: it did not load. */
static inline bool fuzz_ruleset(
    enum sn_document_kind kind, struct sn_slice text, struct sn_ruleset **out_first, struct sn_ruleset **out_second)
{
    SN_AUTO(sn_buf_clear) struct sn_buf canonical = SN_BUF_INIT(1 << 24);
    struct sn_ruleset *first = fuzz_load(kind, text);
    if (first == NULL) {
        return false;
    }
    fuzz_canonical(kind, text, &canonical);
    struct sn_ruleset *second = fuzz_load(kind, sn_buf_slice(&canonical));
    FUZZ_CHECK(second != NULL && sn_ruleset_rule_count(first) == sn_ruleset_rule_count(second));
    for (size_t i = 0; i < sn_ruleset_rule_count(first); i++) {
        const struct sn_rule_head *a = sn_ruleset_head(first, i), *b = sn_ruleset_head(second, i);
        FUZZ_CHECK(sn_slice_eq(a->name, b->name) && a->profiles.count == b->profiles.count);
        for (size_t k = 0; k < a->profiles.count; k++) {
            FUZZ_CHECK(sn_ruleset_find(first, a->profiles.items[k]) <= i);
        }
    }
    for (size_t i = 0; i < SN_LEN(fuzz_profiles); i++) {
        struct sn_slice profile = sn_slice_str(fuzz_profiles[i]);
        FUZZ_CHECK(sn_ruleset_find(first, profile) == sn_ruleset_find(second, profile));
    }
    *out_first = first;
    *out_second = second;
    return true;
}

static inline bool fuzz_same_entries(const struct sn_entry_list *a, const struct sn_entry_list *b)
{
    bool same = a->count == b->count;
    for (size_t i = 0; same && i < a->count; i++) {
        same = sn_slice_eq(a->items[i].text, b->items[i].text) && a->items[i].group == b->items[i].group;
    }
    return same;
}

static inline bool fuzz_same_time(const struct sn_time_window *a, const struct sn_time_window *b)
{
    return a->is_set == b->is_set &&
           (!a->is_set || (a->window.days == b->window.days && a->window.from_min == b->window.from_min &&
                              a->window.to_min == b->window.to_min && sn_slice_eq(a->zone_name, b->zone_name)));
}

#endif
