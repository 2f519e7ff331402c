/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/tvm_cmd_check.c - check: would serve work, and if not, what is wrong and how is it mended?
 *
 * Looks at everything even when something fails, and makes and changes nothing of the server's own files.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/time.h"
#include "cli/tvm_graph.h"
#include "cli/tvm_serve.h"
#include "codec/json.h"
#include "core/identity/stamp.h"
#include "crypto/tls.h"

enum { DAY_S = 86400, STS_WAIT_S = 10, TLS_SOON_S = 14 * DAY_S };

enum verdict { VERDICT_OK, VERDICT_NOTE, VERDICT_FAILED, VERDICT_UNKNOWN };

struct finding {
    enum verdict verdict;
    char name[64], message[SN_ERROR_MESSAGE_MAX], hint[SN_ERROR_SUGGESTION_MAX];
};

struct check {
    struct sn_tvm_graph graph;
    struct finding *findings;
    size_t count, capacity;
    struct sn_catalog *catalog;
};

static struct finding *add(struct check *check, enum verdict verdict, const char *name, const char *format, ...)
    SN_PRINTF(4, 5);
static struct finding *add(struct check *check, enum verdict verdict, const char *name, const char *format, ...)
{
    va_list arguments;

    if (check->count == check->capacity) {
        check->capacity = check->capacity == 0 ? 16 : check->capacity * 2;
        check->findings = sn_realloc(check->findings, check->capacity, sizeof(*check->findings));
    }
    struct finding *finding = &check->findings[check->count++]; /* good until the next one is added */
    finding->verdict = verdict;
    finding->hint[0] = '\0';
    snprintf(finding->name, sizeof(finding->name), "%s", name);
    va_start(arguments, format);
    vsnprintf(finding->message, sizeof(finding->message), format, arguments);
    va_end(arguments);
    return finding;
}

/* What could not be reached may work later; everything else is wrong now. */
static void add_error(struct check *check, const char *name, const struct sn_error *err)
{
    bool is_unknown = err->status == SN_UNAVAILABLE || err->status == SN_TIMEOUT || err->status == SN_THROTTLED;
    struct finding *finding =
        add(check, is_unknown ? VERDICT_UNKNOWN : VERDICT_FAILED, name, "%s (%s)", err->message, err->code);

    snprintf(finding->hint, sizeof(finding->hint), "%s", err->suggestion);
}

/* --- What is looked at --- */

static void check_tls(struct check *check)
{
    const struct sn_tvm_settings *settings = &check->graph.settings;
    struct sn_tls_context *tls = NULL;
    struct sn_error err = {0};

    if (settings->tls_cert_file[0] == '\0') {
        add(check, VERDICT_OK, "tls", "not set; plain HTTP on loopback only");
        return;
    }
    if (sn_tls_context_load(settings->tls_cert_file, settings->tls_key_file, &tls, &err) != SN_OK) {
        add_error(check, "tls", &err);
        return;
    }
    int64_t end_s = sn_tls_context_not_after_unix_s(tls);
    int64_t left_s = end_s - sn_clock_unix_s(sn_clock_system());
    sn_tls_context_unref(tls);
    if (left_s < 0) {
        char end[SN_TIME_TEXT_MAX];
        struct sn_slice text = sn_time_format_rfc3339_s(end_s, end);
        struct finding *finding = add(check, VERDICT_FAILED, "tls", "the certificate ended at %.*s", SN_PRI(text));
        snprintf(finding->hint, sizeof(finding->hint), "renew it, then send SIGHUP to a running server");
        return;
    }
    add(check, left_s < TLS_SOON_S ? VERDICT_NOTE : VERDICT_OK, "tls", "the certificate is good for %lld days",
        (long long)(left_s / DAY_S));
}

static void check_store(struct check *check)
{
    struct sn_error err = {0};

    if (!sn_fs_exists(check->graph.settings.store_path)) {
        add(check, VERDICT_NOTE, "store", "'%s' does not exist yet; serve makes it with its keys",
            check->graph.settings.store_path);
        return;
    }
    if (sn_graph_open_store(&check->graph, false, &err) != SN_OK ||
        check->graph.store.ping(check->graph.store.ctx, &err) != SN_OK) {
        if (sn_error_is(&err, "STORE_LOCKED")) {
            add(check, VERDICT_OK, "store", "'%s' is in use by a running server", check->graph.settings.store_path);
        } else {
            add_error(check, "store", &err);
        }
        return;
    }
    add(check, VERDICT_OK, "store", "'%s' can be read and written", check->graph.settings.store_path);
}

static void check_audit(struct check *check)
{
    const struct sn_tvm_settings *settings = &check->graph.settings;
    struct sn_error err = {0};
    struct stat st;

    if (!sn_secret_is_set(&settings->log_signing_key) && !sn_fs_exists(settings->log_signing_key_file)) {
        add(check, sn_fs_exists(settings->audit_file) ? VERDICT_FAILED : VERDICT_NOTE, "audit key",
            "'%s' does not exist%s", settings->log_signing_key_file,
            sn_fs_exists(settings->audit_file) ? ", but the log does" : " yet; serve makes it");
    } else if (sn_graph_load_audit_keys(&check->graph, false, &err) != SN_OK) {
        add_error(check, "audit key", &err);
    } else {
        add(check, VERDICT_OK, "audit key", "loaded");
    }
    if (stat(settings->audit_file, &st) != 0) {
        add(check, errno == ENOENT ? VERDICT_NOTE : VERDICT_FAILED, "audit log", "'%s': %s", settings->audit_file,
            errno == ENOENT ? "does not exist yet; serve makes it" : strerror(errno));
        return;
    }
    if (!S_ISREG(st.st_mode) || (st.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
        struct finding *finding = add(check, VERDICT_FAILED, "audit log",
            "'%s' is not a plain file that only its owner writes", settings->audit_file);
        snprintf(finding->hint, sizeof(finding->hint), "chmod 0640 '%.400s'", settings->audit_file);
        return;
    }
    struct finding *finding = add(check, VERDICT_OK, "audit log", "'%s' is there", settings->audit_file);
    snprintf(finding->hint, sizeof(finding->hint), "its chain is verified by 'sentinel audit verify-logs'");
}

/* Approval, break-glass and rate-limit policies, where they are configured. */
static void check_rulesets(struct check *check, const struct sn_tvm_documents *documents)
{
    for (size_t i = 0; i < SN_DOCUMENT_KINDS; i++) {
        SN_AUTO(sn_ruleset_unref_p) struct sn_ruleset *ruleset = NULL;
        struct sn_document_origin origin;
        struct sn_error err = {0};
        if (sn_document_kinds[i].shape == NULL) {
            continue;
        }
        if (documents->ruleset(documents->ctx, (enum sn_document_kind)i, &ruleset, &origin, &err) != SN_OK) {
            add_error(check, sn_document_kinds[i].title, &err);
        } else if (ruleset != NULL) {
            add(check, VERDICT_OK, sn_document_kinds[i].title, "'%.600s' loads", origin.name);
        }
    }
}

static void check_documents(struct check *check)
{
    const struct sn_tvm_documents *documents = NULL;
    struct sn_error err = {0};
    size_t bad = 0;

    if (sn_graph_open_documents(&check->graph, &err) != SN_OK) {
        add_error(check, "signing keys", &err);
        return;
    }
    documents = sn_documents_table(check->graph.documents);
    check_rulesets(check, documents);
    if (documents->catalog(documents->ctx, &check->catalog, &err) != SN_OK) {
        add_error(check, "catalogue", &err);
        return;
    }
    size_t count = sn_catalog_count(check->catalog);
    add(check, count > 0 ? VERDICT_OK : VERDICT_NOTE, "catalogue", "%zu profile%s", count, count == 1 ? "" : "s");
    for (size_t i = 0; i < count; i++) {
        SN_AUTO(sn_policy_unref_p) struct sn_policy *policy = NULL;
        struct sn_slice profile = sn_catalog_at(check->catalog, i)->name;
        struct sn_document_origin origin;
        char label[64];
        snprintf(label, sizeof(label), "policy of %.*s", SN_PRI(sn_slice_sub(profile, 0, 40)));
        if (documents->policy(documents->ctx, profile, &policy, &origin, &err) != SN_OK) {
            add_error(check, label, &err);
            bad++;
        } else if (policy == NULL) {
            add(check, VERDICT_NOTE, label, "there is none, so nobody gets this profile");
            bad++;
        }
    }
    if (bad == 0 && count > 0) {
        add(check, VERDICT_OK, "policies", "all of them load");
    }
}

/*
 * Asks for a session under a SourceIdentity, with a session policy that denies everything, and wipes the answer: STS
 * refuses when the server's own credentials carry a SourceIdentity already, or when a role does not trust the server.
 */
static void check_source_identity(struct check *check, const struct sn_tvm_sts *sts, int64_t deadline)
{
    const struct sn_profile *profile =
        check->catalog != NULL && sn_catalog_count(check->catalog) > 0 ? sn_catalog_at(check->catalog, 0) : NULL;
    SN_AUTO(sn_assumed_role_clear) struct sn_assumed_role role = {0};
    struct sn_error err = {0};
    struct sn_id id = {0};
    char identity[64], session[64];

    if (profile == NULL) {
        add(check, VERDICT_NOTE, "source identity", "not tried, since there is no profile to try it with");
        return;
    }
    if (sn_id_new(sn_random_system(), &id, &err) != SN_OK) {
        add_error(check, "source identity", &err);
        return;
    }
    snprintf(identity, sizeof(identity), "sentinel=sentinel-tvm-check=direct=%s", id.text);
    snprintf(session, sizeof(session), "sentinel-tvm-check-%s", id.text);
    const struct sn_slice key = SN_S("SentinelSessionID"), value = sn_id_slice(&id);
    struct sn_assume_role input = {
        .role_arn = profile->role_arn,
        .session_name = sn_slice_str(session),
        .source_identity = sn_slice_str(identity),
        .external_id = profile->external_id,
        .policy = SN_S(
            "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Deny\",\"Action\":\"*\",\"Resource\":\"*\"}]}"),
        .duration_s = 900,
        .tag_keys = &key,
        .tag_values = &value,
        .tag_count = 1,
    };
    if (sts->assume_role(sts->ctx, &input, deadline, &role, &err) == SN_OK) {
        add(check, VERDICT_OK, "source identity", "the role of profile '%.*s' can be assumed under one",
            SN_PRI(profile->name));
        return;
    }
    sn_suggest(&err, "the server's own session must carry no SourceIdentity, and the role must trust the server with "
                     "sts:AssumeRole, sts:SetSourceIdentity and sts:TagSession");
    sn_error_context(&err, "profile '%.*s'", SN_PRI(profile->name));
    add_error(check, "source identity", &err);
}

static void check_sts(struct check *check)
{
    const struct sn_clock *clock = sn_clock_system();
    int64_t deadline = clock->mono_ns(clock->ctx) + (int64_t)STS_WAIT_S * 1000000000;
    struct sn_caller caller = {0};
    struct sn_error err = {0};

    if (sn_graph_open_sts(&check->graph, &err) != SN_OK) {
        add_error(check, "sts", &err);
        return;
    }
    const struct sn_tvm_sts *sts = sn_sts_pool_table(check->graph.sts);
    if (sts->own_identity(sts->ctx, deadline, &caller, &err) != SN_OK) {
        add_error(check, "sts", &err);
        return;
    }
    add(check, VERDICT_OK, "sts", "the server is '%s'", caller.arn);
    check_source_identity(check, sts, deadline + (int64_t)STS_WAIT_S * 1000000000);
}

static void check_trust(struct check *check)
{
    add(check, VERDICT_NOTE, "identity center",
        "role paths are not confirmed with IAM; who may make roles named "
        "AWSReservedSSO_... in an allowed account can choose names");
    for (size_t i = 0; i < check->graph.settings.vouching_roles.count; i++) {
        add(check, VERDICT_NOTE, "vouching roles", "'%.*s': its trust policy must pin sts:RoleSessionName",
            SN_PRI(check->graph.settings.vouching_roles.items[i]));
    }
}

/* --- Result --- */

static const char *word(enum verdict verdict)
{
    switch (verdict) {
    case VERDICT_OK:
        return "ok";
    case VERDICT_NOTE:
        return "note";
    case VERDICT_FAILED:
        return "failed";
    case VERDICT_UNKNOWN:
        return "unknown";
    }
    return "failed";
}

static int exit_code(const struct check *check)
{
    int code = 0;

    for (size_t i = 0; i < check->count; i++) {
        if (check->findings[i].verdict == VERDICT_FAILED) {
            return 1;
        }
        code = check->findings[i].verdict == VERDICT_UNKNOWN ? 3 : code;
    }
    return code;
}

static void print_text(const struct check *check, struct sn_buf *text)
{
    for (size_t i = 0; i < check->count; i++) {
        const struct finding *finding = &check->findings[i];
        sn_buf_addf(text, "%-7s  %s: %s\n", word(finding->verdict), finding->name, finding->message);
        if (finding->hint[0] != '\0') {
            sn_buf_addf(text, "         hint: %s\n", finding->hint);
        }
    }
}

static void print_json(const struct check *check, struct sn_buf *text)
{
    struct sn_json_writer w;

    sn_json_writer_init(&w, text);
    sn_json_begin_object(&w);
    sn_json_key(&w, "checks");
    sn_json_begin_array(&w);
    for (size_t i = 0; i < check->count; i++) {
        const struct finding *finding = &check->findings[i];
        sn_json_begin_object(&w);
        sn_json_member_str(&w, "name", finding->name);
        sn_json_member_str(&w, "result", word(finding->verdict));
        sn_json_member_str(&w, "message", finding->message);
        sn_json_member_str(&w, "hint", finding->hint);
        sn_json_end_object(&w);
    }
    sn_json_end_array(&w);
    sn_json_end_object(&w);
    sn_buf_add_byte(text, '\n');
}

static void clear(struct check *check)
{
    sn_catalog_unref(check->catalog);
    sn_free(check->findings);
    sn_graph_clear(&check->graph);
}

static enum sn_status run_check(struct sn_app *app, void *args, struct sn_error *err)
{
    static struct check check; /* large, and one a process */
    SN_AUTO(sn_buf_clear) struct sn_buf text = {0};

    (void)args;
    sn_log_set_enabled(false);
    SN_TRY(sn_graph_read_settings(&check.graph, SN_TVM_FORM_SERVE, err));
    add(&check, VERDICT_OK, "settings", "all of them are accepted");
    check_tls(&check);
    check_store(&check);
    check_audit(&check);
    check_documents(&check);
    check_sts(&check);
    check_trust(&check);
    if (app->json) {
        print_json(&check, &text);
    } else {
        print_text(&check, &text);
    }
    sn_app_outcome(app, exit_code(&check));
    clear(&check);
    return sn_app_write(app, sn_buf_slice(&text), err);
}

static const struct sn_exit_row exits[] = {
    {0, "serve would work; notes may be shown"},
    {1, "something is wrong"},
    {2, "a setting is wrong"},
    {3, "something could not be found out, for instance because STS did not answer"},
    {0},
};

const struct sn_cmd sn_cmd_tvm_check = {
    .name = "check",
    .group = SN_GROUP_SERVER,
    .summary = "look at settings, store, audit log, documents and STS, and say how to mend what is wrong",
    .description =
        "Changes nothing. With STS it asks who the server is, and tries one session that may do nothing, since "
        "only STS can tell whether a SourceIdentity will be accepted; that session is thrown away.",
    .exits = exits,
    .run = run_check,
};
