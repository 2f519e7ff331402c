/* SPDX-License-Identifier: Apache-2.0 */
/* core/policy/trial.c - see trial.h. */
#include "core/policy/trial.h"

#include <string.h>

#include "core/policy/limits.h"

static const char unsaid_account[] = "000000000000"; /* of a NAME where no account occurs: any will do */

const char *sn_trial_own_account(const struct sn_trial_server *server)
{
    return server->account[0] != '\0' ? server->account : unsaid_account;
}

static bool is_target_role(void *ctx, const struct sn_principal *principal)
{
    return sn_catalog_has_role(ctx, sn_slice_str(principal->account), sn_slice_str(principal->role));
}

enum sn_status sn_trial_globs(struct sn_slice text, struct sn_trial_server *server, struct sn_error *err)
{
    struct sn_slice rest = text, part;

    while (sn_slice_next(&rest, ',', &part)) {
        part = sn_slice_trim(part);
        if (!sn_vouch_glob_is_valid(part)) {
            sn_fail(
                err, SN_INVALID, "INVALID_GLOB", "'%.*s' is not the name of a role, or a glob of names", SN_SHOW(part));
            return sn_suggest(err, "give role names with '*' and '?', separated by commas");
        }
        if (server->glob_count == SN_TRIAL_GLOBS_MAX) {
            return sn_fail(err, SN_LIMIT, "INVALID_GLOB", "more than %d vouching roles", SN_TRIAL_GLOBS_MAX);
        }
        server->globs[server->glob_count++] = part;
    }
    return SN_OK;
}

enum sn_status sn_trial_account(struct sn_slice text, struct sn_trial_server *server, struct sn_error *err)
{
    bool is_account = text.len == SN_ACCOUNT_LEN;
    for (size_t i = 0; i < text.len; i++) {
        is_account &= text.ptr[i] >= '0' && text.ptr[i] <= '9';
    }
    if (!is_account) {
        return sn_fail(err, SN_INVALID, "INVALID_ACCOUNT", "'%.*s' is not an account of 12 digits", SN_SHOW(text));
    }
    snprintf(server->account, sizeof(server->account), "%.*s", SN_PRI(text));
    return SN_OK;
}

enum sn_status sn_trial_principal(
    struct sn_slice text, struct sn_trial_server *server, struct sn_principal *out_principal, struct sn_error *err)
{
    char arn[SN_ARN_MAX + 1];
    struct sn_vouch_rules rules = {.role_globs = server->globs,
        .role_glob_count = server->glob_count,
        .is_target_role = server->target_roles != NULL ? is_target_role : NULL,
        .ctx = (void *)(uintptr_t)server->target_roles};
    bool is_arn = sn_slice_has_prefix(text, SN_S("arn:"));

    if (!is_arn && text.len > SN_POLICY_MAX_USER_NAME) {
        return sn_fail(err, SN_INVALID, "INVALID_IDENTITY", "the name of the caller is longer than %d bytes",
            SN_POLICY_MAX_USER_NAME);
    }
    if (!is_arn) {
        snprintf(arn, sizeof(arn), "arn:aws:iam::%s:user/%.*s", sn_trial_own_account(server), SN_PRI(text));
        text = sn_slice_str(arn);
    }
    SN_TRY(sn_principal_parse(text, NULL, out_principal, err));
    if (is_arn && out_principal->type == SN_PRINCIPAL_USER && server->account[0] == '\0') {
        memcpy(server->account, out_principal->account, sizeof(server->account));
    }
    sn_principal_vouch(out_principal, &rules);
    return SN_OK;
}

static enum sn_tristate tristate(const struct sn_yaml_node *node)
{
    return node == NULL ? SN_UNKNOWN : sn_slice_eq_str(node->text, "true") ? SN_TRUE : SN_FALSE;
}

void sn_trial_posture(const struct sn_yaml_node *node, struct sn_posture *out_posture)
{
    const struct sn_yaml_node *fields[SN_POSTURE_FIELDS];
    struct sn_slice none = {0};

    sn_schema_bind(&sn_schema_posture, node, fields);
    *out_posture = (struct sn_posture){
        .disk_encrypted = tristate(fields[SN_POSTURE_ENCRYPTED]),
        .firewall_enabled = tristate(fields[SN_POSTURE_FIREWALL]),
        .mdm_enrolled = tristate(fields[SN_POSTURE_ENROLLED]),
        .mdm_compliant = tristate(fields[SN_POSTURE_COMPLIANT]),
        .os_type = fields[SN_POSTURE_OS_TYPE] != NULL ? fields[SN_POSTURE_OS_TYPE]->text : none,
        .os_version = fields[SN_POSTURE_OS_VERSION] != NULL ? fields[SN_POSTURE_OS_VERSION]->text : none,
    };
}

enum sn_status sn_trial_posture_parse(
    struct sn_slice text, struct sn_arena *arena, struct sn_posture *out_posture, struct sn_error *err)
{
    SN_AUTO(sn_findings_clear) struct sn_findings findings = {0};
    struct sn_report report = {.findings = &findings};
    struct sn_yaml_node *root = NULL;

    SN_TRY(sn_yaml_parse(text, &sn_yaml_limits_document, arena, &root, err));
    if (!sn_schema_check(&sn_schema_posture, &report, root, NULL)) {
        return sn_findings_fail(&findings, 0, "INVALID_POSTURE", err);
    }
    sn_trial_posture(root, out_posture);
    return SN_OK;
}

void sn_trial_request(const struct sn_trial_server *server, const struct sn_principal *principal,
    struct sn_slice profile, int64_t unix_s, const struct sn_posture *posture, struct sn_policy_request *out_request)
{
    *out_request = (struct sn_policy_request){
        .principal = principal,
        .own_account = sn_trial_own_account(server),
        .profile = profile,
        .unix_s = unix_s,
        .mode = SN_MODE_SERVER,
        .session_store = server->session_store,
        .session_table_of_rule = server->session_store.len > 0,
        .posture = posture,
    };
}

const char *sn_override_name(enum sn_override override)
{
    return (size_t) override < SN_LEN(sn_override_words) ? sn_override_words[override] : sn_override_words[0];
}

void sn_decision_format(struct sn_buf *buf, const struct sn_decision *decision)
{
    static const char *const words[] = {
        [SN_EFFECT_DENY] = "DENY", [SN_EFFECT_ALLOW] = "ALLOW", [SN_EFFECT_REQUIRE_APPROVAL] = "REQUIRE_APPROVAL"};
    if (decision->rule_index < 0) {
        sn_buf_addf(buf, "%s (no matching rule)", words[decision->effect]);
    } else {
        sn_buf_addf(
            buf, "%s by rule '%.*s' (index %d)", words[decision->effect], SN_PRI(decision->rule), decision->rule_index);
    }
}
