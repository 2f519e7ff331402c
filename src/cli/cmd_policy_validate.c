/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/cmd_policy_validate.c - policy validate, policy lint: what is wrong, and what is odd, in documents (POL 8).
 *
 * Both find the same; validate answers "may this be used?", lint prints the findings as its result.
 */
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "base/fs.h"
#include "cli/document_set.h"
#include "cli/policy_commands.h"
#include "cli/policy_input.h"
#include "core/policy/limits.h"

enum { EXIT_FINDINGS = 1, FILES_MAX = 1000 };

struct validate_args {
    const char *type, *fail_on;
    struct sn_opt_list catalog;
    bool is_strict;
};

static const char *const fail_on_choices[] = {"error", "warning", NULL};

/* clang-format off */
static const struct sn_opt validate_opts[] = {
    {.name = "type", .metavar = "TYPE", .kind = SN_OPT_CHOICE, .choices = sn_document_type_choices,
     .field = offsetof(struct validate_args, type), .help = "what the files are; else each is known by its fields"},
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

static enum sn_status check_all(
    struct sn_app *app, const struct validate_args *args, struct sn_document_set *set, struct sn_error *err)
{
    SN_AUTO(sn_catalog_unref_p) struct sn_catalog *catalog = NULL;
    SN_AUTO(sn_zoneinfo_clear) struct sn_zoneinfo zoneinfo;
    struct sn_tz_source zones;

    sn_input_zones(&zoneinfo, &zones);
    SN_TRY(sn_input_catalog(&args->catalog, &catalog, err));
    sn_document_set_init(set, app->operand_count);
    for (size_t i = 0; i < app->operand_count; i++) {
        struct sn_document *document = sn_document_set_add(set, sn_input_name(app->operands[i]));
        SN_TRY(sn_input_read(app->operands[i], SN_POLICY_MAX_BYTES, &document->text, err));
    }
    sn_document_set_classify(set, args->type);
    sn_document_set_check(set, &zones, catalog);
    return SN_OK;
}

static void write_json(struct sn_buf *out, const struct sn_document_set *set)
{
    struct sn_json_writer w;

    sn_json_writer_init(&w, out);
    if (set->count > 1) {
        sn_document_set_json(&w, set);
    } else {
        sn_findings_json(&w, &set->items[0].findings, sn_document_type(&set->items[0]), set->items[0].source);
    }
    sn_buf_add_byte(out, '\n');
}

/* What a document with faults was taken for, where that may be the mistake. */
static void note_guess(const struct sn_app *app, const struct sn_document *document)
{
    if (document->is_guess && document->findings.errors > 0 &&
        (document->is_bootstrap || document->kind != SN_DOCUMENT_POLICY)) {
        sn_app_note(app, "%s was taken for a document of type %s by its fields; give --type if it is another",
            document->source, sn_document_type(document));
    }
}

/* For people: errors always, the rest unless quiet; on stderr, since the result of validate is its exit code. */
static void say_valid(const struct sn_app *app, const struct sn_document_set *set)
{
    for (size_t i = 0; i < set->count; i++) {
        const struct sn_findings *findings = &set->items[i].findings;
        SN_AUTO(sn_buf_clear) struct sn_buf text = {0};
        struct sn_error ignored = {0};
        if (findings->count > 0 && (findings->errors > 0 || !app->quiet)) {
            sn_findings_text(&text, findings, set->items[i].source);
        } else if (findings->count == 0 && !app->quiet) {
            if (set->count > 1) {
                sn_buf_addf(&text, "%s: ", set->items[i].source);
            }
            sn_buf_addf(&text, "%s is valid\n", sn_document_title(&set->items[i]));
        }
        (void)!sn_fd_write_all(STDERR_FILENO, sn_buf_slice(&text), &ignored);
        note_guess(app, &set->items[i]);
    }
}

static void list_findings(const struct sn_app *app, const struct sn_document_set *set, struct sn_buf *out)
{
    for (size_t i = 0; i < set->count && !app->quiet; i++) {
        sn_findings_text(out, &set->items[i].findings, set->items[i].source);
        note_guess(app, &set->items[i]);
    }
}

static enum sn_status run(struct sn_app *app, const struct validate_args *args, bool is_lint, struct sn_error *err)
{
    SN_AUTO(sn_document_set_clear) struct sn_document_set set = {0};
    SN_AUTO(sn_buf_clear) struct sn_buf out = {0};
    bool warnings_count = args->is_strict || strcmp(args->fail_on, "warning") == 0;

    SN_TRY(check_all(app, args, &set, err));
    bool has_failed = sn_document_set_errors(&set) > 0 || (warnings_count && sn_document_set_warnings(&set) > 0);
    sn_app_outcome(app, has_failed ? EXIT_FINDINGS : 0);
    if (app->json) {
        write_json(&out, &set);
    } else if (is_lint) {
        list_findings(app, &set, &out);
    } else {
        say_valid(app, &set);
    }
    SN_TRY(sn_buf_check(&out, "the report", err));
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
    {"sentinel policy validate approval.yaml breakglass.yaml ratelimit.yaml", "documents of every kind"},
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
