/* SPDX-License-Identifier: Apache-2.0 */
/* core/policy/kinds.c - see kinds.h. */
#include "core/policy/kinds.h"

#include "base/arena.h"
#include "codec/yaml.h"
#include "core/policy/ruleset_shape.h"
#include "core/policy/schema.h"

/* clang-format off */
const struct sn_document_kind_row sn_document_kinds[SN_DOCUMENT_KINDS] = {
    [SN_DOCUMENT_CATALOG] = {.word = "catalog", .title = "Catalogue", .schema = &sn_schema_catalog},
    [SN_DOCUMENT_POLICY] = {.word = "policy", .title = "Policy", .schema = &sn_schema_policy},
    [SN_DOCUMENT_APPROVAL] = {.word = "approval", .title = "Approval policy", .file = "approval.yaml",
        .parameter = "/sentinel/config/approval", .variable = "SENTINEL_APPROVAL_POLICY_PARAMETER",
        .schema = &sn_schema_approval, .shape = &sn_approval_shape},
    [SN_DOCUMENT_BREAKGLASS] = {.word = "breakglass", .title = "Break-glass policy", .file = "breakglass.yaml",
        .parameter = "/sentinel/config/breakglass", .variable = "SENTINEL_BREAKGLASS_POLICY_PARAMETER",
        .schema = &sn_schema_breakglass, .shape = &sn_breakglass_shape},
    [SN_DOCUMENT_RATELIMIT] = {.word = "ratelimit", .title = "Rate-limit policy", .file = "ratelimit.yaml",
        .parameter = "/sentinel/config/ratelimit", .variable = "SENTINEL_RATELIMIT_POLICY_PARAMETER",
        .schema = &sn_schema_ratelimit, .shape = &sn_ratelimit_shape},
};

/* Fields of a rule that give its kind away; the first row that some rule has counts. */
static const struct {
    const char *field;
    enum sn_document_kind kind;
} signs[] = {
    {"effect", SN_DOCUMENT_POLICY},
    {"approvers", SN_DOCUMENT_APPROVAL},
    {"cooldown", SN_DOCUMENT_RATELIMIT},
    {"max_per_user", SN_DOCUMENT_RATELIMIT},
    {"max_per_profile", SN_DOCUMENT_RATELIMIT},
    {"quota_window", SN_DOCUMENT_RATELIMIT},
    {"escalation_threshold", SN_DOCUMENT_RATELIMIT},
    {"users", SN_DOCUMENT_BREAKGLASS},
};
/* clang-format on */

bool sn_document_kind_parse(struct sn_slice word, enum sn_document_kind *out_kind)
{
    for (size_t i = 0; i < SN_DOCUMENT_KINDS; i++) {
        if (sn_slice_eq_str(word, sn_document_kinds[i].word)) {
            *out_kind = (enum sn_document_kind)i;
            return true;
        }
    }
    return false;
}

static bool some_rule_has(const struct sn_yaml_node *rules, const char *field)
{
    for (size_t i = 0; i < rules->count; i++) {
        if (rules->items[i]->kind == SN_YAML_MAPPING && sn_yaml_get(rules->items[i], field) != NULL) {
            return true;
        }
    }
    return false;
}

static struct sn_document_guess guess(const struct sn_yaml_node *root)
{
    const struct sn_yaml_node *rules = sn_yaml_get(root, "rules"), *profiles = sn_yaml_get(root, "profiles");
    for (size_t i = 0; rules != NULL && rules->kind == SN_YAML_SEQUENCE && i < SN_LEN(signs); i++) {
        if (some_rule_has(rules, signs[i].field)) {
            return (struct sn_document_guess){.kind = signs[i].kind};
        }
    }
    if (profiles != NULL && profiles->kind == SN_YAML_MAPPING) {
        return (struct sn_document_guess){.kind = SN_DOCUMENT_CATALOG};
    }
    bool is_bootstrap =
        sn_yaml_get(root, "policy_root") != NULL || (profiles != NULL && profiles->kind == SN_YAML_SEQUENCE);
    return (struct sn_document_guess){
        .kind = SN_DOCUMENT_POLICY, .is_bootstrap = is_bootstrap, .is_blind = !is_bootstrap};
}

struct sn_document_guess sn_document_kind_guess(struct sn_slice text)
{
    SN_AUTO(sn_arena_clear) struct sn_arena arena = {0};
    struct sn_yaml_node *root = NULL;
    struct sn_error ignored = {0};
    if (sn_yaml_parse(text, &sn_yaml_limits_document, &arena, &root, &ignored) != SN_OK ||
        root->kind != SN_YAML_MAPPING) {
        return (struct sn_document_guess){.kind = SN_DOCUMENT_POLICY};
    }
    return guess(root);
}
