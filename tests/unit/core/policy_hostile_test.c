/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/unit/core/policy_hostile_test.c - texts that are meant to do harm, for every kind of document: the exact error,
 * and how much memory it costs.
 */
#include "policy_fixture.h"

#include "heap_peak.h"

#include "base/arena.h"
#include "base/buf.h"
#include "core/policy/bootstrap.h"
#include "core/policy/catalog.h"
#include "core/policy/limits.h"
#include "core/policy/ruleset.h"

enum { MIB = 1024 * 1024, TEXT_MAX = 64 * MIB };

/* What a kind looks like: a document is head, then rules (or profiles), each made by rule with its number. */
struct shape {
    enum sn_document_kind kind;
    const char *list;           /* "rules:\n" or "profiles:\n" */
    const char *before, *after; /* one rule, around the number in its name */
    const char *field;          /* a known field of the top level beside version, for mis-casing */
};
static const struct shape shapes[] = {
    {SN_DOCUMENT_POLICY, "rules:\n", "- {name: r", ", effect: deny, conditions: {}}\n", "Rules"},
    {SN_DOCUMENT_APPROVAL, "rules:\n", "- {name: r", ", approvers: [a, b]}\n", "People"},
    {SN_DOCUMENT_BREAKGLASS, "rules:\n", "- {name: r", ", users: [a], reviewers: [b]}\n", "Groups"},
    {SN_DOCUMENT_RATELIMIT, "rules:\n", "- {name: r", ", cooldown: 1h}\n", "RULES"},
    {SN_DOCUMENT_CATALOG, "profiles:\n", "  r", ": {role_arn: \"arn:aws:iam::111122223333:role/R\"}\n", "Profiles"},
};

static enum sn_status load(enum sn_document_kind kind, struct sn_slice text, struct sn_findings *findings)
{
    struct sn_policy *policy = NULL;
    struct sn_catalog *catalog = NULL;
    struct sn_ruleset *ruleset = NULL;
    struct sn_error err = {0};
    enum sn_status status;
    if (kind == SN_DOCUMENT_POLICY) {
        status = sn_policy_load(text, host_zones(), findings, &policy, &err);
    } else if (kind == SN_DOCUMENT_CATALOG) {
        struct sn_catalog_source source = {SN_S(""), text};
        status = sn_catalog_load(&source, 1, findings, &catalog, &err);
    } else {
        status = sn_ruleset_load(kind, text, host_zones(), findings, &ruleset, &err);
    }
    sn_policy_unref(policy);
    sn_catalog_unref(catalog);
    sn_ruleset_unref(ruleset);
    return status;
}

static void put_repeated(struct sn_buf *out, const char *text, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        sn_buf_add_str(out, text);
    }
}

static void put_rules(struct sn_buf *out, const struct shape *shape, size_t count)
{
    sn_buf_addf(out, "version: \"1\"\n%s", shape->list);
    for (size_t i = 0; i < count; i++) {
        sn_buf_addf(out, "%s%zu%s", shape->before, i, shape->after);
    }
}

/* --- exact errors --- */

struct expected {
    const char *code;
    unsigned line, column;
    const char *message; /* part of it */
};

static void expect_error(const struct shape *shape, const char *name, struct sn_slice text, struct expected expected)
{
    struct sn_findings findings = {0};
    print_message("# %s: %s\n", sn_document_kinds[shape->kind].word, name);
    assert_int_equal(load(shape->kind, text, &findings), SN_INVALID);
    assert_true(findings.errors > 0);
    const struct sn_finding *first = &findings.items[0]; /* lint of the rule may stand before it */
    while (first->severity != SN_SEVERITY_ERROR) {
        first++;
    }
    if (strcmp(first->code, expected.code) != 0 || first->line != expected.line || first->column != expected.column ||
        !sn_slice_contains(first->message, sn_slice_str(expected.message))) {
        print_error("got %s at %u:%u: %.*s\n", first->code, first->line, first->column, SN_PRI(first->message));
        fail();
    }
    for (size_t i = 0; i < findings.count; i++) { /* whatever the text held, a message is one printable line */
        for (size_t k = 0; k < findings.items[i].message.len; k++) {
            assert_true((unsigned char)findings.items[i].message.ptr[k] >= 0x20);
        }
    }
    sn_findings_clear(&findings);
}

/* POL-12, POL-13: what no document may hold, whatever its kind. The text stands on the second line. */
static void attack_08_bytes_and_syntax(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        struct sn_slice text;
        struct expected expected;
    } rows[] = {
        {"NUL", SN_S_INIT("a: \"x\0y\"\n"), {"encoding", 2, 6, "NUL"}},
        {"control character", SN_S_INIT("a: \"x\x01y\"\n"), {"encoding", 2, 6, "control character"}},
        {"escape of NUL", SN_S_INIT("a: \"\\0\"\n"), {"encoding", 2, 4, "NUL"}},
        {"invalid UTF-8", SN_S_INIT("a: \"\xff\"\n"), {"encoding", 2, 5, "not UTF-8"}},
        {"overlong UTF-8", SN_S_INIT("a: \"\xc0\xaf\"\n"), {"encoding", 2, 5, "not UTF-8"}},
        {"half a surrogate pair", SN_S_INIT("a: \"\xed\xa0\x80\"\n"), {"encoding", 2, 5, "not UTF-8"}},
        {"cut-off UTF-8", SN_S_INIT("a: \"\xe2\x82"), {"encoding", 2, 5, "not UTF-8"}},
        {"tab as indentation", SN_S_INIT("rules:\n\t- a\n"), {"syntax", 3, 1, ""}},
        {"bracket that is not closed", SN_S_INIT("a: [b\n"), {"syntax", 3, 1, ""}},
        {"anchor", SN_S_INIT("a: &x [b]\n"), {"forbidden-yaml", 2, 4, "anchor"}},
        {"alias", SN_S_INIT("a: *x\n"), {"forbidden-yaml", 2, 4, ""}},
        {"merge key", SN_S_INIT("<<: {a: b}\n"), {"forbidden-yaml", 2, 1, "merge key"}},
        {"tag", SN_S_INIT("a: !!str b\n"), {"forbidden-yaml", 2, 4, "tag"}},
        {"tag of its own", SN_S_INIT("a: !x b\n"), {"forbidden-yaml", 2, 4, "tag"}},
        {"second document", SN_S_INIT("---\nversion: \"1\"\n"), {"forbidden-yaml", 2, 1, ""}},
        {"key that is a list", SN_S_INIT("? [a]\n: b\n"), {"forbidden-yaml", 2, 3, "key"}},
        {"key twice", SN_S_INIT("a: b\na: c\n"), {"duplicate-key", 3, 1, "stands on line 2 already"}},
        {"version twice", SN_S_INIT("version: \"1\"\n"), {"duplicate-key", 2, 1, "stands on line 1 already"}},
        {"nine levels of aliases",
            SN_S_INIT(
                "a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\n"
                "d: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d]\n"
                "f: &f [*e,*e,*e,*e,*e,*e,*e,*e,*e]\ng: &g [*f,*f,*f,*f,*f,*f,*f,*f,*f]\n"
                "h: &h [*g,*g,*g,*g,*g,*g,*g,*g,*g]\nrules: *h\n"),
            {"forbidden-yaml", 2, 4, "anchor"}},
    };
    for (size_t k = 0; k < SN_LEN(shapes); k++) {
        for (size_t i = 0; i < SN_LEN(rows); i++) {
            SN_AUTO(sn_buf_clear) struct sn_buf text = {0};
            sn_buf_add_str(&text, "version: \"1\"\n");
            sn_buf_add(&text, rows[i].text);
            heap_peak_begin();
            expect_error(&shapes[k], rows[i].name, sn_buf_slice(&text), rows[i].expected);
            assert_true(heap_peak < 10 * MIB);
        }
    }
}

/* POL-11: keys that a kind does not have; the reading direction of a name. */
static void attack_08_fields(void **state)
{
    (void)state;
    for (size_t k = 0; k < SN_LEN(shapes); k++) {
        const struct shape *shape = &shapes[k];
        SN_AUTO(sn_buf_clear) struct sn_buf text = {0};
        put_rules(&text, shape, 1);
        sn_buf_add_str(&text, "bogus: 1\n");
        expect_error(shape, "unknown field", sn_buf_slice(&text), (struct expected){"unknown-field", 4, 1, "'bogus'"});
        sn_buf_reset(&text);
        put_rules(&text, shape, 1);
        sn_buf_addf(&text, "%s: {}\n", shape->field);
        expect_error(
            shape, "mis-cased field", sn_buf_slice(&text), (struct expected){"unknown-field", 4, 1, shape->field});
        sn_buf_reset(&text);
        sn_buf_addf(&text, "Version: \"1\"\n%s", shape->list);
        expect_error(
            shape, "mis-cased version", sn_buf_slice(&text), (struct expected){"unknown-field", 1, 1, "'Version'"});
        sn_buf_reset(&text);
        sn_buf_addf(&text, "version: \"1\"\n%s", shape->list);
        expect_error(shape, "nothing behind the key", sn_buf_slice(&text),
            (struct expected){"null-value", 2, shape->list[0] == 'r' ? 7 : 10, "found nothing"});
    }
}

/* Words that are right but for their case, and names that deceive the eye. */
static void attack_08_values(void **state)
{
    (void)state;
    static const struct {
        size_t shape;
        const char *name, *text;
        struct expected expected;
    } rows[] = {
        {0, "mis-cased effect", "rules: [{name: r, effect: Allow, conditions: {profiles: [p]}}]\n",
            {"effect", 2, 27, "'Allow'"}},
        {0, "name that turns round",
            "rules: [{name: \"a\xe2\x80\xae"
            "b\", effect: deny, conditions: {}}]\n",
            {"rule-name", 2, 16, "do not print"}},
        {1, "mis-cased boolean", "rules: [{name: r, approvers: [a, b], single_use: True}]\n",
            {"not-boolean", 2, 50, "'True'"}},
        {1, "mis-cased prefix", "rules: [{name: r, approvers: [\"Role:X\", b]}]\n", {"user-entry", 2, 31, "'Role:X'"}},
        {1, "name that turns round",
            "rules: [{name: \"a\xe2\x80\xae"
            "b\", approvers: [a, b]}]\n",
            {"rule-name", 2, 16, "do not print"}},
        {2, "mis-cased reason", "rules: [{name: r, users: [a], allowed_reason_codes: [Incident]}]\n",
            {"reason-code", 2, 54, "'Incident'"}},
        {2, "mis-cased method", "rules: [{name: r, users: [a], mfa: {methods: [TOTP]}}]\n", {"mfa", 2, 47, "'TOTP'"}},
        {2, "mis-cased weekday", "rules: [{name: r, users: [a], time: {days: [Monday]}}]\n",
            {"weekday", 2, 45, "'Monday'"}},
        {2, "name that turns round",
            "rules: [{name: \"a\xe2\x80\xae"
            "b\", users: [a]}]\n",
            {"rule-name", 2, 16, "do not print"}},
        {3, "mis-cased unit", "rules: [{name: r, cooldown: 1H}]\n", {"duration", 2, 29, "'1H'"}},
        {3, "name that turns round",
            "rules: [{name: \"a\xe2\x80\xae"
            "b\", cooldown: 1h}]\n",
            {"rule-name", 2, 16, "do not print"}},
        {4, "mis-cased ARN", "profiles: {r: {role_arn: \"ARN:aws:iam::111122223333:role/R\"}}\n",
            {"role-arn", 2, 26, "'ARN:aws:iam::111122223333:role/R'"}},
        {4, "name that turns round",
            "profiles: {\"a\xe2\x80\xae"
            "b\": {role_arn: \"arn:aws:iam::111122223333:role/R\"}}\n",
            {"profile-name", 2, 12, "is not the name of a profile"}},
        {4, "homoglyph", "profiles: {\"\xd0\xb0\": {role_arn: \"arn:aws:iam::111122223333:role/R\"}}\n",
            {"profile-name", 2, 12, "is not the name of a profile"}},
    };
    for (size_t i = 0; i < SN_LEN(rows); i++) {
        SN_AUTO(sn_buf_clear) struct sn_buf text = {0};
        sn_buf_addf(&text, "version: \"1\"\n%s", rows[i].text);
        expect_error(&shapes[rows[i].shape], rows[i].name, sn_buf_slice(&text), rows[i].expected);
    }
}

/* --- sizes --- */

/* POL-14: one byte too many, one rule too many, and just not. */
static void attack_08_sizes(void **state)
{
    (void)state;
    for (size_t k = 0; k < SN_LEN(shapes); k++) {
        const struct shape *shape = &shapes[k];
        SN_AUTO(sn_buf_clear) struct sn_buf text = SN_BUF_INIT(TEXT_MAX);
        struct sn_findings findings = {0};
        bool is_catalog = shape->kind == SN_DOCUMENT_CATALOG;
        put_rules(&text, shape, SN_POLICY_MAX_RULES);
        assert_true(text.len < MIB);
        assert_int_equal(load(shape->kind, sn_buf_slice(&text), &findings), SN_OK);
        put_repeated(&text, "#", MIB - text.len);
        assert_int_equal(load(shape->kind, sn_buf_slice(&text), &findings), SN_OK);
        sn_buf_add_byte(&text, '#');
        expect_error(shape, "1048577 bytes", sn_buf_slice(&text), (struct expected){"too-large", 0, 0, "1048576"});
        sn_buf_reset(&text);
        put_rules(&text, shape, SN_POLICY_MAX_RULES + 1);
        expect_error(shape, "10001 rules", sn_buf_slice(&text),
            (struct expected){"limit", 3, is_catalog ? 3 : 1, "10001 entries, at most 10000"});
        sn_buf_reset(&text);
        sn_buf_add_str(&text, "\xef\xbb\xbf");
        put_rules(&text, shape, 1);
        assert_int_equal(load(shape->kind, sn_buf_slice(&text), &findings), SN_OK); /* a mark in front is skipped */
        sn_buf_add_str(&text, "\xef\xbb\xbf");
        assert_int_equal(load(shape->kind, sn_buf_slice(&text), &findings), SN_INVALID); /* and nowhere else */
        sn_buf_reset(&text);
        put_rules(&text, shape, 1);
        put_repeated(&text, "[", 10000);
        expect_error(
            shape, "depth 10000 behind the rules", sn_buf_slice(&text), (struct expected){"syntax", 4, 1026, ""});
        sn_buf_reset(&text);
        sn_buf_add_str(&text, "version: \"1\"\nrules: ");
        put_repeated(&text, "[", 10000);
        expect_error(shape, "depth 10000", sn_buf_slice(&text), (struct expected){"limit", 2, 23, "deep"});
        sn_buf_reset(&text);
        sn_buf_add_str(&text, "version: \"1\"\nrules: [");
        put_repeated(&text, "x,", 400000);
        expect_error(shape, "400001 values", sn_buf_slice(&text), (struct expected){"limit", 2, 799999, "400000"});
        sn_findings_clear(&findings);
    }
}

/* --- memory --- */

/* Of the largest text that a document may have; docs/reference/policy.md says it too. The worst below takes 35. */
enum { MEMORY_MULTIPLE = 40 };

static void put_worst(struct sn_buf *out, const struct shape *shape, size_t form)
{
    static const char *const units[] = {
        "x,", "[],", "{},", "\"\",", "{a: b},", "- ", "\n", "a", "\xc3\xa9", "? ", "#\n"};
    sn_buf_addf(out, "version: \"1\"\n%.*s: ", (int)(strlen(shape->list) - 2), shape->list);
    sn_buf_add_str(out, form < 5 ? "[" : form == 7 || form == 8 ? "\"" : "\n");
    size_t unit = strlen(units[form]);
    put_repeated(out, units[form], (MIB - out->len - 1) / unit);
}

/* POL-13: whatever the text, memory is bounded by a multiple of the greatest length of a document. */
static void attack_08_memory(void **state)
{
    (void)state;
    enum { FORMS = 11 };
    if (!SN_HEAP_IS_COUNTED) {
        skip();
    }
    size_t worst = 0;
    for (size_t k = 0; k < SN_LEN(shapes); k++) {
        for (size_t form = 0; form < FORMS + 2; form++) {
            SN_AUTO(sn_buf_clear) struct sn_buf text = SN_BUF_INIT(TEXT_MAX);
            struct sn_findings findings = {0};
            if (form < FORMS) {
                put_worst(&text, &shapes[k], form);
            } else {
                put_rules(&text, &shapes[k], form == FORMS ? SN_POLICY_MAX_RULES : SN_POLICY_MAX_RULES + 1);
            }
            assert_true(text.len <= MIB);
            heap_peak_begin();
            (void)!load(shapes[k].kind, sn_buf_slice(&text), &findings);
            sn_findings_clear(&findings);
            print_message("# %s, form %zu: %zu times the limit\n", sn_document_kinds[shapes[k].kind].word, form,
                (heap_peak + MIB - 1) / MIB);
            worst = heap_peak > worst ? heap_peak : worst;
        }
    }
    print_message("# at most %zu bytes\n", worst);
    assert_true(worst <= (size_t)MEMORY_MULTIPLE * MIB);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(attack_08_bytes_and_syntax),
        cmocka_unit_test(attack_08_fields),
        cmocka_unit_test(attack_08_values),
        cmocka_unit_test(attack_08_sizes),
        cmocka_unit_test(attack_08_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
