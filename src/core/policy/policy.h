/* SPDX-License-Identifier: Apache-2.0 */
/*
 * core/policy/policy.h - access policies: parse, validate, compile, evaluate.
 *
 * A policy is compiled once into an immutable snapshot that any number of threads may evaluate. Evaluation allocates
 * nothing, takes no lock, reads no clock and no file. Loading fails with every finding listed, and a policy that has a
 * finding of severity error does not exist.
 */
#ifndef SN_CORE_POLICY_POLICY_H
#define SN_CORE_POLICY_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/slice.h"
#include "core/identity/principal.h"
#include "core/policy/findings.h"

enum sn_rule_effect {
    SN_RULE_ALLOW,
    SN_RULE_DENY,
    SN_RULE_REQUIRE_APPROVAL,
    SN_RULE_REQUIRE_SERVER,
    SN_RULE_REQUIRE_SERVER_SESSION,
};
const char *sn_rule_effect_name(enum sn_rule_effect effect);

/* The result of an evaluation. Only SN_EFFECT_ALLOW issues; 0 is deny, so zeroed memory denies. */
enum sn_effect { SN_EFFECT_DENY = 0, SN_EFFECT_ALLOW, SN_EFFECT_REQUIRE_APPROVAL };
const char *sn_effect_name(enum sn_effect effect); /* "allow", "deny", "require_approval" */

enum sn_override { SN_OVERRIDE_NONE = 0, SN_OVERRIDE_BREAKGLASS, SN_OVERRIDE_APPROVAL_OR_BREAKGLASS };
enum sn_mode { SN_MODE_SERVER, SN_MODE_CLI, SN_MODE_CREDENTIAL_PROCESS };

enum sn_tristate { SN_UNKNOWN = 0, SN_FALSE, SN_TRUE };
/* A device posture as an MDM verified it. */
struct sn_posture {
    enum sn_tristate disk_encrypted, mdm_enrolled, mdm_compliant, firewall_enabled;
    struct sn_slice os_type, os_version; /* empty: unknown */
};

struct sn_policy_request {
    const struct sn_principal *principal;
    const char *own_account; /* the TVM's */
    struct sn_slice profile;
    int64_t unix_s;
    enum sn_mode mode;
    struct sn_slice session_store;    /* effective default store or table; empty: none */
    bool session_table_of_rule;       /* DynamoDB: a rule's session_table replaces session_store */
    const struct sn_posture *posture; /* NULL: none */
};

struct sn_decision {
    enum sn_effect effect;
    struct sn_slice rule; /* borrowed from the policy; empty for default deny */
    int rule_index;       /* -1 for default deny */
    struct sn_slice reason;
    int64_t max_server_duration_s; /* 0: no cap */
    bool requires_server_mode, requires_session_tracking;
    bool is_require_server_session; /* the matched rule demands a recorded session */
    struct sn_slice session_table;
    enum sn_override override;
};

struct sn_policy;
struct sn_user_class; /* core/policy/snapshot.h */
struct sn_tz_source;  /* core/policy/tz.h: zone data by name */

/*
 * Parses, validates and compiles. Findings of every severity are appended to findings (may be NULL); with an error
 * among them the call fails with SN_INVALID, INVALID_POLICY and the first one as message. zones gives zone data.
 */
SN_MUST_CHECK enum sn_status sn_policy_load(struct sn_slice text, const struct sn_tz_source *zones,
    struct sn_findings *findings, struct sn_policy **out_policy, struct sn_error *err);
struct sn_policy *sn_policy_ref(struct sn_policy *policy);
void sn_policy_unref(struct sn_policy *policy);
void sn_policy_unref_p(struct sn_policy **policy);
size_t sn_policy_rule_count(const struct sn_policy *policy);

/* policy may be NULL: default deny. */
void sn_policy_evaluate(
    const struct sn_policy *policy, const struct sn_policy_request *request, struct sn_decision *out_decision);

/*
 * The same in two steps, for callers who ask more than once: the request's texts as the snapshot knows them, then the
 * decision. ids belong to this policy and are good as long as it is; what is inside is the evaluator's concern.
 */
struct sn_bits_pair;
struct sn_bits { /* a set of rules */
    const struct sn_bits_pair *pairs;
    uint32_t count;
};
struct sn_posture_view {
    bool is_known;
    bool meets[4];
    int os_type;           /* -1: unknown */
    uint32_t version_rank; /* number of versions of the policy that the device meets; 0: unknown */
};
struct sn_policy_ids {
    struct sn_bits profile;                 /* rules that name the profile */
    struct sn_bits users[3];                /* rules that name the caller, by name, ARN and role */
    const struct sn_user_class *classes[3]; /* the same, where a caller's groups could not be merged */
    uint32_t user_count;
    bool has_many; /* users does not hold everything; look at classes */
    struct sn_posture_view posture;
};
void sn_policy_intern(
    const struct sn_policy *policy, const struct sn_policy_request *request, struct sn_policy_ids *out_ids);
void sn_policy_evaluate_ids(const struct sn_policy *policy, const struct sn_policy_ids *ids,
    const struct sn_policy_request *request, struct sn_decision *out_decision);

/* May the profile be shown to this caller at all; must its very existence stay unknown. out_access: best of allow,
 * require_approval. */
bool sn_policy_profile_is_visible(
    const struct sn_policy *policy, const struct sn_policy_request *request, enum sn_effect *out_access);
bool sn_policy_profile_is_hidden(const struct sn_policy *policy, const struct sn_policy_request *request);

/* The conditions of a rule, in the order in which they are asked. */
enum sn_condition {
    SN_CONDITION_PROFILES,
    SN_CONDITION_USERS,
    SN_CONDITION_TIME,
    SN_CONDITION_MODE,
    SN_CONDITION_DEVICE,
    SN_CONDITIONS
};
extern const char *const sn_condition_words[SN_CONDITIONS];
/* The first condition of a rule that the request does not meet; SN_CONDITIONS: it meets all. */
enum sn_condition sn_policy_first_failure(const struct sn_policy *policy, const struct sn_policy_ids *ids,
    const struct sn_policy_request *request, size_t rule);

/* --- Trace: what POST /v1/explain and policy eval show. --- */
enum sn_trace_outcome { SN_TRACE_MATCHED, SN_TRACE_NOT_MATCHED, SN_TRACE_NOT_REACHED };
struct sn_trace_step {
    int index;
    struct sn_slice name;
    enum sn_rule_effect effect;
    enum sn_trace_outcome outcome;
    const char *condition; /* "profiles", "users", "time", "mode", "device"; NULL unless not matched */
    char expected[256];    /* for people; names no other person and no group member */
    char actual[256];
    char remedy[256]; /* what would make it match; "" when nothing the caller can do */
    bool has_opening;
    int64_t opens_unix_s;           /* condition "time": the next instant inside the window */
    const struct sn_slice *entries; /* sn_policy_trace_all: what the failing list holds; borrowed from trace, policy */
    size_t entry_count;
};
struct sn_trace {
    struct sn_trace_step *steps;
    size_t count;
    size_t other_rules; /* rules about other profiles, counted only */
    struct sn_arena arena;
};
/* Evaluates and tells why. Allocates; free with sn_trace_clear. */
void sn_policy_trace(const struct sn_policy *policy, const struct sn_policy_request *request,
    struct sn_decision *out_decision, struct sn_trace *out_trace);
/* The same for those who hold the document: every rule, and lists with their entries. */
void sn_policy_trace_all(const struct sn_policy *policy, const struct sn_policy_request *request,
    struct sn_decision *out_decision, struct sn_trace *out_trace);
void sn_trace_clear(struct sn_trace *trace);

#endif
