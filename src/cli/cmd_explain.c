/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/cmd_explain.c - explain: what a request would get, and which condition of which rule decided.
 */
#include <stddef.h>
#include <string.h>

#include "base/parse.h"
#include "cli/report.h"
#include "cli/tvm_access.h"
#include "codec/json.h"

enum { EXIT_REFUSE = 1, EXIT_APPROVAL = 4 };

struct explain_args {
    struct sn_tvm_args tvm;
    const char *profile, *device;
    int64_t duration_s;
};

/* clang-format off */
static const struct sn_opt explain_opts[] = {
    {.name = "profile", .metavar = "PROFILE", .kind = SN_OPT_STRING, .words = SN_WORDS_PROFILES,
     .field = offsetof(struct explain_args, profile), .help = "the profile, instead of the operand"},
    {.name = "duration", .letter = 'd', .metavar = "TIME", .kind = SN_OPT_DURATION, .flags = SN_OPT_SECONDS_OK,
     .min = 900, .max = 43200, .field = offsetof(struct explain_args, duration_s),
     .help = "as if credentials of this lifetime were asked for"},
    {.name = "device", .metavar = "ID", .kind = SN_OPT_STRING, .field = offsetof(struct explain_args, device),
     .help = "as if from this device (64 hexadecimal digits)"},
    SN_TVM_OPTS(struct explain_args, tvm),
    SN_TVM_REMOVED_TABLES,
    {0},
};
/* clang-format on */

static void request_body(struct sn_buf *buf, const char *profile, const struct explain_args *args)
{
    struct sn_json_writer w;

    sn_json_writer_init(&w, buf);
    sn_json_begin_object(&w);
    sn_json_member_str(&w, "profile", profile);
    if (args->duration_s != 0) {
        sn_json_member_int(&w, "duration", args->duration_s);
    }
    if (args->device != NULL) {
        sn_json_member_str(&w, "device_id", args->device);
    }
    sn_json_end_object(&w);
}

/* "Label:     text" when there is text. */
static void labelled(struct sn_buf *out, const char *label, struct sn_slice text)
{
    if (text.len > 0) {
        sn_buf_addf(out, "%-12s", label);
        sn_cli_printable(out, text);
        sn_buf_add_byte(out, '\n');
    }
}

static void write_rule(struct sn_buf *out, const struct sn_json *rule, bool color)
{
    bool matched = sn_json_bool(sn_json_get(rule, "matched"), false);
    bool reached = sn_json_bool(sn_json_get(rule, "reached"), false);
    struct sn_slice failed = sn_json_text(sn_json_get(rule, "failed"));
    struct sn_slice remedy = sn_json_text(sn_json_get(rule, "would_match_if"));

    sn_buf_addf(
        out, "  %s%s%s ", color && matched ? "\033[1m" : "", matched ? ">" : " ", color && matched ? "\033[0m" : "");
    sn_buf_add_int(out, sn_json_int(sn_json_get(rule, "index"), 0));
    sn_buf_add_str(out, " ");
    sn_cli_printable(out, sn_json_text(sn_json_get(rule, "name")));
    sn_buf_add_str(out, " (");
    sn_cli_printable(out, sn_json_text(sn_json_get(rule, "effect")));
    sn_buf_add_str(out, "): ");
    if (matched) {
        sn_buf_add_str(out, "matched");
    } else if (!reached) {
        sn_buf_add_str(out, "not reached");
    } else {
        sn_buf_add_str(out, "not matched");
        if (failed.len > 0) {
            sn_buf_add_str(out, " because of ");
            sn_cli_printable(out, failed);
        }
    }
    sn_buf_add_byte(out, '\n');
    if (remedy.len > 0) {
        sn_buf_add_str(out, "        to match: ");
        sn_cli_printable(out, remedy);
        sn_buf_add_byte(out, '\n');
    }
}

static void write_text(struct sn_buf *out, const struct sn_json *body, bool color)
{
    struct sn_slice would = sn_json_text(sn_json_get(body, "would"));
    bool issue = sn_slice_eq_str(would, "issue");
    int64_t duration = sn_json_int(sn_json_get(body, "duration_seconds"), 0);
    int64_t others = sn_json_int(sn_json_get(body, "other_rules"), 0);
    const struct sn_json *rules = sn_json_get(body, "rules");

    labelled(out, "Profile:", sn_json_text(sn_json_get(body, "profile")));
    sn_buf_addf(out, "%-12s%s%s%s\n", "Answer:",
        !color  ? ""
        : issue ? "\033[32m"
                : "\033[31m",
        issue ? "credentials would be issued" : "refused", color ? "\033[0m" : "");
    labelled(out, "Code:", sn_json_text(sn_json_get(body, "code")));
    labelled(out, "Effect:", sn_json_text(sn_json_get(body, "effect")));
    labelled(out, "Rule:", sn_json_text(sn_json_get(body, "rule")));
    labelled(out, "Reason:", sn_json_text(sn_json_get(body, "reason")));
    if (duration > 0) {
        SN_AUTO(sn_buf_clear) struct sn_buf text = SN_BUF_INIT(64);
        sn_format_duration(&text, duration);
        struct sn_slice cap = sn_json_text(sn_json_get(body, "capped_by"));
        if (cap.len > 0) {
            sn_buf_addf(&text, " (limited by %.*s)", SN_PRI(cap));
        }
        labelled(out, "Duration:", sn_buf_slice(&text));
    }
    labelled(out, "Grant:", sn_json_text(sn_json_get(sn_json_get(body, "grant"), "id")));
    if (sn_json_bool(sn_json_get(body, "blocked"), false)) {
        labelled(out, "Blocked:", SN_S("access was revoked"));
    }
    if (sn_json_count(rules) > 0) {
        sn_buf_add_str(out, "Rules:\n");
    }
    for (size_t i = 0; i < sn_json_count(rules); i++) {
        write_rule(out, sn_json_at(rules, i), color);
    }
    if (others > 0) {
        sn_buf_add_str(out, "and ");
        sn_buf_add_int(out, others);
        sn_buf_addf(out, " rule%s about other profiles\n", others == 1 ? "" : "s");
    }
}

static enum sn_status run_explain(struct sn_app *app, void *arguments, struct sn_error *err)
{
    const struct explain_args *args = arguments;
    SN_AUTO(sn_tvm_access_clear) struct sn_tvm_access access = {0};
    SN_AUTO(sn_buf_clear) struct sn_buf request = {0};
    SN_AUTO(sn_buf_clear) struct sn_buf out = {0};
    SN_AUTO(sn_json_doc_free_p) struct sn_json_doc *doc = NULL;
    const char *profile;

    SN_TRY(sn_cli_profile(app, args->profile, &profile, err));
    request_body(&request, profile, args);
    sn_app_failure(app, "cannot explain '%s'", profile);
    SN_TRY(sn_tvm_access_open(app, &args->tvm, &access, err));
    SN_TRY(sn_tvm_access_call(
        app, &access, profile, "POST", "/v1/explain", (struct sn_slice){0}, sn_buf_slice(&request), &doc, err));
    sn_app_failure(app, "%s", "");
    const struct sn_json *root = sn_json_root(doc);
    if (app->json) {
        sn_json_format(&out, root);
        sn_buf_add_byte(&out, '\n');
    } else {
        write_text(&out, root, app->color && app->output == NULL);
    }
    if (sn_slice_eq_str(sn_json_text(sn_json_get(root, "would")), "issue")) {
        sn_app_outcome(app, 0);
    } else if (sn_slice_eq_str(sn_json_text(sn_json_get(root, "code")), "APPROVAL_REQUIRED")) {
        sn_app_outcome(app, EXIT_APPROVAL);
    } else {
        sn_app_outcome(app, EXIT_REFUSE);
    }
    return sn_app_write(app, sn_buf_slice(&out), err);
}

static const struct sn_example explain_examples[] = {
    {"sentinel explain prod", "which rule decides about 'prod' now, and what would have to be different"},
    {"sentinel explain prod --duration 4h --json", "the same for a longer session, for a script"},
    {0},
};
static const struct sn_exit_row explain_exits[] = {
    {0, "credentials would be issued"},
    {1, "they would be refused, or the profile is not known"},
    {2, "wrong usage or invalid local input"},
    {3, "could not find out"},
    {4, "an approval is required"},
    {0},
};

const struct sn_cmd sn_cmd_explain = {
    .name = "explain",
    .group = SN_GROUP_CREDENTIALS,
    .summary = "show what a request for a profile would get, and why",
    .description =
        "A dry run: the TVM evaluates the same policy with the same inputs, issues nothing and uses up no grant. "
        "For each rule that could concern the profile it tells whether it matched, or the first condition that "
        "did not.",
    .operands = "PROFILE",
    .max_operands = 1,
    .writes_result = true,
    .operand_words = SN_WORDS_PROFILES,
    .opts = explain_opts,
    .examples = explain_examples,
    .args_size = sizeof(struct explain_args),
    .needs = SN_NEEDS_TVM,
    .exits = explain_exits,
    .run = run_explain,
};
