/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/cmd_policy_validate.c - policy validate, policy lint: what is wrong, and what is odd, in documents (POL 8).
 *
 * Both find the same; validate answers "may this be used?", lint prints the findings as its result.
 */
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fs.h"
#include "cli/policy_commands.h"
#include "cli/policy_input.h"
#include "core/policy/limits.h"
#include "core/policy/lint.h"
#include "core/policy/schema.h"

enum { EXIT_FINDINGS = 1, FILES_MAX = 1000 };

struct validate_args {
    const char *type, *fail_on;
    struct sn_opt_list catalog;
    bool is_strict;
};

static const char *const type_choices[] = {"policy", "catalog", NULL};
static const char *const fail_on_choices[] = {"error", "warning", NULL};

/* clang-format off */
static const struct sn_opt validate_opts[] = {
    {.name = "type", .metavar = "TYPE", .kind = SN_OPT_CHOICE, .choices = type_choices, .fallback = "policy",
     .field = offsetof(struct validate_args, type), .help = "what the files are: access policies, or the catalogue"},
    {.name = "catalog", .metavar = "FILE", .kind = SN_OPT_LIST, .words = SN_WORDS_FILES,
     .field = offsetof(struct validate_args, catalog),
     .help = "a catalogue: rules about profiles it does not hold are reported"},
    {.name = "fail-on", .metavar = "SEVERITY", .kind = SN_OPT_CHOICE, .choices = fail_on_choices, .fallback = "error",
     .field = offsetof(struct validate_args, fail_on), .help = "the least severity that makes the exit code 1"},
    {.name = "strict", .kind = SN_OPT_FLAG, .field = offsetof(struct validate_args, is_strict),
     .help = "short for --fail-on warning"},
    {0},
};
/* clang-format on */

struct document {
    struct sn_buf text;
    struct sn_findings findings;
};

struct documents {
    struct document *items;
    size_t count;
};

static void clear_documents(struct documents *documents)
{
    for (size_t i = 0; i < documents->count; i++) {
        sn_buf_clear(&documents->items[i].text);
        sn_findings_clear(&documents->items[i].findings);
    }
    sn_free(documents->items);
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

static void check_policy(struct document *document, const struct sn_tz_source *zones, const struct sn_catalog *catalog)
{
    struct sn_policy *policy = NULL;
    struct sn_error ignored = {0};

    if (sn_policy_load(sn_buf_slice(&document->text), zones, &document->findings, &policy, &ignored) == SN_OK) {
        sn_policy_lint(policy, catalog, &document->findings);
        sn_policy_lint_sort(&document->findings, 0);
    }
    drop_lint(&document->findings);
    sn_policy_unref(policy);
}

/* Files of a catalogue are one: a finding is kept with the file it is about, a name given twice with the later. */
static void check_catalog_part(const struct sn_app *app, const struct documents *documents, size_t index)
{
    SN_AUTO(sn_findings_clear) struct sn_findings all = {0};
    struct sn_catalog_source *sources = sn_alloc(index + 1, sizeof(*sources));
    struct sn_catalog *catalog = NULL;
    struct sn_error ignored = {0};
    struct document *document = &documents->items[index];
    char prefix[SN_SHOW_MAX + 3];

    for (size_t i = 0; i <= index; i++) {
        sources[i].name = sn_slice_str(sn_input_name(app->operands[i]));
        sources[i].text = sn_buf_slice(&documents->items[i].text);
    }
    snprintf(prefix, sizeof(prefix), "%.*s: ", SN_SHOW(sources[index].name));
    (void)!sn_catalog_load(sources, index + 1, &all, &catalog, &ignored);
    for (size_t i = 0; i < all.count; i++) {
        const struct sn_finding *finding = &all.items[i];
        if (sn_slice_has_prefix(finding->path, sn_slice_str(prefix))) {
            size_t cut = strlen(prefix);
            sn_findings_add(&document->findings, finding->severity, finding->code, finding->line, finding->column,
                sn_slice_sub(finding->path, cut, finding->path.len - cut), finding->message, finding->suggestion);
        }
    }
    drop_lint(&document->findings);
    sn_catalog_unref(catalog);
    sn_free(sources);
}

static enum sn_status check_all(
    struct sn_app *app, const struct validate_args *args, struct documents *documents, struct sn_error *err)
{
    SN_AUTO(sn_catalog_unref_p) struct sn_catalog *catalog = NULL;
    SN_AUTO(sn_zoneinfo_clear) struct sn_zoneinfo zoneinfo;
    struct sn_tz_source zones;

    sn_input_zones(&zoneinfo, &zones);
    SN_TRY(sn_input_catalog(&args->catalog, &catalog, err));
    documents->items = sn_alloc(app->operand_count, sizeof(*documents->items));
    for (size_t i = 0; i < app->operand_count; i++) {
        documents->count = i + 1;
        SN_TRY(sn_input_read(app->operands[i], SN_POLICY_MAX_BYTES, &documents->items[i].text, err));
    }
    for (size_t i = 0; i < documents->count; i++) {
        if (strcmp(args->type, "catalog") == 0) {
            check_catalog_part(app, documents, i);
        } else {
            check_policy(&documents->items[i], &zones, catalog);
        }
    }
    return SN_OK;
}

static void write_json(
    struct sn_buf *out, const struct sn_app *app, const struct validate_args *args, const struct documents *documents)
{
    struct sn_json_writer w;
    size_t errors = 0, warnings = 0, invalid = 0;

    sn_json_writer_init(&w, out);
    if (documents->count > 1) {
        sn_json_begin_object(&w);
        sn_json_key(&w, "results");
        sn_json_begin_array(&w);
    }
    for (size_t i = 0; i < documents->count; i++) {
        const struct sn_findings *findings = &documents->items[i].findings;
        sn_findings_json(&w, findings, args->type, sn_input_name(app->operands[i]));
        errors += findings->errors;
        warnings += sn_findings_warnings(findings);
        invalid += findings->errors > 0;
    }
    if (documents->count > 1) {
        sn_json_end_array(&w);
        sn_json_key(&w, "summary");
        sn_json_begin_object(&w);
        sn_json_member_int(&w, "total", (int64_t)documents->count);
        sn_json_member_int(&w, "valid", (int64_t)(documents->count - invalid));
        sn_json_member_int(&w, "invalid", (int64_t)invalid);
        sn_json_member_int(&w, "errors", (int64_t)errors);
        sn_json_member_int(&w, "warnings", (int64_t)warnings);
        sn_json_end_object(&w);
        sn_json_end_object(&w);
    }
    sn_buf_add_byte(out, '\n');
}

/* For people: errors always, the rest unless quiet; on stderr, since the result of validate is its exit code. */
static void say_valid(const struct sn_app *app, const struct validate_args *args, const struct documents *documents)
{
    const char *kind = strcmp(args->type, "catalog") == 0 ? "Catalogue" : "Policy";

    for (size_t i = 0; i < documents->count; i++) {
        const struct sn_findings *findings = &documents->items[i].findings;
        SN_AUTO(sn_buf_clear) struct sn_buf text = {0};
        struct sn_error ignored = {0};
        if (findings->count > 0 && (findings->errors > 0 || !app->quiet)) {
            sn_findings_text(&text, findings, sn_input_name(app->operands[i]));
        } else if (findings->count == 0 && !app->quiet) {
            if (documents->count > 1) {
                sn_buf_addf(&text, "%s: ", sn_input_name(app->operands[i]));
            }
            sn_buf_addf(&text, "%s is valid\n", kind);
        }
        (void)!sn_fd_write_all(STDERR_FILENO, sn_buf_slice(&text), &ignored);
    }
}

static void set_outcome(struct sn_app *app, const struct validate_args *args, const struct documents *documents)
{
    bool warnings_count = args->is_strict || strcmp(args->fail_on, "warning") == 0;
    bool has_failed = false;

    for (size_t i = 0; i < documents->count; i++) {
        const struct sn_findings *findings = &documents->items[i].findings;
        has_failed |= findings->errors > 0 || (warnings_count && sn_findings_warnings(findings) > 0);
    }
    sn_app_outcome(app, has_failed ? EXIT_FINDINGS : 0);
}

static enum sn_status run(struct sn_app *app, const struct validate_args *args, bool is_lint, struct sn_error *err)
{
    SN_AUTO(clear_documents) struct documents documents = {0};
    SN_AUTO(sn_buf_clear) struct sn_buf out = {0};

    SN_TRY(check_all(app, args, &documents, err));
    set_outcome(app, args, &documents);
    if (app->json) {
        write_json(&out, app, args, &documents);
    } else if (is_lint) {
        for (size_t i = 0; i < documents.count && !app->quiet; i++) {
            sn_findings_text(&out, &documents.items[i].findings, sn_input_name(app->operands[i]));
        }
    } else {
        say_valid(app, args, &documents);
    }
    return out.len > 0 || app->output != NULL ? sn_app_write(app, sn_buf_slice(&out), err) : SN_OK;
}

static enum sn_status run_validate(struct sn_app *app, void *args, struct sn_error *err)
{
    return run(app, args, false, err);
}

static enum sn_status run_lint(struct sn_app *app, void *args, struct sn_error *err)
{
    return run(app, args, true, err);
}

static const struct sn_exit_row validate_exits[] = {
    {0, "every file is valid, and nothing was found at or above --fail-on"},
    {1, "a file is invalid, or something was found at or above --fail-on"},
    {2, "wrong usage, or a file that cannot be read"},
    {0},
};
static const struct sn_example validate_examples[] = {
    {"sentinel policy validate policies/prod.yaml", "may this policy be used?"},
    {"sentinel policy validate --strict --catalog catalog.yaml policies/*.yaml", "a check for a pipeline"},
    {"sentinel policy validate --type catalog catalog.yaml catalog.d/*.yaml", "files that together are a catalogue"},
    {0},
};
static const struct sn_example lint_examples[] = {
    {"sentinel policy lint policies/prod.yaml", "what is odd: rules out of order, rules that never decide"},
    {0},
};

const struct sn_cmd sn_cmd_policy_validate = {
    .name = "policy validate",
    .group = SN_GROUP_POLICY,
    .summary = "check documents before they are used",
    .description =
        "Reads documents as the TVM would, and reports everything that is wrong, each with its place and what to write "
        "instead; for a valid one, what is legal but probably not meant. Nothing is contacted.\n\n"
        "'-' stands for standard input.",
    .operands = "FILE...",
    .min_operands = 1,
    .max_operands = FILES_MAX,
    .writes_result = true,
    .operand_words = SN_WORDS_FILES,
    .opts = validate_opts,
    .examples = validate_examples,
    .args_size = sizeof(struct validate_args),
    .exits = validate_exits,
    .run = run_validate,
};

const struct sn_cmd sn_cmd_policy_lint = {
    .name = "policy lint",
    .group = SN_GROUP_POLICY,
    .summary = "print what is wrong or odd in documents",
    .description = "The same checks as 'policy validate'; the findings are the result, on standard output.",
    .operands = "FILE...",
    .min_operands = 1,
    .max_operands = FILES_MAX,
    .writes_result = true,
    .operand_words = SN_WORDS_FILES,
    .opts = validate_opts,
    .examples = lint_examples,
    .args_size = sizeof(struct validate_args),
    .exits = validate_exits,
    .run = run_lint,
};
