/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/cmd_config_validate.c - config validate: documents of every kind, from files and from Parameter Store (POL 16).
 */
#include <string.h>

#include "aws/endpoint.h"
#include "aws/ssm.h"
#include "base/env.h"
#include "cli/document_set.h"
#include "cli/policy_commands.h"
#include "cli/policy_input.h"
#include "cli/report.h"
#include "core/policy/limits.h"
#include "core/policy/schema.h"
#include "vault/base_credentials.h"

enum { EXIT_INVALID = 1, EXIT_FILE = 2, EXIT_PARAMETER = 3, PATHS_MAX = 1000 };

struct validate_args {
    struct sn_opt_list paths, parameters;
    const char *type, *region, *aws_profile;
};

/* clang-format off */
static const struct sn_opt validate_opts[] = {
    {.name = "path", .letter = 'p', .metavar = "FILE", .kind = SN_OPT_LIST, .words = SN_WORDS_FILES,
     .field = offsetof(struct validate_args, paths), .help = "a further file"},
    {.name = "ssm", .metavar = "PARAMETER", .kind = SN_OPT_LIST, .field = offsetof(struct validate_args, parameters),
     .help = "a document in Parameter Store, read with your own AWS credentials"},
    {.name = "type", .metavar = "TYPE", .kind = SN_OPT_CHOICE, .choices = sn_config_type_choices,
     .field = offsetof(struct validate_args, type), .help = "what the documents are; else each is known by its fields"},
    {.name = "region", .metavar = "REGION", .kind = SN_OPT_STRING, .field = offsetof(struct validate_args, region),
     .help = "AWS region of the parameters; else AWS_REGION, AWS_DEFAULT_REGION, the profile's"},
    {.name = "aws-profile", .metavar = "NAME", .kind = SN_OPT_STRING, .words = SN_WORDS_AWS_PROFILES,
     .field = offsetof(struct validate_args, aws_profile),
     .help = "profile of the AWS config whose credentials read parameters; else the standard chain"},
    {0},
};
/* clang-format on */

/* --- reading --- */

/* A source that cannot be read is one error of that source. */
static void add_unreadable(
    const struct sn_app *app, struct sn_document *document, int exit_code, struct sn_error *cause)
{
    sn_report_hint(app->program, app->cmd->name, cause);
    document->exit_code = exit_code;
    sn_findings_add(&document->findings, SN_SEVERITY_ERROR, "unreadable", 0, 0, SN_S(""), sn_slice_str(cause->message),
        sn_slice_str(cause->suggestion));
}

static void read_file(const struct sn_app *app, struct sn_document_set *set, const char *path)
{
    struct sn_document *document = sn_document_set_add(set, sn_input_name(path));
    struct sn_error err = {0};

    if (sn_input_read(path, SN_POLICY_MAX_BYTES, &document->text, &err) != SN_OK) {
        add_unreadable(app, document, EXIT_FILE, &err);
    }
}

/* What reading parameters takes; opened when there is one to read. */
struct store {
    struct sn_base *base;
    struct sn_ssm *ssm;
};

static void close_store(struct store *store)
{
    sn_ssm_free(store->ssm);
    sn_base_free(store->base);
}

static enum sn_status open_store(const struct validate_args *args, struct store *store, struct sn_error *err)
{
    struct sn_base_options base = {.profile = args->aws_profile, .region = args->region};
    char region[SN_REGION_MAX + 1], endpoint[SN_ENDPOINT_MAX];

    SN_TRY(sn_base_new(&base, &store->base, err));
    SN_TRY(sn_base_region(store->base, region, err));
    if (region[0] == '\0') {
        sn_fail(err, SN_INVALID, "CONFIG_MISSING_REGION", "no AWS region is known");
        return sn_suggest(err, "give --region, or set AWS_REGION");
    }
    SN_TRY(sn_endpoint_url("ssm", sn_slice_str(region), sn_env_system(), endpoint, err));
    struct sn_json_client_options options = {.endpoint = endpoint,
        .region = region,
        .source = sn_base_source(store->base),
        .ca_file = sn_env_get("AWS_CA_BUNDLE")};
    return sn_ssm_new(&options, &store->ssm, err);
}

static void read_parameter(
    const struct sn_app *app, struct sn_document *document, struct store *store, struct sn_error *err)
{
    struct sn_ssm_parameter parameter = {0};

    if (sn_ssm_get(store->ssm, document->source, &parameter, err) != SN_OK) {
        add_unreadable(app, document, EXIT_PARAMETER, err);
    } else {
        document->text = parameter.value;
        parameter.value = (struct sn_buf){0};
    }
    sn_ssm_parameter_clear(&parameter);
}

static void read_parameters(const struct sn_app *app, const struct validate_args *args, struct sn_document_set *set)
{
    SN_AUTO(close_store) struct store store = {0};
    struct sn_error unopened = {0};
    bool is_open = args->parameters.count > 0 && open_store(args, &store, &unopened) == SN_OK;

    for (size_t i = 0; i < args->parameters.count; i++) {
        struct sn_document *document = sn_document_set_add(set, args->parameters.items[i]);
        struct sn_error err = {0};
        if (is_open) {
            read_parameter(app, document, &store, &err);
        } else {
            add_unreadable(app, document, EXIT_PARAMETER, &unopened);
        }
    }
}

static void read_all(const struct sn_app *app, const struct validate_args *args, struct sn_document_set *set)
{
    sn_document_set_init(set, app->operand_count + args->paths.count + args->parameters.count);
    for (size_t i = 0; i < app->operand_count; i++) {
        read_file(app, set, app->operands[i]);
    }
    for (size_t i = 0; i < args->paths.count; i++) {
        read_file(app, set, args->paths.items[i]);
    }
    read_parameters(app, args, set);
}

/* --- showing --- */

static void add_items(
    struct sn_buf *out, const struct sn_findings *findings, enum sn_severity severity, const char *head)
{
    bool is_first = true;

    for (size_t i = 0; i < findings->count; i++) {
        const struct sn_finding *finding = &findings->items[i];
        if (finding->severity != severity) {
            continue;
        }
        sn_buf_addf(out, "%s    - ", is_first ? head : "");
        is_first = false;
        if (finding->path.len > 0) {
            sn_cli_printable(out, finding->path);
            sn_buf_add_str(out, ": ");
        }
        sn_cli_printable(out, finding->message);
        if (finding->line != 0) {
            sn_buf_addf(out, " (line %u, column %u)", finding->line, finding->column);
        }
        sn_buf_add_byte(out, '\n');
    }
}

/* Each suggestion once. */
static void add_suggestions(struct sn_buf *out, const struct sn_findings *findings)
{
    bool is_first = true;

    for (size_t i = 0; i < findings->count; i++) {
        struct sn_slice suggestion = findings->items[i].suggestion;
        bool was_shown = suggestion.len == 0;
        for (size_t k = 0; k < i && !was_shown; k++) {
            was_shown = sn_slice_eq(findings->items[k].suggestion, suggestion);
        }
        if (!was_shown) {
            sn_buf_addf(out, "%s    - ", is_first ? "  Suggestions:\n" : "");
            sn_cli_printable(out, suggestion);
            sn_buf_add_byte(out, '\n');
            is_first = false;
        }
    }
}

static void write_text(struct sn_buf *out, const struct sn_document_set *set)
{
    size_t invalid = 0;

    sn_buf_addf(out, "Validating %zu configuration%s...\n", set->count, set->count == 1 ? "" : "s");
    for (size_t i = 0; i < set->count; i++) {
        const struct sn_document *document = &set->items[i];
        bool is_valid = document->findings.errors == 0;
        invalid += !is_valid;
        sn_buf_addf(out, "\n%s ", is_valid ? "#" : "X");
        sn_cli_printable(out, sn_slice_str(document->source));
        sn_buf_addf(out, " (%s)\n%s", sn_document_type(document), is_valid ? "  Valid\n" : "");
        add_items(out, &document->findings, SN_SEVERITY_ERROR, "  Errors:\n");
        add_items(out, &document->findings, SN_SEVERITY_WARNING, "  Warnings:\n");
        add_suggestions(out, &document->findings);
        if (document->findings.dropped > 0) {
            sn_buf_addf(out, "    ... and %zu more\n", document->findings.dropped);
        }
    }
    sn_buf_addf(out, "\nSummary: %zu valid, %zu invalid (%zu errors, %zu warnings)\n", set->count - invalid, invalid,
        sn_document_set_errors(set), sn_document_set_warnings(set));
}

static int exit_code_of(const struct sn_document_set *set)
{
    int highest = 0;

    for (size_t i = 0; i < set->count; i++) {
        int code = set->items[i].findings.errors > 0 ? EXIT_INVALID : 0;
        code = set->items[i].exit_code > code ? set->items[i].exit_code : code;
        highest = code > highest ? code : highest;
    }
    return highest;
}

/* --- the command --- */

/* A document that nothing tells the kind of is taken for an access policy, which may be the mistake. */
static void warn_of_guesses(struct sn_document_set *set)
{
    for (size_t i = 0; i < set->count; i++) {
        if (set->items[i].is_blind && set->items[i].exit_code == 0) {
            sn_findings_add(&set->items[i].findings, SN_SEVERITY_WARNING, "guessed-type", 1, 1, SN_S(""),
                SN_S("nothing tells what the document is; it was read as an access policy"),
                SN_S("give --type if it is another"));
        }
    }
}

static enum sn_status run_validate(struct sn_app *app, void *memory, struct sn_error *err)
{
    const struct validate_args *args = memory;
    SN_AUTO(sn_document_set_clear) struct sn_document_set set = {0};
    SN_AUTO(sn_zoneinfo_clear) struct sn_zoneinfo zoneinfo;
    SN_AUTO(sn_buf_clear) struct sn_buf out = {0};
    struct sn_tz_source zones;

    sn_input_zones(&zoneinfo, &zones);
    if (app->operand_count + args->paths.count + args->parameters.count == 0) {
        sn_fail(err, SN_USAGE, "MISSING_OPERAND", "nothing to validate");
        return sn_suggest(err, "give files, or --ssm with the name of a parameter");
    }
    read_all(app, args, &set);
    sn_document_set_classify(&set, args->type);
    sn_document_set_check(&set, &zones, NULL);
    warn_of_guesses(&set);
    sn_app_outcome(app, exit_code_of(&set));
    if (app->json) {
        struct sn_json_writer w;
        sn_json_writer_init(&w, &out);
        sn_document_set_json(&w, &set);
        sn_buf_add_byte(&out, '\n');
    } else {
        write_text(&out, &set);
    }
    SN_TRY(sn_buf_check(&out, "the report", err));
    return sn_app_write(app, sn_buf_slice(&out), err);
}

static const struct sn_exit_row validate_exits[] = {
    {0, "everything is valid; warnings do not count"},
    {1, "a document is invalid"},
    {2, "wrong usage, or a file that cannot be read"},
    {3, "a parameter that cannot be read"},
    {0},
};
static const struct sn_example validate_examples[] = {
    {"sentinel config validate /etc/sentinel/policy/*.yaml", "all documents of a server"},
    {"sentinel config validate --ssm /sentinel/config/approval", "a document where it is stored"},
    {0},
};

const struct sn_cmd sn_cmd_config_validate = {
    .name = "config validate",
    .group = SN_GROUP_POLICY,
    .summary = "check documents of every kind together",
    .description =
        "Reads policies, catalogue documents and the configuration of a first set-up as the programs that use them do, "
        "and prints what is wrong or odd in each. A source that cannot be read does not keep the others from being "
        "checked; the exit code is the highest of all sources.\n\n"
        "Catalogue documents that are given together are one catalogue.",
    .operands = "[FILE...]",
    .max_operands = PATHS_MAX,
    .writes_result = true,
    .operand_words = SN_WORDS_FILES,
    .opts = validate_opts,
    .examples = validate_examples,
    .args_size = sizeof(struct validate_args),
    .exits = validate_exits,
    .run = run_validate,
};
