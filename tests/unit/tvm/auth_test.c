/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/unit/tvm/auth_test.c - steps 3 to 5: gateway, proof, ticket, admission, limits.
 */
#include "aws/proof.h"
#include "tvm_fixture.h"

#define AUDIENCE "http://127.0.0.1:8750"

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

/* A proof signed at an instant, for a request; its headers go into the request. */
struct signed_request {
    struct sn_request request;
    struct sn_proof_headers headers;
    char hash[SN_REQUEST_HASH_LEN + 1];
};

static void sign(struct signed_request *s, const char *path, const char *body, int64_t unix_s, const char *nonce)
{
    struct sn_credentials keys = {.access_key_id = "AKIDEXAMPLE000000000"};
    struct sn_error err = {0};
    const char *query = strchr(path, '?') != NULL ? strchr(path, '?') + 1 : "";
    struct sn_slice path_only = {path, strcspn(path, "?")};

    memset(s, 0, sizeof(*s));
    s->request = fx_request(body[0] != '\0' ? "POST" : "GET", path, query, body);
    s->request.path = path_only;
    sn_secret_set(&keys.secret_access_key, SN_S("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"));
    sn_request_hash(s->request.method_text, path_only, s->request.query, s->request.body, s->hash);
    struct sn_proof_input input = {
        .audience = SN_S(AUDIENCE),
        .request_hash = sn_slice_str(s->hash),
        .nonce = sn_slice_str(nonce),
        .region = SN_S("eu-west-1"),
        .sts_authority = SN_S("sts.eu-west-1.amazonaws.com"),
        .unix_s = unix_s,
    };
    assert_ok(sn_proof_make(&input, &keys, &s->headers, &err), &err);
    sn_credentials_clear(&keys);
    const struct {
        const char *name;
        struct sn_buf *value;
    } rows[] = {
        {"Authorization", &s->headers.authorization},
        {"X-Amz-Date", &s->headers.amz_date},
        {"X-Sentinel-Audience", &s->headers.audience},
        {"X-Sentinel-Nonce", &s->headers.nonce},
        {"X-Sentinel-Request", &s->headers.request},
    };
    for (size_t i = 0; i < SN_LEN(rows); i++) {
        if (rows[i].value->len > 0) {
            s->request.headers[s->request.header_count++] =
                (struct sn_header){sn_slice_str(rows[i].name), sn_buf_slice(rows[i].value)};
        }
    }
}

static int send(struct fx *fx, const char *path, const char *body, int64_t off_s, const char *nonce)
{
    struct signed_request s;
    sign(&s, path, body, fx->unix_ms / 1000 + off_s, nonce);
    int status = fx_handle(fx, &s.request);
    sn_proof_headers_clear(&s.headers);
    return status;
}

/* TVM-42, ATK-04: exactly sixty seconds are fine, sixty-one are not, on both sides. */
static void attack_04_clock_edges(void **state)
{
    static const struct {
        int64_t off_s;
        int status;
    } rows[] = {{60, 200}, {-60, 200}, {61, 401}, {-61, 401}};
    struct fx *fx = *state;

    fx_start(fx, false);
    for (size_t i = 0; i < SN_LEN(rows); i++) {
        fx->proof_calls = 0;
        assert_int_equal(send(fx, "/v1/whoami", "", rows[i].off_s, ""), rows[i].status);
        assert_int_equal(fx->proof_calls, rows[i].status == 200);
        if (rows[i].status == 401) {
            assert_code(fx, 401, "PROOF_EXPIRED");
        }
    }
}

/* TVM-43: a proof is spent with the row; on other routes the process remembers it. */
static void attack_04_replay(void **state)
{
    struct fx *fx = *state;

    fx_start(fx, false);
    assert_int_equal(send(fx, "/v1/credentials", "{\"profile\":\"dev\"}", 0, ""), 200);
    assert_true(fx->row_had_proof);
    assert_int_equal(send(fx, "/v1/credentials", "{\"profile\":\"dev\"}", 0, ""), 401);
    assert_code(fx, 401, "PROOF_REPLAYED");
    assert_int_equal(fx->proof_calls, 1);
    assert_int_equal(fx->assume_calls, 1);
    assert_int_equal(send(fx, "/v1/credentials", "{\"profile\":\"dev\"}", 0, "AAECAwQFBgcICQoLDA0ODw"), 200);
    /* Another process on the same store saw it first. */
    fx->create_code = "PROOF_REPLAYED";
    assert_int_equal(send(fx, "/v1/credentials", "{\"profile\":\"dev\"}", 1, ""), 401);
    assert_code(fx, 401, "PROOF_REPLAYED");
    assert_int_equal(fx->assume_calls, 2);
}

/* A proof that STS refused, or could not judge, is not spent. */
static void refused_proofs_are_not_spent(void **state)
{
    struct fx *fx = *state;

    fx_start(fx, false);
    fx->proof_code = "PROOF_REJECTED";
    fx->proof_detail = "ExpiredToken";
    assert_int_equal(send(fx, "/v1/whoami", "", 0, ""), 401);
    assert_code(fx, 401, "PROOF_REJECTED");
    assert_slice_equal(fx_text(fx, "hint"), "your AWS session has ended; log in again");
    fx->proof_code = "IDENTITY_UNAVAILABLE";
    assert_int_equal(send(fx, "/v1/whoami", "", 0, ""), 503);
    fx->proof_code = NULL;
    assert_int_equal(send(fx, "/v1/whoami", "", 0, ""), 200);
}

/* TVM-42, check 9: thirty failures of one network close the way to STS; loopback is exempt. */
static void failing_addresses_are_shut_out(void **state)
{
    struct fx *fx = *state;
    struct signed_request s;

    fx_start(fx, false);
    fx->proof_code = "PROOF_REJECTED";
    for (int i = 0; i < 31; i++) {
        sign(&s, "/v1/whoami", "", fx->unix_ms / 1000 - 30 + i, "");
        s.request.peer = (struct sn_peer){.connection_id = 2, .fd = -1};
        /* Two addresses of one /64 count as one. */
        snprintf(s.request.peer.address, sizeof(s.request.peer.address), "2001:db8::%d", i % 2);
        int status = fx_handle(fx, &s.request);
        sn_proof_headers_clear(&s.headers);
        assert_int_equal(status, i < 30 ? 401 : 429);
    }
    assert_int_equal(fx->proof_calls, 30);
    assert_code(fx, 429, "RATE_LIMITED");
    for (int i = 0; i < 40; i++) {
        assert_int_equal(send(fx, "/v1/whoami", "", -50 + i, ""), 401); /* from loopback */
    }
    fx->mono_ns += INT64_C(61) * 1000000000;
    fx->proof_code = NULL;
    sign(&s, "/v1/whoami", "", fx->unix_ms / 1000 + 50, "");
    s.request.peer = (struct sn_peer){.connection_id = 2, .fd = -1, .address = "2001:db8::9"};
    assert_int_equal(fx_handle(fx, &s.request), 200);
    sn_proof_headers_clear(&s.headers);
}

/* TVM-03: an IAM context means nothing to the standalone server. */
static void standalone_takes_no_context(void **state)
{
    struct fx *fx = *state;

    fx_start(fx, false);
    assert_int_equal(fx_as(fx, FX_ALICE, "GET", "/v1/whoami", "", ""), 401);
    assert_code(fx, 401, "PROOF_REQUIRED");
    assert_string_equal(sn_response_find_header(&fx->response, "WWW-Authenticate"), "Sentinel region=\"eu-west-1\"");
    assert_int_equal(fx->proof_calls + fx->own_calls + fx->blocked_calls, 0);
}

/* TVM-04: admission, by account, root and the operator's list. */
static void admission(void **state)
{
    static const struct {
        const char *setting, *value, *arn;
        int status;
        const char *code;
    } rows[] = {
        {NULL, NULL, FX_ALICE, 200, NULL},
        {NULL, NULL, "arn:aws:iam::111122223333:user/alice", 403, "CALLER_NOT_ALLOWED"},
        {"SENTINEL_ALLOWED_ACCOUNTS", "111122223333", "arn:aws:iam::111122223333:user/alice", 200, NULL},
        {"SENTINEL_ALLOWED_ACCOUNTS", "111122223333", FX_ALICE, 403, "CALLER_NOT_ALLOWED"},
        {NULL, NULL, "arn:aws:iam::" FX_ACCOUNT ":root", 403, "CALLER_NOT_ALLOWED"},
        {"SENTINEL_ALLOW_ROOT", "true", "arn:aws:iam::" FX_ACCOUNT ":root", 200, NULL},
        {"SENTINEL_TRUSTED_CALLERS", "arn:aws:iam::*:user/bob", FX_ALICE, 403, "CALLER_NOT_ALLOWED"},
        {"SENTINEL_TRUSTED_CALLERS", "arn:*", "arn:aws:iam::111122223333:user/alice", 403, "CALLER_NOT_ALLOWED"},
        {NULL, NULL, "arn:aws-cn:iam::" FX_ACCOUNT ":user/alice", 400, "INVALID_IDENTITY"},
        {NULL, NULL, "arn:aws:iam::12345678901a:user/alice", 400, "INVALID_IDENTITY"},
        {NULL, NULL, "arn:aws:iam::" FX_ACCOUNT ":role/Dev", 400, "INVALID_IDENTITY"},
        {NULL, NULL, "arn:aws:iam::" FX_ACCOUNT ":user/al ice", 400, "INVALID_IDENTITY"},
    };

    (void)state;
    for (size_t i = 0; i < SN_LEN(rows); i++) {
        struct fx *fx = sn_alloc(1, sizeof(*fx));
        print_message("# %s\n", rows[i].arn);
        fx_init(fx);
        if (rows[i].setting != NULL) {
            fx_set(fx, rows[i].setting, rows[i].value);
        }
        fx_start(fx, true);
        assert_int_equal(fx_as(fx, rows[i].arn, "GET", "/v1/whoami", "", ""), rows[i].status);
        if (rows[i].code != NULL) {
            assert_code(fx, rows[i].status, rows[i].code);
            assert_false(fx_body_has(fx, "alice"));
        }
        fx_end(fx);
        sn_free(fx);
    }
}

/* TVM-04, ATK-05: entries and vouching as whoami tells them, by the routine that decides. */
static void whoami_tells_how_a_name_is_trusted(void **state)
{
    static const struct {
        const char *arn, *vouched_by, *user_part;
        size_t entries;
    } rows[] = {
        {FX_ALICE, "iam_user", "alice", 2},
        {"arn:aws:sts::" FX_ACCOUNT ":assumed-role/AWSReservedSSO_X_0123456789abcdef/al.ice@corp.com",
            "identity_center", "al.ice@corp.com", 3},
        {"arn:aws:sts::" FX_ACCOUNT ":assumed-role/CI-build/alice", "vouching_role", "alice", 3},
        {"arn:aws:sts::" FX_ACCOUNT ":assumed-role/Dev/alice", "", "Dev-alice+f56aad", 2},
        {"arn:aws:sts::" FX_ACCOUNT ":assumed-role/CI-prod/alice", "", "", 2}, /* a target of the catalogue */
        {"arn:aws:sts::" FX_ACCOUNT ":federated-user/bob", "", "-bob+1fba9c", 1},
    };
    struct fx *fx = *state;

    fx->catalog_text = "version: \"1\"\nprofiles:\n  p: {role_arn: \"arn:aws:iam::" FX_ACCOUNT ":role/x/CI-prod\"}\n";
    fx_set(fx, "SENTINEL_VOUCHING_ROLES", "CI-*");
    fx_start(fx, true);
    for (size_t i = 0; i < SN_LEN(rows); i++) {
        print_message("# %s\n", rows[i].arn);
        assert_int_equal(fx_as(fx, rows[i].arn, "GET", "/v1/whoami", "", ""), 200);
        assert_slice_equal(fx_text(fx, "principal.vouched_by"), rows[i].vouched_by);
        if (rows[i].user_part[0] != '\0') {
            assert_slice_equal(fx_text(fx, "principal.user_part"), rows[i].user_part);
        }
        const struct sn_json *principal = sn_json_get(sn_json_root(fx->doc), "principal");
        assert_int_equal(sn_json_count(sn_json_get(principal, "entries")), rows[i].entries);
    }
    /* Without a catalogue nobody can tell that a role is no target. */
    fx->catalog_code = "CATALOG_EMPTY";
    assert_int_equal(fx_as(fx, rows[2].arn, "GET", "/v1/whoami", "", ""), 200);
    assert_slice_equal(fx_text(fx, "principal.vouched_by"), "");
}

/* TVM-14, ATK-32: a caller's own limit, and the role's over all session names. */
static void attack_32_limits(void **state)
{
    struct fx *fx = *state;
    char arn[128];
    int refused = 0;

    fx_start(fx, true);
    for (int i = 0; i < 101; i++) {
        fx_as(fx, FX_ALICE, "GET", "/v1/whoami", "", "");
    }
    assert_code(fx, 429, "RATE_LIMITED");
    assert_non_null(sn_response_find_header(&fx->response, "Retry-After"));
    assert_int_equal(fx_as(fx, "arn:aws:iam::" FX_ACCOUNT ":user/bob", "GET", "/v1/whoami", "", ""), 200);
    /* The stable id of this fixture is one for all; 102 calls of it are spent. */
    for (int i = 0; i < 2001; i++) {
        snprintf(arn, sizeof(arn), "arn:aws:sts::" FX_ACCOUNT ":assumed-role/Dev/s%d", i);
        refused += fx_as(fx, arn, "GET", "/v1/whoami", "", "") == 429;
    }
    assert_true(refused >= 1);
}

/* The server's own account is asked for once, and not knowing it refuses. */
static void own_identity(void **state)
{
    struct fx *fx = *state;

    fx_start(fx, true);
    fx->own_arn = NULL;
    fx_as(fx, FX_ALICE, "GET", "/v1/whoami", "", "");
    assert_code(fx, 503, "IDENTITY_UNAVAILABLE");
    fx->own_arn = "arn:aws:iam::" FX_ACCOUNT ":user/tvm";
    assert_int_equal(fx_as(fx, FX_ALICE, "GET", "/v1/whoami", "", ""), 200);
    assert_int_equal(fx_as(fx, FX_ALICE, "GET", "/v1/whoami", "", ""), 200);
    assert_int_equal(fx->own_calls, 2);
}

/* Base paths of public URLs, trailing slashes, methods. */
static void routing(void **state)
{
    static const struct {
        const char *method, *path;
        int status;
    } rows[] = {
        {"GET", "/v1/whoami", 200},
        {"GET", "/v1/whoami/", 200},
        {"GET", "/s/v1/whoami", 200},
        {"GET", "/s/v1/whoami/", 200},
        {"GET", "/sv1/whoami", 404},
        {"GET", "/s", 400},
        {"GET", "/s/s/v1/whoami", 404},
        {"POST", "/v1/whoami", 405},
        {"GET", "/v1/credentials", 405},
        {"DELETE", "/", 405},
        {"GET", "/healthz", 404},
        {"GET", "", 400},
        {"GET", "/V1/whoami", 404},
    };
    struct fx *fx = *state;

    fx_start(fx, true);
    for (size_t i = 0; i < SN_LEN(rows); i++) {
        print_message("# %s %s\n", rows[i].method, rows[i].path);
        assert_int_equal(fx_as(fx, FX_ALICE, rows[i].method, rows[i].path, "", ""), rows[i].status);
        if (rows[i].status == 405) {
            assert_non_null(sn_response_find_header(&fx->response, "Allow"));
        }
    }
}

/* TVM-52, explain with a missing device: it must not uncover names either. */
static void attack_34_explain_hides_names(void **state)
{
    struct fx *fx = *state;
    char hidden[1024];

    fx_set(fx, "SENTINEL_REQUIRE_DEVICE", "true");
    fx_start(fx, true);
    fx->policy_text =
        "version: \"1\"\nrules:\n- {name: o, effect: allow, conditions: {profiles: [prod], users: [bob]}}\n"
        "- {name: d, effect: allow, conditions: {profiles: [dev]}}\n";
    fx->random_next = 7;
    fx_as(fx, FX_ALICE, "POST", "/v1/explain", "", "{\"profile\":\"prod\"}");
    assert_code(fx, 404, "UNKNOWN_PROFILE");
    snprintf(hidden, sizeof(hidden), "%s", sn_buf_str(&fx->response.body));
    fx->random_next = 7;
    fx_as(fx, FX_ALICE, "POST", "/v1/explain", "", "{\"profile\":\"grid\"}");
    assert_string_equal(hidden, sn_buf_str(&fx->response.body));
    assert_int_equal(fx_as(fx, FX_ALICE, "POST", "/v1/explain", "", "{\"profile\":\"dev\"}"), 200);
    assert_slice_equal(fx_text(fx, "code"), "DEVICE_REQUIRED");
    assert_int_equal(fx->entry_count, 0);
}

int main(void)
{
#define ROW(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        ROW(attack_04_clock_edges),
        ROW(attack_04_replay),
        ROW(refused_proofs_are_not_spent),
        ROW(failing_addresses_are_shut_out),
        ROW(standalone_takes_no_context),
        ROW(admission),
        ROW(whoami_tells_how_a_name_is_trusted),
        ROW(attack_32_limits),
        ROW(own_identity),
        ROW(routing),
        ROW(attack_34_explain_hides_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
