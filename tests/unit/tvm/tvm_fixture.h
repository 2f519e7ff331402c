/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/unit/tvm/tvm_fixture.h - the handler over scripted tables: clock, random, STS, documents, store, audit, grants.
 *
 * Every table counts its calls and can be told to fail, so that a test can say what must not have been asked.
 */
#ifndef SN_TESTS_TVM_FIXTURE_H
#define SN_TESTS_TVM_FIXTURE_H

#include "test.h"

#include <stdio.h>

#include "base/alloc.h"
#include "base/env.h"
#include "base/log.h"
#include "base/time.h"
#include "codec/json.h"
#include "store/zoneinfo.h"
#include "tvm/tvm.h"

#define FX_ACCOUNT "123456789012"
#define FX_ALICE "arn:aws:iam::" FX_ACCOUNT ":user/alice"
#define FX_ROLE "arn:aws:iam::" FX_ACCOUNT ":role/SentinelProtected-"
#define FX_SECRET "CANARY-SECRET-KEY"
#define FX_TOKEN "CANARY-SESSION-TOKEN"
#define FX_CATALOG                                                                                                     \
    "version: \"1\"\nprofiles:\n"                                                                                      \
    "  dev: {role_arn: \"" FX_ROLE "dev\", region: eu-west-1}\n"                                                       \
    "  prod: {role_arn: \"" FX_ROLE "prod\", description: Production}\n"
#define FX_ALLOW_ALL "version: \"1\"\nrules:\n- {name: any, effect: allow, conditions: {profiles: [dev, prod]}}\n"

enum { FX_ENTRIES = 64 };

struct fx {
    struct sn_tvm_settings settings;
    struct sn_tvm_parts parts;
    struct sn_tvm *tvm;
    /* clock */
    int64_t unix_ms, mono_ns;
    struct sn_clock clock;
    /* random: a counter, so that ids differ; fails when told */
    uint64_t random_next;
    bool random_fails;
    struct sn_random random_source;
    /* STS */
    struct sn_tvm_sts sts;
    const char *own_arn;
    const char *proof_code, *proof_detail; /* fails with this code */
    char proof_arn[512], proof_account[13], proof_user_id[128];
    const char *assume_code;
    enum sn_status assume_status;
    int64_t assume_takes_ns;
    int64_t expires_off_s; /* STS gives that much more than asked */
    int own_calls, proof_calls, assume_calls;
    char role_arn[256], session_name[128], source_identity[128], external_id[64], policy[4096], tags[512];
    int64_t duration_s;
    /* documents */
    struct sn_tvm_documents documents;
    const char *catalog_text, *policy_text; /* NULL policy: none */
    const char *catalog_code, *policy_code;
    struct sn_zoneinfo zones;
    struct sn_tz_source zone_source;
    int policy_calls;
    /* store */
    struct sn_session_store store;
    const char *create_code, *update_code, *blocked_code, *get_code;
    bool is_blocked;
    int blocked_from_read; /* markers appear with this read; 0: never */
    int64_t blocked_takes_ns;
    int create_calls, update_calls, blocked_calls, get_calls;
    char block_ids[8][512];
    size_t block_count;
    struct sn_session row; /* slices point into row_text */
    struct sn_arena row_arena;
    bool row_had_proof, has_row;
    enum sn_session_status stored_status;
    /* audit */
    struct sn_audit_sink audit;
    bool audit_fails;
    bool audit_healthy;
    char entries[FX_ENTRIES][4096];
    size_t entry_count;
    bool audit_saw_body; /* the answer held bytes when a record was written */
    /* grants */
    struct sn_grant_source grants;
    struct sn_grant grant;
    bool has_grant, grants_fail;
    int grant_calls;
    /* seals, metrics */
    struct sn_seal_keys seals;
    struct sn_metrics *metrics;
    const char *env[64][2];
    size_t env_count;
    /* the last call */
    struct sn_response response;
    struct sn_json_doc *doc;
};

static inline const char *fx_env_get(void *ctx, const char *name)
{
    const struct fx *fx = ctx;
    for (size_t i = 0; i < fx->env_count; i++) {
        if (strcmp(fx->env[i][0], name) == 0) {
            return fx->env[i][1];
        }
    }
    return NULL;
}

static inline void fx_set(struct fx *fx, const char *name, const char *value)
{
    fx->env[fx->env_count][0] = name;
    fx->env[fx->env_count++][1] = value;
}

static inline int64_t fx_unix_ns(void *ctx)
{
    return ((struct fx *)ctx)->unix_ms * 1000000;
}

static inline int64_t fx_mono_ns(void *ctx)
{
    return ((struct fx *)ctx)->mono_ns += 1000;
}

static inline enum sn_status fx_fill(void *ctx, void *bytes, size_t len, struct sn_error *err)
{
    struct fx *fx = ctx;
    if (fx->random_fails) {
        return sn_fail(err, SN_UNAVAILABLE, "RANDOM_UNAVAILABLE", "no randomness");
    }
    memset(bytes, 0x5a, len);
    fx->random_next++;
    memcpy(bytes, &fx->random_next, len < sizeof(fx->random_next) ? len : sizeof(fx->random_next));
    return SN_OK;
}

/* --- STS --- */

static inline void fx_caller(struct sn_caller *caller, const char *arn, const char *account, const char *user_id)
{
    snprintf(caller->arn, sizeof(caller->arn), "%s", arn);
    snprintf(caller->account, sizeof(caller->account), "%.12s", account);
    snprintf(caller->user_id, sizeof(caller->user_id), "%s", user_id);
}

static inline enum sn_status fx_verify(
    void *ctx, const struct sn_proof *proof, int64_t deadline, struct sn_caller *out_caller, struct sn_error *err)
{
    struct fx *fx = ctx;
    (void)proof;
    (void)deadline;
    fx->proof_calls++;
    if (fx->proof_code != NULL) {
        bool rejected = strcmp(fx->proof_code, "PROOF_REJECTED") == 0;
        sn_fail(err, rejected ? SN_UNAUTHENTICATED : SN_UNAVAILABLE, fx->proof_code, "scripted");
        if (fx->proof_detail != NULL) {
            sn_error_detail(err, "aws_code", "%s", fx->proof_detail);
        }
        return err->status;
    }
    fx_caller(out_caller, fx->proof_arn, fx->proof_account, fx->proof_user_id);
    return SN_OK;
}

static inline void fx_copy(char *out, size_t size, struct sn_slice text)
{
    snprintf(out, size, "%.*s", SN_PRI(text));
}

static inline enum sn_status fx_assume(void *ctx, const struct sn_assume_role *input, int64_t deadline,
    struct sn_assumed_role *out_role, struct sn_error *err)
{
    struct fx *fx = ctx;
    (void)deadline;
    fx->assume_calls++;
    fx->mono_ns += fx->assume_takes_ns;
    fx_copy(fx->role_arn, sizeof(fx->role_arn), input->role_arn);
    fx_copy(fx->session_name, sizeof(fx->session_name), input->session_name);
    fx_copy(fx->source_identity, sizeof(fx->source_identity), input->source_identity);
    fx_copy(fx->external_id, sizeof(fx->external_id), input->external_id);
    fx_copy(fx->policy, sizeof(fx->policy), input->policy);
    fx->tags[0] = '\0';
    for (size_t i = 0; i < input->tag_count; i++) {
        size_t at = strlen(fx->tags);
        snprintf(fx->tags + at, sizeof(fx->tags) - at, "%.*s=%.*s;", SN_PRI(input->tag_keys[i]),
            SN_PRI(input->tag_values[i]));
    }
    fx->duration_s = input->duration_s;
    if (fx->assume_code != NULL) {
        return sn_fail(err, fx->assume_status, fx->assume_code, "arn:aws:secret-detail of STS");
    }
    snprintf(out_role->credentials.access_key_id, sizeof(out_role->credentials.access_key_id), "ASIAEXAMPLE0000000000");
    sn_secret_set(&out_role->credentials.secret_access_key, SN_S(FX_SECRET));
    sn_secret_set(&out_role->credentials.session_token, SN_S(FX_TOKEN));
    out_role->credentials.expires_unix_s = fx->unix_ms / 1000 + input->duration_s + fx->expires_off_s;
    return SN_OK;
}

static inline enum sn_status fx_own(void *ctx, int64_t deadline, struct sn_caller *out_caller, struct sn_error *err)
{
    struct fx *fx = ctx;
    (void)deadline;
    fx->own_calls++;
    if (fx->own_arn == NULL) {
        return sn_fail(err, SN_UNAVAILABLE, "STS_UNAVAILABLE", "scripted");
    }
    fx_caller(out_caller, fx->own_arn, FX_ACCOUNT, "AIDAOWN");
    return SN_OK;
}

/* --- Documents --- */

static inline enum sn_status fx_catalog(void *ctx, struct sn_catalog **out_catalog, struct sn_error *err)
{
    struct fx *fx = ctx;
    if (fx->catalog_code != NULL) {
        return sn_fail(err, SN_IO, fx->catalog_code, "/etc/sentinel/policy/catalog.yaml");
    }
    struct sn_catalog_source source = {SN_S("catalog.yaml"), sn_slice_str(fx->catalog_text)};
    return sn_catalog_load(&source, 1, NULL, out_catalog, err);
}

static inline enum sn_status fx_policy(void *ctx, struct sn_slice profile, struct sn_policy **out_policy,
    struct sn_document_origin *out_origin, struct sn_error *err)
{
    struct fx *fx = ctx;
    (void)profile;
    fx->policy_calls++;
    if (fx->policy_code != NULL) {
        return sn_fail(err, SN_IO, fx->policy_code, "/etc/sentinel/policy/policy.yaml");
    }
    *out_origin = (struct sn_document_origin){0};
    snprintf(
        out_origin->name, sizeof(out_origin->name), "%s", fx->policy_text != NULL ? "/sentinel/config/policy" : "");
    memset(out_origin->hash, 'a', 64);
    *out_policy = NULL;
    return fx->policy_text == NULL
               ? SN_OK
               : sn_policy_load(sn_slice_str(fx->policy_text), &fx->zone_source, NULL, out_policy, err);
}

static inline void fx_reload(void *ctx)
{
    (void)ctx;
}

/* --- Store --- */

static inline enum sn_status fx_store_fail(struct sn_error *err, const char *code)
{
    bool conflict = strcmp(code, "ID_TAKEN") == 0 || strcmp(code, "PROOF_REPLAYED") == 0;
    return sn_fail(err, conflict ? SN_CONFLICT : SN_UNAVAILABLE, code, "/var/lib/secret-path.db");
}

static inline struct sn_slice fx_keep(struct fx *fx, struct sn_slice text)
{
    return sn_arena_dup(&fx->row_arena, text);
}

static inline void fx_copy_row(struct fx *fx, const struct sn_session *session)
{
    fx->row = *session;
    struct sn_slice *texts[] = {&fx->row.user, &fx->row.account, &fx->row.caller_type, &fx->row.caller_role,
        &fx->row.caller_arn, &fx->row.profile, &fx->row.role_arn, &fx->row.grant_id, &fx->row.source_identity,
        &fx->row.device_id, &fx->row.revoked_by, &fx->row.revoked_by_arn, &fx->row.revoked_reason, &fx->row.seal};
    for (size_t i = 0; i < SN_LEN(texts); i++) {
        *texts[i] = fx_keep(fx, *texts[i]);
    }
}

static inline enum sn_status fx_create(
    void *ctx, const struct sn_session *session, const struct sn_spent_proof *proof, struct sn_error *err)
{
    struct fx *fx = ctx;
    fx->create_calls++;
    if (fx->create_code != NULL) {
        return fx_store_fail(err, fx->create_code);
    }
    fx_copy_row(fx, session);
    fx->has_row = true;
    fx->row_had_proof = proof != NULL;
    return SN_OK;
}

static inline enum sn_status fx_update(
    void *ctx, const struct sn_session *session, int64_t expected_rev, struct sn_error *err)
{
    struct fx *fx = ctx;
    fx->update_calls++;
    if (fx->update_code != NULL) {
        return fx_store_fail(err, fx->update_code);
    }
    assert_int_equal(fx->row.rev, expected_rev);
    fx_copy_row(fx, session);
    return SN_OK;
}

static inline enum sn_status fx_get(
    void *ctx, const struct sn_id *id, struct sn_arena *arena, struct sn_session *out_session, struct sn_error *err)
{
    struct fx *fx = ctx;
    (void)id;
    (void)arena;
    fx->get_calls++;
    if (fx->get_code != NULL) {
        return fx_store_fail(err, fx->get_code);
    }
    *out_session = fx->row;
    if (fx->stored_status != SN_SESSION_ACTIVE) {
        out_session->status = fx->stored_status;
    }
    return SN_OK;
}

static inline enum sn_status fx_is_blocked(
    void *ctx, const struct sn_slice *ids, size_t count, int64_t now_ms, bool *out_blocked, struct sn_error *err)
{
    struct fx *fx = ctx;
    (void)now_ms;
    fx->blocked_calls++;
    fx->mono_ns += fx->blocked_takes_ns;
    if (fx->blocked_code != NULL) {
        return fx_store_fail(err, fx->blocked_code);
    }
    fx->block_count = count;
    for (size_t i = 0; i < count; i++) {
        fx_copy(fx->block_ids[i], sizeof(fx->block_ids[i]), ids[i]);
    }
    *out_blocked = fx->is_blocked || (fx->blocked_from_read != 0 && fx->blocked_calls >= fx->blocked_from_read);
    return SN_OK;
}

static inline enum sn_status fx_ping(void *ctx, struct sn_error *err)
{
    struct fx *fx = ctx;
    return fx->blocked_code != NULL ? fx_store_fail(err, fx->blocked_code) : SN_OK;
}

/* --- Audit, grants --- */

static inline enum sn_status fx_append(
    void *ctx, struct sn_slice entry, struct sn_slice request_id, int timeout_ms, struct sn_error *err)
{
    struct fx *fx = ctx;
    (void)request_id;
    assert_true(timeout_ms > 0 && timeout_ms <= 5000);
    fx->audit_saw_body = fx->audit_saw_body || fx->response.body.len > 0;
    if (fx->audit_fails) {
        return sn_fail(err, SN_UNAVAILABLE, "AUDIT_UNAVAILABLE", "disk full at /var/log");
    }
    assert_true(fx->entry_count < FX_ENTRIES);
    fx_copy(fx->entries[fx->entry_count++], sizeof(fx->entries[0]), entry);
    return SN_OK;
}

static inline bool fx_healthy(void *ctx)
{
    return ((struct fx *)ctx)->audit_healthy;
}

static inline enum sn_status fx_find_grant(void *ctx, const struct sn_grant_query *query, struct sn_arena *arena,
    struct sn_grant *out_grant, bool *out_found, struct sn_error *err)
{
    struct fx *fx = ctx;
    (void)query;
    (void)arena;
    fx->grant_calls++;
    if (fx->grants_fail) {
        return sn_fail(err, SN_UNAVAILABLE, "STORE_UNAVAILABLE", "scripted");
    }
    *out_grant = fx->grant;
    *out_found = fx->has_grant;
    return SN_OK;
}

/* --- Life --- */

static inline void fx_init(struct fx *fx)
{
    memset(fx, 0, sizeof(*fx));
    sn_log_set_enabled(sn_env_get("SENTINEL_TEST_LOG") != NULL);
    fx->unix_ms = INT64_C(1769940000000); /* 2026-02-01T10:00:00.000Z */
    fx->mono_ns = INT64_C(1000000000000);
    fx->clock = (struct sn_clock){.unix_ns = fx_unix_ns, .mono_ns = fx_mono_ns, .ctx = fx};
    fx->random_source = (struct sn_random){fx_fill, fx};
    fx->sts = (struct sn_tvm_sts){fx_verify, fx_assume, fx_own, fx};
    fx->own_arn = "arn:aws:sts::" FX_ACCOUNT ":assumed-role/SentinelTVM/server";
    snprintf(fx->proof_arn, sizeof(fx->proof_arn), "%s", FX_ALICE);
    snprintf(fx->proof_account, sizeof(fx->proof_account), "%s", FX_ACCOUNT);
    snprintf(fx->proof_user_id, sizeof(fx->proof_user_id), "AIDAALICE");
    fx->documents = (struct sn_tvm_documents){fx_catalog, fx_policy, fx_reload, fx};
    fx->catalog_text = FX_CATALOG;
    fx->policy_text = FX_ALLOW_ALL;
    sn_zoneinfo_init(&fx->zones, NULL);
    fx->zone_source = sn_zoneinfo_source(&fx->zones);
    fx->store = (struct sn_session_store){.create = fx_create,
        .update = fx_update,
        .get = fx_get,
        .is_blocked = fx_is_blocked,
        .ping = fx_ping,
        .ctx = fx};
    fx->audit = (struct sn_audit_sink){fx_append, fx_healthy, fx};
    fx->audit_healthy = true;
    fx->grants = (struct sn_grant_source){fx_find_grant, fx};
    snprintf(fx->seals.keys[0].id, sizeof(fx->seals.keys[0].id), "k1");
    sn_secret_set(&fx->seals.keys[0].key, SN_S("0123456789abcdef0123456789abcdef"));
    fx->seals.count = 1;
    fx->metrics = sn_metrics_new();
    fx_set(fx, "AWS_REGION", "eu-west-1");
}

/* is_lambda: identity by the gateway's word. */
static inline void fx_start(struct fx *fx, bool is_lambda)
{
    static const struct sn_slice audiences[] = {
        SN_S_INIT("http://127.0.0.1:8750"), SN_S_INIT("https://tvm.example.org/s")};
    struct sn_env env = {fx_env_get, fx};
    struct sn_error err = {0};
    assert_ok(sn_tvm_settings_load(&env, SN_TVM_FORM_SERVE, &fx->settings, &err), &err);
    fx->parts = (struct sn_tvm_parts){
        .settings = &fx->settings,
        .clock = &fx->clock,
        .random_source = &fx->random_source,
        .sts = &fx->sts,
        .documents = &fx->documents,
        .store = &fx->store,
        .audit = &fx->audit,
        .seal_keys = &fx->seals,
        .grants = fx->grants.find != NULL ? &fx->grants : NULL,
        .metrics = fx->metrics,
        .is_lambda = is_lambda,
        .audiences = audiences,
        .audience_count = SN_LEN(audiences),
    };
    assert_ok(sn_tvm_new(&fx->parts, &fx->tvm, &err), &err);
}

static inline void fx_end(struct fx *fx)
{
    sn_json_doc_free(fx->doc);
    sn_response_clear(&fx->response);
    sn_tvm_free(fx->tvm);
    sn_metrics_free(fx->metrics);
    sn_tvm_settings_clear(&fx->settings);
    sn_seal_keys_clear(&fx->seals);
    sn_arena_clear(&fx->row_arena);
    sn_zoneinfo_clear(&fx->zones);
}

/* --- Calls --- */

static inline int fx_handle(struct fx *fx, const struct sn_request *request)
{
    struct sn_error ignored = {0};
    sn_json_doc_free(fx->doc);
    fx->doc = NULL;
    sn_response_clear(&fx->response);
    fx->response = (struct sn_response){0};
    sn_tvm_handle(fx->tvm, request, &fx->response);
    (void)!sn_json_parse(sn_buf_slice(&fx->response.body), &sn_json_limits_document, &fx->doc, &ignored);
    return fx->response.status;
}

static inline struct sn_request fx_request(const char *method, const char *path, const char *query, const char *body)
{
    return (struct sn_request){
        .method = strcmp(method, "GET") == 0    ? SN_METHOD_GET
                  : strcmp(method, "POST") == 0 ? SN_METHOD_POST
                                                : SN_METHOD_OTHER,
        .method_text = sn_slice_str(method),
        .path = sn_slice_str(path),
        .query = sn_slice_str(query),
        .body = sn_slice_str(body),
        .peer = {.is_loopback = true, .address = "127.0.0.1", .connection_id = 1, .fd = -1},
    };
}

/* As a caller that the gateway vouches for. */
static inline int fx_as(
    struct fx *fx, const char *arn, const char *method, const char *path, const char *query, const char *body)
{
    struct sn_request request = fx_request(method, path, query, body);
    struct sn_slice rest = sn_slice_str(arn), account = {0};
    for (int i = 0; i < 5; i++) {
        sn_slice_next(&rest, ':', &account);
    }
    struct sn_iam_context iam = {
        .account_id = account, .user_arn = sn_slice_str(arn), .user_id = SN_S("AIDAEXAMPLE:session")};
    request.iam = &iam;
    return fx_handle(fx, &request);
}

static inline int fx_vend(struct fx *fx, const char *body)
{
    return fx_as(fx, FX_ALICE, "POST", "/v1/credentials", "", body);
}

/* Text of a member of the answer, by a path such as "session.id"; "" when absent. */
static inline struct sn_slice fx_text(const struct fx *fx, const char *path)
{
    const struct sn_json *node = fx->doc != NULL ? sn_json_root(fx->doc) : NULL;
    struct sn_slice rest = sn_slice_str(path), part = {0};
    char key[64];
    while (node != NULL && sn_slice_next(&rest, '.', &part)) {
        fx_copy(key, sizeof(key), part);
        node = sn_json_get(node, key);
    }
    return node != NULL ? sn_json_text(node) : SN_S("");
}

#define assert_code(fx, expected_status, expected_code)                                                                \
    do {                                                                                                               \
        if ((fx)->response.status != (expected_status)) {                                                              \
            print_error("answer: %s\n", sn_buf_str(&(fx)->response.body));                                             \
        }                                                                                                              \
        assert_int_equal((fx)->response.status, (expected_status));                                                    \
        assert_slice_equal(fx_text((fx), "code"), (expected_code));                                                    \
    } while (0)

static inline bool fx_body_has(const struct fx *fx, const char *text)
{
    return sn_slice_contains(sn_buf_slice(&fx->response.body), sn_slice_str(text));
}

static inline bool fx_entry_has(const struct fx *fx, size_t index, const char *text)
{
    assert_true(index < fx->entry_count);
    return sn_slice_contains(sn_slice_str(fx->entries[index]), sn_slice_str(text));
}

#endif
