/* SPDX-License-Identifier: Apache-2.0 */
/* cli/document_set.c - see document_set.h. */
#include "cli/document_set.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "cli/policy_input.h"
#include "core/policy/bootstrap.h"
#include "core/policy/lint.h"
#include "core/policy/ruleset.h"
#include "core/policy/schema.h"

const char *const sn_document_type_choices[] = {"policy", "approval", "breakglass", "ratelimit", "catalog", NULL};
const char *const sn_config_type_choices[] = {
    "policy", "approval", "breakglass", "ratelimit", "catalog", "bootstrap", NULL};

void sn_document_set_init(struct sn_document_set *set, size_t capacity)
{
    *set = (struct sn_document_set){.items = sn_alloc(capacity, sizeof(*set->items))};
}

void sn_document_set_clear(struct sn_document_set *set)
{
    for (size_t i = 0; i < set->count; i++) {
        sn_buf_clear(&set->items[i].text);
        sn_findings_clear(&set->items[i].findings);
    }
    sn_free(set->items);
    *set = (struct sn_document_set){0};
}

struct sn_document *sn_document_set_add(struct sn_document_set *set, const char *source)
{
    struct sn_document *document = &set->items[set->count++];
    document->source = source;
    return document;
}

const char *sn_document_type(const struct sn_document *document)
{
    if (document->is_guess && document->exit_code != 0) {
        return "unknown";
    }
    return document->is_bootstrap ? "bootstrap" : sn_document_kinds[document->kind].word;
}

const char *sn_document_title(const struct sn_document *document)
{
    return document->is_bootstrap ? "Bootstrap configuration" : sn_document_kinds[document->kind].title;
}

void sn_document_set_classify(struct sn_document_set *set, const char *type)
{
    for (size_t i = 0; i < set->count; i++) {
        struct sn_document *document = &set->items[i];
        if (type != NULL) {
            document->is_bootstrap = !sn_document_kind_parse(sn_slice_str(type), &document->kind);
            continue;
        }
        struct sn_document_guess guess = sn_document_kind_guess(sn_buf_slice(&document->text));
        document->kind = guess.kind;
        document->is_bootstrap = guess.is_bootstrap;
        document->is_guess = true;
        document->is_blind = guess.is_blind;
    }
}

/* Lint speaks of valid documents only: beside an error its findings mislead. */
static void drop_lint(struct sn_findings *findings)
{
    size_t kept = 0;

    for (size_t i = 0; i < findings->count && findings->errors > 0; i++) {
        if (sn_finding_phase(&findings->items[i]) != SN_FINDING_LINT) {
            findings->items[kept++] = findings->items[i];
        }
    }
    findings->count = findings->errors > 0 ? kept : findings->count;
}

static void check_policy(
    struct sn_document *document, const struct sn_tz_source *zones, const struct sn_catalog *catalog)
{
    struct sn_policy *policy = NULL;
    struct sn_error ignored = {0};

    if (sn_policy_load(sn_buf_slice(&document->text), zones, &document->findings, &policy, &ignored) == SN_OK) {
        sn_policy_lint(policy, catalog, &document->findings);
    }
    sn_policy_unref(policy);
}

static void check_ruleset(
    struct sn_document *document, const struct sn_tz_source *zones, const struct sn_catalog *catalog)
{
    struct sn_ruleset *ruleset = NULL;
    struct sn_error ignored = {0};

    if (sn_ruleset_load(
            document->kind, sn_buf_slice(&document->text), zones, &document->findings, &ruleset, &ignored) == SN_OK) {
        sn_ruleset_lint(ruleset, catalog, &document->findings);
    }
    sn_ruleset_unref(ruleset);
}

/* --- the catalogue --- */

static bool has_finding(const struct sn_findings *findings, const struct sn_finding *finding)
{
    for (size_t i = 0; i < findings->count; i++) {
        const struct sn_finding *other = &findings->items[i];
        if (other->line == finding->line && other->column == finding->column &&
            strcmp(other->code, finding->code) == 0) {
            return true;
        }
    }
    return false;
}

/* Takes over what is about one source of several, without the name of the source before the place. */
static void take_findings(struct sn_document *document, const struct sn_findings *all)
{
    char prefix[SN_SHOW_MAX + 3];

    snprintf(prefix, sizeof(prefix), "%.*s: ", SN_SHOW(sn_slice_str(document->source)));
    for (size_t i = 0; i < all->count; i++) {
        struct sn_finding finding = all->items[i];
        if (!sn_slice_has_prefix(finding.path, sn_slice_str(prefix)) || has_finding(&document->findings, &finding)) {
            continue;
        }
        size_t cut = strlen(prefix);
        sn_findings_add(&document->findings, finding.severity, finding.code, finding.line, finding.column,
            sn_slice_sub(finding.path, cut, finding.path.len - cut), finding.message, finding.suggestion);
    }
}

/* Loads the sources, giving each of documents what is about it. */
static enum sn_status load_catalog(
    const struct sn_catalog_source *sources, struct sn_document *const *documents, size_t count, struct sn_error *err)
{
    SN_AUTO(sn_findings_clear) struct sn_findings all = {0};
    SN_AUTO(sn_catalog_unref_p) struct sn_catalog *catalog = NULL;
    enum sn_status status = sn_catalog_load(sources, count, &all, &catalog, err);

    for (size_t i = 0; i < count; i++) {
        take_findings(documents[i], &all);
    }
    return status;
}

/* Each document by itself first, then all together, for names given twice. */
static void check_catalog(struct sn_document_set *set)
{
    struct sn_catalog_source *sources = sn_alloc(set->count, sizeof(*sources));
    struct sn_document **documents = sn_alloc(set->count, sizeof(struct sn_document *));
    size_t count = 0, errors = 0;
    struct sn_error err = {0};

    for (size_t i = 0; i < set->count; i++) {
        struct sn_document *document = &set->items[i];
        if (document->is_bootstrap || document->kind != SN_DOCUMENT_CATALOG || document->exit_code != 0) {
            continue;
        }
        struct sn_error ignored = {0};
        sources[count] = (struct sn_catalog_source){sn_slice_str(document->source), sn_buf_slice(&document->text)};
        documents[count] = document;
        (void)!load_catalog(&sources[count], &documents[count], 1, &ignored);
        count++;
    }
    if (count > 1 && load_catalog(sources, documents, count, &err) != SN_OK) {
        for (size_t i = 0; i < count; i++) {
            errors += documents[i]->findings.errors;
        }
        if (errors == 0) { /* too many findings to tell whose they are */
            sn_findings_add(&documents[count - 1]->findings, SN_SEVERITY_ERROR, "duplicate-profile", 0, 0, SN_S(""),
                sn_slice_str(err.message), SN_S(""));
        }
    }
    sn_free(documents);
    sn_free(sources);
}

void sn_document_set_check(
    struct sn_document_set *set, const struct sn_tz_source *zones, const struct sn_catalog *catalog)
{
    check_catalog(set);
    for (size_t i = 0; i < set->count; i++) {
        struct sn_document *document = &set->items[i];
        if (document->exit_code != 0) {
            continue;
        }
        if (document->is_bootstrap) {
            sn_bootstrap_check(sn_buf_slice(&document->text), zones, &document->findings);
        } else if (document->kind == SN_DOCUMENT_POLICY) {
            check_policy(document, zones, catalog);
        } else if (document->kind != SN_DOCUMENT_CATALOG) {
            check_ruleset(document, zones, catalog);
        }
        drop_lint(&document->findings);
        if (document->findings.errors == 0) {
            sn_policy_lint_sort(&document->findings, 0);
        }
    }
}

/* --- totals --- */

size_t sn_document_set_errors(const struct sn_document_set *set)
{
    size_t errors = 0;

    for (size_t i = 0; i < set->count; i++) {
        errors += set->items[i].findings.errors;
    }
    return errors;
}

size_t sn_document_set_warnings(const struct sn_document_set *set)
{
    size_t warnings = 0;

    for (size_t i = 0; i < set->count; i++) {
        warnings += sn_findings_warnings(&set->items[i].findings);
    }
    return warnings;
}

void sn_document_set_json(struct sn_json_writer *w, const struct sn_document_set *set)
{
    size_t invalid = 0;

    sn_json_begin_object(w);
    sn_json_key(w, "results");
    sn_json_begin_array(w);
    for (size_t i = 0; i < set->count; i++) {
        const struct sn_document *document = &set->items[i];
        sn_findings_json(w, &document->findings, sn_document_type(document), document->source);
        invalid += document->findings.errors > 0;
    }
    sn_json_end_array(w);
    sn_json_key(w, "summary");
    sn_json_begin_object(w);
    sn_json_member_int(w, "total", (int64_t)set->count);
    sn_json_member_int(w, "valid", (int64_t)(set->count - invalid));
    sn_json_member_int(w, "invalid", (int64_t)invalid);
    sn_json_member_int(w, "errors", (int64_t)sn_document_set_errors(set));
    sn_json_member_int(w, "warnings", (int64_t)sn_document_set_warnings(set));
    sn_json_end_object(w);
    sn_json_end_object(w);
}
