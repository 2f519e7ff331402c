/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/unit/tvm/vend_test.c - the steps of one vend, each with what ends it there.
 */
#include "tvm_fixture.h"

static int set_up(void **state)
{
    struct fx *fx = sn_alloc(1, sizeof(*fx));
    fx_init(fx);
    *state = fx;
    return 0;
}

static int tear_down(void **state)
{
    fx_end(*state);
    sn_free(*state);
    return 0;
}

/* TVM-01: what STS gets and what the caller gets, on both routes. */
static void issues_and_stamps(void **state)
{
    struct fx *fx = *state;
    char expected[128];

    fx_start(fx, true);
    assert_int_equal(fx_as(fx, FX_ALICE, "GET", "/", "profile=prod", ""), 200);
    const char *id = sn_response_find_header(&fx->response, "X-Sentinel-Request-Id");
    assert_non_null(id);
    assert_true(sn_id_is_valid(sn_slice_str(id)));
    assert_string_equal(fx->role_arn, FX_ROLE "prod");
    assert_int_equal(fx->duration_s, 900);
    snprintf(expected, sizeof(expected), "alice-%s", id);
    assert_string_equal(fx->session_name, expected);
    snprintf(expected, sizeof(expected), "sentinel=alice=direct=%s", id);
    assert_string_equal(fx->source_identity, expected);
    snprintf(expected, sizeof(expected), "SentinelSessionID=%s;", id);
    assert_string_equal(fx->tags, expected);
    assert_string_equal(sn_buf_str(&fx->response.body),
        "{\"AccessKeyId\":\"ASIAEXAMPLE0000000000\",\"SecretAccessKey\":\"" FX_SECRET "\",\"Token\":\"" FX_TOKEN
        "\",\"Expiration\":\"2026-02-01T10:15:00Z\"}");

    assert_int_equal(fx_vend(fx, "{\"profile\":\"prod\",\"duration\":1800}"), 200);
    assert_int_equal(fx->duration_s, 1800);
    assert_slice_equal(fx_text(fx, "credentials.secret_access_key"), FX_SECRET);
    assert_slice_equal(fx_text(fx, "credentials.expiration"), "2026-02-01T10:30:00.000Z");
    assert_slice_equal(fx_text(fx, "session.profile"), "prod");
    assert_slice_equal(fx_text(fx, "session.kind"), "direct");
    assert_slice_equal(fx_text(fx, "decision.rule"), "any");
    assert_string_equal(sn_response_find_header(&fx->response, "X-Sentinel-Session-Id") + 4,
        sn_response_find_header(&fx->response, "X-Sentinel-Request-Id"));
}

/* TVM-16: the row of an issue; none for a refusal. */
static void writes_a_sealed_row(void **state)
{
    struct fx *fx = *state;

    fx_start(fx, true);
    assert_int_equal(fx_vend(fx, "{\"profile\":\"prod\"}"), 200);
    assert_true(fx->has_row);
    assert_int_equal(fx->row.status, SN_SESSION_ACTIVE);
    assert_slice_equal(fx->row.source_identity, fx->source_identity);
    assert_int_equal(fx->row.ttl_unix_s - fx->row.expires_at_ms / 1000, 90 * 86400);
    assert_int_equal(fx->row.expires_at_ms, fx->unix_ms + 900000);
    assert_int_equal(fx->row.device_id.len, 0);
    assert_int_equal(fx->row.rev, 1);
    assert_true(sn_session_seal_is_valid(&fx->seals, &fx->row));
    fx->policy_text = "version: \"1\"\nrules:\n- {name: no, effect: deny, reason: closed, conditions: {}}\n"
                      "- {name: d, effect: deny, conditions: {profiles: [prod]}}\n";
    fx->has_row = false;
    assert_int_equal(fx_vend(fx, "{\"profile\":\"prod\"}"), 403);
    assert_false(fx->has_row);
}

/* TVM-51, ATK-33: the record is durable before a byte of the credentials enters the answer. */
static void attack_33_no_secret_without_record(void **state)
{
    struct fx *fx = *state;

    fx_start(fx, true);
    assert_int_equal(fx_vend(fx, "{\"profile\":\"prod\"}"), 200);
    assert_false(fx->audit_saw_body);
    assert_int_equal(fx->entry_count, 1);
    assert_true(fx_entry_has(fx, 0, "\"effect\":\"allow\""));
    assert_true(fx_entry_has(fx, 0, "\"outcome\":\"issued\""));
    assert_true(fx_entry_has(fx, 0, "\"access_key_id\":\"ASIAEXAMPLE0000000000\""));
    assert_false(fx_entry_has(fx, 0, "CANARY"));

    fx->audit_fails = true;
    assert_int_equal(fx_vend(fx, "{\"profile\":\"prod\"}"), 503);
    assert_code(fx, 503, "AUDIT_UNAVAILABLE");
    assert_false(fx_body_has(fx, "CANARY"));
    assert_int_equal(fx->row.status, SN_SESSION_EXPIRED);
    assert_string_equal(sn_response_find_header(&fx->response, "Retry-After"), "1");
    /* A refusal that cannot be recorded is told no other way either. */
    fx->policy_text =
        "version: \"1\"\nrules:\n- {name: d, effect: deny, reason: why, conditions: {profiles: [prod]}}\n";
    assert_int_equal(fx_vend(fx, "{\"profile\":\"prod\"}"), 503);
    assert_code(fx, 503, "AUDIT_UNAVAILABLE");
    assert_false(fx_body_has(fx, "why"));
}

/* One table: what is broken, what is answered, whether STS was asked, how many records. */
struct refusal {
    const char *name;
    void (*arrange)(struct fx *fx);
    const char *body;
    int status;
    const char *code;
    int assume_calls;
    size_t entries;
    const char *entry_part;
};

static void deny_prod(struct fx *fx)
{
    fx->policy_text =
        "version: \"1\"\nrules:\n- {name: d, effect: deny, reason: frozen, conditions: {profiles: [prod]}}\n";
}
static void approve_prod(struct fx *fx)
{
    fx->policy_text =
        "version: \"1\"\nrules:\n- {name: a, effect: require_approval, reason: ask, conditions: {profiles: [prod]}}\n";
}
static void no_policy(struct fx *fx)
{
    fx->policy_text = NULL;
}
static void bad_policy(struct fx *fx)
{
    fx->policy_text = "version: \"1\"\nrules:\n- {name: a, effect: Allow, conditions: {}}\n";
}
static void unreadable_policy(struct fx *fx)
{
    fx->policy_code = "DOCUMENT_UNREADABLE";
}
static void no_catalog(struct fx *fx)
{
    fx->catalog_code = "CATALOG_EMPTY";
}
static void bad_catalog(struct fx *fx)
{
    fx->catalog_code = "INVALID_CATALOG";
}
static void blocked(struct fx *fx)
{
    fx->is_blocked = true;
}
static void store_down(struct fx *fx)
{
    fx->blocked_code = "STORE_UNAVAILABLE";
}
static void row_fails(struct fx *fx)
{
    fx->create_code = "STORE_UNAVAILABLE";
}
static void id_taken(struct fx *fx)
{
    fx->create_code = "ID_TAKEN";
}
static void sts_fails(struct fx *fx)
{
    fx->assume_code = "STS_UNAVAILABLE";
    fx->assume_status = SN_UNAVAILABLE;
}
static void sts_slow(struct fx *fx)
{
    fx->assume_code = "STS_TIMEOUT";
    fx->assume_status = SN_TIMEOUT;
}
static void sts_fails_late(struct fx *fx)
{
    sts_fails(fx);
    fx->assume_takes_ns = INT64_C(31) * 1000000000;
}
static void other_partition(struct fx *fx)
{
    fx->catalog_text = "version: \"1\"\nprofiles:\n  prod: {role_arn: \"arn:aws-cn:iam::" FX_ACCOUNT ":role/R\"}\n";
}

/* TVM-08, TVM-13, TVM-18, AUD-12, AUD-38, ATK-12: every end has its code, asks STS when it should, has one record. */
static void refusals(void **state)
{
    static const struct refusal rows[] = {
        {"denied by rule", deny_prod, "{\"profile\":\"prod\"}", 403, "POLICY_DENY", 0, 1, "\"rule\":\"d\""},
        {"approval", approve_prod, "{\"profile\":\"prod\"}", 403, "APPROVAL_REQUIRED", 0, 1,
            "\"policy_effect\":\"require_approval\""},
        {"no policy", no_policy, "{\"profile\":\"prod\"}", 404, "UNKNOWN_PROFILE", 0, 1, "\"rule_index\":-1"},
        {"unknown name", NULL, "{\"profile\":\"nosuch\"}", 404, "UNKNOWN_PROFILE", 0, 1, "\"outcome\":\"denied\""},
        {"invalid policy", bad_policy, "{\"profile\":\"prod\"}", 500, "POLICY_ERROR", 0, 1, "\"outcome\":\"error\""},
        {"unreadable policy", unreadable_policy, "{\"profile\":\"prod\"}", 500, "CONFIG_ERROR", 0, 1, "CONFIG_ERROR"},
        {"no catalogue", no_catalog, "{\"profile\":\"prod\"}", 500, "CONFIG_ERROR", 0, 1, "CONFIG_ERROR"},
        {"invalid catalogue", bad_catalog, "{\"profile\":\"prod\"}", 500, "POLICY_ERROR", 0, 1, "POLICY_ERROR"},
        {"revoked", blocked, "{\"profile\":\"prod\"}", 403, "SESSION_REVOKED", 0, 1, "access revoked"},
        {"store down", store_down, "{\"profile\":\"prod\"}", 503, "SESSION_UNAVAILABLE", 0, 1, "SESSION_UNAVAILABLE"},
        {"row fails", row_fails, "{\"profile\":\"prod\"}", 503, "SESSION_UNAVAILABLE", 0, 1, "SESSION_UNAVAILABLE"},
        {"id taken", id_taken, "{\"profile\":\"prod\"}", 500, "CREDENTIAL_ERROR", 0, 1, "CREDENTIAL_ERROR"},
        {"STS fails", sts_fails, "{\"profile\":\"prod\"}", 500, "CREDENTIAL_ERROR", 1, 1, "CREDENTIAL_ERROR"},
        {"STS slow", sts_slow, "{\"profile\":\"prod\"}", 504, "UPSTREAM_TIMEOUT", 1, 1, "UPSTREAM_TIMEOUT"},
        {"STS fails late", sts_fails_late, "{\"profile\":\"prod\"}", 504, "UPSTREAM_TIMEOUT", 1, 1, "UPSTREAM_TIMEOUT"},
        {"other partition", other_partition, "{\"profile\":\"prod\"}", 500, "CONFIG_ERROR", 0, 1, "CONFIG_ERROR"},
        /* before step 6 is passed there is no record */
        {"no profile", NULL, "{}", 400, "MISSING_PROFILE", 0, 0, NULL},
    };

    (void)state;
    for (size_t i = 0; i < SN_LEN(rows); i++) {
        struct fx *fx = sn_alloc(1, sizeof(*fx));
        print_message("# %s\n", rows[i].name);
        fx_init(fx);
        fx_start(fx, true);
        if (rows[i].arrange != NULL) {
            rows[i].arrange(fx);
        }
        fx_vend(fx, rows[i].body);
        assert_code(fx, rows[i].status, rows[i].code);
        assert_int_equal(fx->assume_calls, rows[i].assume_calls);
        assert_int_equal(fx->entry_count, rows[i].entries);
        if (rows[i].entry_part != NULL) {
            assert_true(fx_entry_has(fx, 0, rows[i].entry_part));
            assert_true(fx_entry_has(fx, 0, "\"effect\":\"deny\""));
        }
        /* No detail of what lies behind. */
        assert_false(fx_body_has(fx, "arn:"));
        assert_false(fx_body_has(fx, FX_ACCOUNT));
        assert_false(fx_body_has(fx, "/sentinel/"));
        assert_false(fx_body_has(fx, "/etc"));
        assert_false(fx_body_has(fx, "/var"));
        if (fx->has_row) {
            assert_int_equal(fx->row.status, SN_SESSION_EXPIRED);
        }
        fx_end(fx);
        sn_free(fx);
    }
}

/* TVM-52, ATK-34: unknown and hidden names get the same bytes and the same upstream calls. */
static void attack_34_no_oracle_for_names(void **state)
{
    static const char *const policies[] = {
        "version: \"1\"\nrules:\n- {name: o, effect: allow, conditions: {profiles: [dev], users: [bob]}}\n",
        "version: \"1\"\nrules:\n- {name: o, effect: allow, conditions: {profiles: [dev, prod], users: [bob]}}\n"
        "- {name: rest, effect: deny, reason: r, conditions: {}}\n",
        "version: \"1\"\nrules:\n- {name: o, effect: allow, conditions: {profiles: [dev]}}\n"
        "- {name: p, effect: deny, conditions: {profiles: [prod], users: [bob]}}\n",
    };
    struct fx *fx = *state;
    char known[2048], unknown[2048];

    fx_start(fx, true);
    for (size_t i = 0; i < SN_LEN(policies); i++) {
        fx->policy_text = policies[i];
        fx->policy_calls = fx->grant_calls = 0;
        fx->random_next = 100;
        assert_int_equal(fx_vend(fx, "{\"profile\":\"prod\"}"), 404);
        snprintf(known, sizeof(known), "%s", sn_buf_str(&fx->response.body));
        int known_calls = fx->policy_calls;
        fx->policy_calls = 0;
        fx->random_next = 100; /* the same id, so that whole answers can be compared */
        assert_int_equal(fx_vend(fx, "{\"profile\":\"grid\"}"), 404);
        snprintf(unknown, sizeof(unknown), "%s", sn_buf_str(&fx->response.body));
        assert_string_equal(known, unknown);
        assert_int_equal(known_calls, fx->policy_calls);
        assert_int_equal(fx->assume_calls, 0);
        assert_int_equal(fx->create_calls, 0);
    }
}

/* TVM-52: hints hold visible names only. */
static void hints_name_only_what_is_visible(void **state)
{
    struct fx *fx = *state;

    fx_start(fx, true);
    fx->policy_text = "version: \"1\"\nrules:\n- {name: o, effect: allow, conditions: {profiles: [dev]}}\n";
    fx_vend(fx, "{\"profile\":\"dve\"}");
    assert_code(fx, 404, "UNKNOWN_PROFILE");
    assert_slice_equal(fx_text(fx, "hint"), "did you mean 'dev'?");
    fx_vend(fx, "{\"profile\":\"prodd\"}");
    assert_slice_equal(fx_text(fx, "hint"), "run 'sentinel profiles' to see what you can ask for");
    fx->policy_text = "version: \"1\"\nrules:\n- {name: o, effect: allow, conditions: {users: [bob]}}\n";
    fx_vend(fx, "{\"profile\":\"dve\"}");
    assert_slice_equal(fx_text(fx, "hint"), "");
}

/* TVM-05, TVM-06, ATK-21: parameters. */
static void parameters(void **state)
{
    static const struct {
        const char *query; /* on "/" */
        const char *body;  /* on /v1/credentials */
        const char *code;  /* NULL: issued */
    } rows[] = {
        {"profile=prod&duration=899", NULL, "INVALID_DURATION"},
        {"profile=prod&duration=43201", NULL, "INVALID_DURATION"},
        {"profile=prod&duration=abc", NULL, "INVALID_DURATION"},
        {"profile=prod&duration=9e2", NULL, "INVALID_DURATION"},
        {"profile=prod&duration=%2B900", NULL, "INVALID_DURATION"},
        {"profile=prod&duration=+900", NULL, "INVALID_DURATION"},
        {"profile=prod&duration=0900", NULL, "INVALID_DURATION"},
        {"profile=prod&duration=", NULL, "INVALID_DURATION"},
        {"profile=prod&duration=18446744073709552516", NULL, "INVALID_DURATION"},
        {"profile=prod&duration=900", NULL, NULL},
        {"profile=prod&other=1", NULL, NULL},
        {"", NULL, "MISSING_PROFILE"},
        {"profile=", NULL, "MISSING_PROFILE"},
        {"profile=..%2Fx", NULL, "INVALID_PROFILE"},
        {"profile=a%2F%2Fb", NULL, "INVALID_PROFILE"},
        {"profile=a%0Ab", NULL, "INVALID_PROFILE"},
        {"profile=$%7Bx%7D", NULL, "INVALID_PROFILE"},
        {"profile=%D0%B0", NULL, "INVALID_PROFILE"},
        {"profile=prod,dev", NULL, "INVALID_PROFILE"},
        {"profile=-x", NULL, "INVALID_PROFILE"},
        {"profile=x%2F", NULL, "INVALID_PROFILE"},
        {"profile=prod&profile=prod", NULL, "INVALID_REQUEST"},
        {"profile=prod&a=%zz", NULL, "INVALID_REQUEST"},
        {"profile=prod&a=%00", NULL, "INVALID_REQUEST"},
        {"profile=prod&device_id=abc", NULL, "INVALID_DEVICE_ID"},
        {"profile=prod&device_id=", NULL, NULL},
        {NULL, "{\"profile\":\"prod\",\"duration\":\"900\"}", "INVALID_DURATION"},
        {NULL, "{\"profile\":\"prod\",\"duration\":900.0}", "INVALID_DURATION"},
        {NULL, "{\"profile\":\"prod\",\"duration\":9e2}", "INVALID_DURATION"},
        {NULL, "{\"profile\":\"prod\",\"duration\":-900}", "INVALID_DURATION"},
        {NULL, "{\"profile\":\"prod\",\"duration\":null}", "INVALID_DURATION"},
        {NULL, "{\"profile\":\"prod\",\"duration\":43200}", NULL},
        {NULL, "{\"profile\":\"prod\",\"x\":1}", "INVALID_REQUEST"},
        {NULL, "{\"profile\":\"prod\",\"profile\":\"prod\"}", "INVALID_REQUEST"},
        {NULL, "{\"profile\":7}", "INVALID_REQUEST"},
        {NULL, "{\"profile\":\"prod\"} x", "INVALID_REQUEST"},
        {NULL, "[]", "INVALID_REQUEST"},
        {NULL, "", "INVALID_REQUEST"},
        {NULL, "{\"profile\":[[[[[[[[[[1]]]]]]]]]]}", "INVALID_REQUEST"},
        {NULL, "{\"profile\":\"\\ud800\"}", "INVALID_REQUEST"},
        {NULL, "{\"profile\":\"prod\",\"device_id\":\"\"}", NULL},
        {NULL,
            "{\"profile\":\"prod\",\"device_id\":\"0123456789ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef\"}",
            "INVALID_DEVICE_ID"},
    };
    struct fx *fx = *state;

    fx_set(fx, "SENTINEL_RATE_LIMIT_REQUESTS", "0");
    fx_start(fx, true);
    for (size_t i = 0; i < SN_LEN(rows); i++) {
        print_message("# %s\n", rows[i].query != NULL ? rows[i].query : rows[i].body);
        fx->assume_calls = 0;
        if (rows[i].query != NULL) {
            fx_as(fx, FX_ALICE, "GET", "/", rows[i].query, "");
        } else {
            fx_vend(fx, rows[i].body);
        }
        if (rows[i].code == NULL) {
            assert_int_equal(fx->response.status, 200);
        } else {
            assert_code(fx, 400, rows[i].code);
        }
        assert_int_equal(fx->assume_calls, rows[i].code == NULL);
    }
}

/* Query and body of POST / must agree. */
static void alias_takes_a_body(void **state)
{
    struct fx *fx = *state;

    fx_start(fx, true);
    assert_int_equal(fx_as(fx, FX_ALICE, "POST", "/", "profile=prod", "{\"duration\":\"1800\"}"), 200);
    assert_int_equal(fx->duration_s, 1800);
    assert_int_equal(fx_as(fx, FX_ALICE, "POST", "/", "profile=prod", "{\"profile\":\"prod\"}"), 200);
    fx_as(fx, FX_ALICE, "POST", "/", "profile=prod", "{\"profile\":\"dev\"}");
    assert_code(fx, 400, "INVALID_REQUEST");
}

/* TVM-05, ATK-21: the cap of role chaining applies to role credentials and to nobody else. */
static void role_chaining_caps_at_an_hour(void **state)
{
    struct fx *fx = *state;

    fx_start(fx, true);
    assert_int_equal(fx_vend(fx, "{\"profile\":\"prod\",\"duration\":43200}"), 200);
    assert_int_equal(fx->duration_s, 3600);
    assert_slice_equal(fx_text(fx, "session.capped_by"), "role_chaining");
}

/* TVM-07: a rule's cap, and windows of a grant that close. */
static void durations_under_caps_and_grants(void **state)
{
    static const struct {
        int64_t left_ms;
        int status;
        int64_t sts_s;
        const char *expiration; /* of the answer */
    } rows[] = {
        {1200000, 200, 1200, "2026-02-01T10:20:00.000Z"},
        {300000, 200, 900, "2026-02-01T10:05:00.000Z"},
        {61000, 200, 900, "2026-02-01T10:01:01.000Z"},
        {59000, 403, 0, ""},
        {0, 403, 0, ""},
    };
    struct fx *fx = *state;

    fx_start(fx, true);
    fx->policy_text = "version: \"1\"\nrules:\n- {name: c, effect: allow, max_server_duration: 30m, conditions: "
                      "{profiles: [prod]}}\n";
    assert_int_equal(fx_vend(fx, "{\"profile\":\"prod\",\"duration\":3600}"), 200);
    assert_int_equal(fx->duration_s, 1800);
    assert_slice_equal(fx_text(fx, "session.capped_by"), "rule");

    approve_prod(fx);
    fx->has_grant = true;
    for (size_t i = 0; i < SN_LEN(rows); i++) {
        fx->grant = (struct sn_grant){
            .kind = SN_ISSUE_APPROVED, .id = SN_S("req-4g7kq2m9x0v5c8za"), .ends_at_ms = fx->unix_ms + rows[i].left_ms};
        fx->duration_s = 0;
        fx->policy[0] = '\0';
        print_message("# %lld ms left\n", (long long)rows[i].left_ms);
        assert_int_equal(fx_vend(fx, "{\"profile\":\"prod\",\"duration\":3600}"), rows[i].status);
        assert_int_equal(fx->duration_s, rows[i].sts_s);
        assert_slice_equal(fx_text(fx, "credentials.expiration"), rows[i].expiration);
        if (rows[i].status == 200) {
            assert_true(strstr(fx->source_identity, "=approved=") != NULL);
            assert_true(strstr(fx->tags, "SentinelGrantID=req-4g7kq2m9x0v5c8za;") != NULL);
            assert_true((fx->policy[0] != '\0') == (rows[i].left_ms < 900000));
            assert_true(fx_entry_has(fx, fx->entry_count - 1, "\"approved_request_id\":\"req-4g7kq2m9x0v5c8za\""));
        }
    }
    assert_code(fx, 403, "APPROVAL_REQUIRED");
}

/* TVM-11, ATK-12: what no grant may override is not even looked up. */
static void grants_are_asked_only_where_they_may_serve(void **state)
{
    struct fx *fx = *state;

    fx_start(fx, true);
    fx->has_grant = true;
    fx->grant = (struct sn_grant){
        .kind = SN_ISSUE_BREAKGLASS, .id = SN_S("bg-0c9n3t6w1r8yd5hj"), .ends_at_ms = fx->unix_ms + 3600000};
    assert_int_equal(fx_vend(fx, "{\"profile\":\"prod\"}"), 200);
    assert_int_equal(fx->grant_calls, 0);
    fx->policy_text = "version: \"1\"\nrules:\n"
                      "- {name: n, effect: deny, break_glass: never, conditions: {profiles: [prod]}}\n";
    assert_int_equal(fx_vend(fx, "{\"profile\":\"prod\"}"), 403);
    assert_int_equal(fx->grant_calls, 0);
    deny_prod(fx);
    assert_int_equal(fx_vend(fx, "{\"profile\":\"prod\"}"), 200);
    assert_int_equal(fx->grant_calls, 1);
    assert_true(fx_entry_has(fx, fx->entry_count - 1, "\"override\":\"break_glass\""));
    assert_true(fx_entry_has(fx, fx->entry_count - 1, "\"policy_effect\":\"deny\""));
    fx->grants_fail = true;
    assert_int_equal(fx_vend(fx, "{\"profile\":\"prod\"}"), 403);
    assert_slice_equal(fx_text(fx, "message"), "Access denied by policy: frozen");
}

/* TVM-58 in small: markers that appear, and a row that is ended, while STS works. */
static void revocation_during_a_vend_wins(void **state)
{
    struct fx *fx = *state;

    fx_start(fx, true);
    fx->blocked_from_read = 2;
    assert_int_equal(fx_vend(fx, "{\"profile\":\"prod\"}"), 403);
    assert_code(fx, 403, "SESSION_REVOKED");
    assert_int_equal(fx->assume_calls, 1);
    assert_false(fx_body_has(fx, "CANARY"));
    assert_int_equal(fx->entry_count, 2);
    assert_true(fx_entry_has(fx, 1, "audit.undelivered"));
    assert_true(fx_entry_has(fx, 1, "revoked"));
    assert_int_equal(fx->row.status, SN_SESSION_REVOKED);

    fx->blocked_from_read = 0;
    fx->stored_status = SN_SESSION_REVOKED;
    assert_int_equal(fx_vend(fx, "{\"profile\":\"prod\"}"), 403);
    assert_code(fx, 403, "SESSION_REVOKED");
    assert_false(fx_body_has(fx, "CANARY"));
    fx->stored_status = SN_SESSION_ACTIVE;
    fx->get_code = "STORE_UNAVAILABLE";
    assert_int_equal(fx_vend(fx, "{\"profile\":\"prod\"}"), 503);
    assert_false(fx_body_has(fx, "CANARY"));
    /* A read that takes longer than it may be old is read again, then refused. */
    fx->get_code = NULL;
    fx->blocked_takes_ns = INT64_C(4) * 1000000000;
    assert_int_equal(fx_vend(fx, "{\"profile\":\"prod\"}"), 503);
    assert_code(fx, 503, "SESSION_UNAVAILABLE");
}

/* The block markers that are read for a caller. */
static void reads_every_marker_that_could_apply(void **state)
{
    struct fx *fx = *state;

    fx_start(fx, true);
    assert_int_equal(fx_vend(fx, "{\"profile\":\"prod\"}"), 200);
    assert_string_equal(fx->block_ids[0], "block#person#" FX_ACCOUNT "/user/alice#prod");
    assert_string_equal(fx->block_ids[1], "block#person#" FX_ACCOUNT "/user/alice#*");
    assert_string_equal(fx->block_ids[2], "block#name#alice#prod");
    assert_string_equal(fx->block_ids[3], "block#name#alice#*");
    assert_memory_equal(fx->block_ids[4], "block#profile#prod#", 19);
    assert_int_equal(fx->block_count, 5);
    assert_int_equal(fx_as(fx, "arn:aws:sts::" FX_ACCOUNT ":assumed-role/Dev/x", "POST", "/v1/credentials", "",
                         "{\"profile\":\"prod\",\"device_id\":"
                         "\"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\"}"),
        200);
    assert_string_equal(fx->block_ids[0], "block#person#" FX_ACCOUNT "/assumed-role/Dev/*#prod");
    assert_memory_equal(fx->block_ids[2], "block#role#Dev#prod#", 20);
    assert_memory_equal(fx->block_ids[3], "block#role#Dev#*#", 17);
    assert_int_equal(fx->block_count, 6);
    assert_memory_equal(fx->block_ids[5], "block#device#0123", 17);
}

/* Step 16: the row follows what STS gave. */
static void row_is_corrected(void **state)
{
    struct fx *fx = *state;

    fx_start(fx, true);
    fx->expires_off_s = 2;
    assert_int_equal(fx_vend(fx, "{\"profile\":\"prod\"}"), 200);
    assert_int_equal(fx->update_calls, 0);
    fx->expires_off_s = -100;
    assert_int_equal(fx_vend(fx, "{\"profile\":\"prod\"}"), 200);
    assert_int_equal(fx->update_calls, 1);
    assert_int_equal(fx->row.rev, 2);
    assert_int_equal(fx->row.expires_at_ms, fx->unix_ms + 800000);
    assert_true(sn_session_seal_is_valid(&fx->seals, &fx->row));
    assert_slice_equal(fx_text(fx, "credentials.expiration"), "2026-02-01T10:13:20.000Z");
    fx->update_code = "STORE_UNAVAILABLE"; /* a WARNING, no refusal */
    assert_int_equal(fx_vend(fx, "{\"profile\":\"prod\"}"), 200);
}

/* TVM-39, AUD-10, ATK-07: no randomness, no id, nothing issued. */
static void random_failure_denies(void **state)
{
    struct fx *fx = *state;

    fx_start(fx, true);
    fx->random_fails = true;
    assert_int_equal(fx_vend(fx, "{\"profile\":\"prod\"}"), 500);
    assert_code(fx, 500, "CREDENTIAL_ERROR");
    assert_slice_equal(fx_text(fx, "request_id"), "");
    assert_null(sn_response_find_header(&fx->response, "X-Sentinel-Request-Id"));
    assert_int_equal(fx->assume_calls + fx->create_calls + fx->own_calls, 0);
    assert_false(fx_body_has(fx, "0000000000000000"));
}

/* TVM-37, ATK-22: a role ARN passes the syntax and is the name of nothing. */
static void attack_22_role_arn_is_no_profile(void **state)
{
    struct fx *fx = *state;

    fx_start(fx, true);
    fx_vend(fx, "{\"profile\":\"" FX_ROLE "prod\"}");
    assert_code(fx, 404, "UNKNOWN_PROFILE");
    assert_int_equal(fx->assume_calls, 0);
}

/* A device that must be verified and cannot be. */
static void required_device_denies(void **state)
{
    struct fx *fx = *state;

    fx_set(fx, "SENTINEL_REQUIRE_DEVICE", "true");
    fx_start(fx, true);
    fx_vend(fx, "{\"profile\":\"prod\"}");
    assert_code(fx, 403, "DEVICE_REQUIRED");
    fx_vend(fx, "{\"profile\":\"nosuch\",\"device_id\":"
                "\"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\"}");
    assert_code(fx, 403, "DEVICE_VERIFICATION_FAILED");
    assert_int_equal(fx->assume_calls, 0);
}

int main(void)
{
#define ROW(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        ROW(issues_and_stamps),
        ROW(writes_a_sealed_row),
        ROW(attack_33_no_secret_without_record),
        ROW(refusals),
        ROW(attack_34_no_oracle_for_names),
        ROW(hints_name_only_what_is_visible),
        ROW(parameters),
        ROW(alias_takes_a_body),
        ROW(role_chaining_caps_at_an_hour),
        ROW(durations_under_caps_and_grants),
        ROW(grants_are_asked_only_where_they_may_serve),
        ROW(revocation_during_a_vend_wins),
        ROW(reads_every_marker_that_could_apply),
        ROW(row_is_corrected),
        ROW(random_failure_denies),
        ROW(attack_22_role_arn_is_no_profile),
        ROW(required_device_denies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
