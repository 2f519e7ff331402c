/* SPDX-License-Identifier: Apache-2.0 */
/* core/policy/findings.c - see findings.h. */
#include "core/policy/findings.h"

#include <string.h>

#include "base/alloc.h"

static const struct {
    const char *code;
    enum sn_finding_phase phase;
} codes[] = {
#define SN_FINDING_ROW(code, phase) {code, SN_FINDING_##phase},
    SN_FINDING_CODES(SN_FINDING_ROW)
#undef SN_FINDING_ROW
};

void sn_findings_add(struct sn_findings *findings, enum sn_severity severity, const char *code, uint32_t line,
    uint32_t column, struct sn_slice path, struct sn_slice message, struct sn_slice suggestion)
{
    if (severity == SN_SEVERITY_ERROR) {
        findings->errors++;
    }
    if (findings->count == SN_FINDINGS_MAX) {
        findings->dropped++;
        return;
    }
    if (findings->count == findings->capacity) {
        findings->capacity = findings->capacity == 0 ? 8 : findings->capacity * 2;
        findings->items = sn_realloc(findings->items, findings->capacity, sizeof(*findings->items));
    }
    findings->items[findings->count++] = (struct sn_finding){
        .severity = severity,
        .code = code,
        .line = line,
        .column = column,
        .path = sn_arena_dup(&findings->arena, path),
        .message = sn_arena_dup(&findings->arena, message),
        .suggestion = sn_arena_dup(&findings->arena, suggestion),
    };
}

void sn_findings_clear(struct sn_findings *findings)
{
    if (findings == NULL) {
        return;
    }
    sn_free(findings->items);
    sn_arena_clear(&findings->arena);
    *findings = (struct sn_findings){0};
}

void sn_findings_sort_by(struct sn_findings *findings, size_t first, sn_finding_after_fn *comes_after)
{
    for (size_t i = first + 1; i < findings->count; i++) { /* at most SN_FINDINGS_MAX, mostly in order */
        struct sn_finding moved = findings->items[i];
        size_t place = i;
        while (place > first && comes_after(&findings->items[place - 1], &moved)) {
            findings->items[place] = findings->items[place - 1];
            place--;
        }
        findings->items[place] = moved;
    }
}

static bool stands_behind(const struct sn_finding *a, const struct sn_finding *b)
{
    return a->line != b->line ? a->line > b->line : a->column > b->column;
}

void sn_findings_sort(struct sn_findings *findings, size_t first)
{
    sn_findings_sort_by(findings, first, stands_behind);
}

enum sn_finding_phase sn_finding_phase(const struct sn_finding *finding)
{
    for (size_t i = 0; i < SN_LEN(codes); i++) {
        if (strcmp(codes[i].code, finding->code) == 0) {
            return codes[i].phase;
        }
    }
    return SN_FINDING_VALIDATION;
}

const char *sn_finding_prefix(const struct sn_finding *finding)
{
    switch (sn_finding_phase(finding)) {
    case SN_FINDING_PARSE:
        return "parse error";
    case SN_FINDING_VALIDATION:
        return "validation error";
    case SN_FINDING_LINT:
        return "lint";
    }
    return "validation error";
}

const char *sn_severity_name(enum sn_severity severity)
{
    switch (severity) {
    case SN_SEVERITY_INFO:
        return "info";
    case SN_SEVERITY_WARNING:
        return "warning";
    case SN_SEVERITY_ERROR:
        return "error";
    }
    return "error";
}

enum sn_status sn_findings_fail(
    const struct sn_findings *findings, size_t first, const char *code, struct sn_error *err)
{
    const struct sn_finding *shown = NULL;
    size_t errors = findings->dropped; /* those past the limit are not told apart; the first error is what counts */
    for (size_t i = first; i < findings->count; i++) {
        if (findings->items[i].severity == SN_SEVERITY_ERROR) {
            shown = shown != NULL ? shown : &findings->items[i];
            errors++;
        }
    }
    if (shown == NULL) {
        return sn_fail(err, SN_INVALID, code, "too many findings");
    }
    (void)sn_fail(err, SN_INVALID, code, "%s: line %u, column %u: %.*s%s%.*s", sn_finding_prefix(shown), shown->line,
        shown->column, SN_PRI(shown->path), shown->path.len > 0 ? ": " : "", SN_PRI(shown->message));
    if (shown->suggestion.len > 0) {
        (void)sn_suggest(err, "%.*s", SN_PRI(shown->suggestion));
    }
    (void)sn_error_detail(err, "line", "%u", shown->line);
    (void)sn_error_detail(err, "column", "%u", shown->column);
    return sn_error_detail(err, "errors", "%zu", errors);
}
