/* SPDX-License-Identifier: Apache-2.0 */
/*
 * aws/sts.c and aws/sts_request.c over a scripted network: what is sent, how often, and what each answer becomes.
 */
#include "test.h"

#include "aws/sts.h"
#include "aws/sts_request.h"
#include "base/alloc.h"
#include "scripted_transport.h"

#define NS " xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\""
#define IDENTITY                                                                                                       \
    "<GetCallerIdentityResponse" NS "><GetCallerIdentityResult><Arn>arn:aws:iam::123456789012:user/alice</Arn>"        \
    "<UserId>AIDA</UserId><Account>123456789012</Account></GetCallerIdentityResult></GetCallerIdentityResponse>"
#define ASSUMED                                                                                                        \
    "<AssumeRoleResponse" NS "><AssumeRoleResult><Credentials><AccessKeyId>ASIA</AccessKeyId><SecretAccessKey>s"       \
    "</SecretAccessKey><SessionToken>t</SessionToken><Expiration>2030-01-01T00:00:00Z</Expiration></Credentials>"      \
    "<AssumedRoleUser><AssumedRoleId>A:alice-x</AssumedRoleId><Arn>arn:aws:sts::123456789012:assumed-role/Prod/"       \
    "alice-x</Arn></AssumedRoleUser></AssumeRoleResult></AssumeRoleResponse>"
#define FAULT(code) "<ErrorResponse" NS "><Error><Code>" code "</Code><Message>why</Message></Error></ErrorResponse>"

#define ANSWER(http, text)                                                                                             \
    {                                                                                                                  \
        .http_status = (http), .content_type = "text/xml", .body = (text)                                              \
    }
#define BROKEN(error_status, code)                                                                                     \
    {                                                                                                                  \
        .status = (error_status), .error_code = (code)                                                                 \
    }

static enum sn_status static_keys(void *ctx, struct sn_credentials *out, struct sn_error *err)
{
    const int *fails = ctx;

    if (fails != NULL && *fails != 0) {
        return sn_fail(err, SN_NOT_FOUND, "CONFIG_MISSING_CREDENTIALS", "none");
    }
    (void)snprintf(out->access_key_id, sizeof(out->access_key_id), "AKIDEXAMPLE000000000");
    sn_secret_set(&out->secret_access_key, SN_S("CANARY-secret"));
    sn_secret_set(&out->session_token, SN_S("TOKEN"));
    return SN_OK;
}

struct fixture {
    struct script script;
    struct sn_transport transport;
    struct sn_clock clock;
    struct sn_credential_source source;
    int source_fails;
    struct sn_sts *sts;
};

static void setup(struct fixture *f, const struct scripted_reply *replies, size_t count)
{
    struct sn_error err;

    memset(f, 0, sizeof(*f));
    f->script = (struct script){
        .replies = replies, .reply_count = count, .now_ns = 1769940000LL * 1000000000, .mono_ns = 5000000000};
    f->transport = script_transport(&f->script);
    f->clock = script_clock(&f->script);
    f->source = (struct sn_credential_source){.get = static_keys, .ctx = &f->source_fails};
    struct sn_sts_options options = {.endpoint = "https://sts.eu-west-1.amazonaws.com",
        .region = "eu-west-1",
        .source = &f->source,
        .clock = &f->clock,
        .transport = &f->transport};
    assert_ok(sn_sts_new(&options, &f->sts, &err), &err);
}

static void teardown(struct fixture *f)
{
    sn_sts_free(f->sts);
    script_clear(&f->script);
}

static struct sn_assume_role asked(void)
{
    return (struct sn_assume_role){.role_arn = SN_S("arn:aws:iam::123456789012:role/team/Prod"),
        .session_name = SN_S("alice-x"),
        .source_identity = SN_S("sentinel=alice=direct=x"),
        .duration_s = 900};
}

/* What a name may hold cannot become a second parameter; the list is the one of the query protocol. */
static void body_of_assume_role(void **state)
{
    (void)state;
    SN_AUTO(sn_buf_clear) struct sn_buf body = {0};
    const struct sn_slice arns[] = {SN_S("arn:aws:iam::aws:policy/ReadOnlyAccess")};
    const struct sn_slice keys[] = {SN_S("SentinelSessionID"), SN_S("team")};
    const struct sn_slice values[] = {SN_S("0123"), SN_S("a&Action=Evil=1")};
    struct sn_assume_role input = asked();
    struct sn_error err;

    input.external_id = SN_S("x:1");
    input.policy = SN_S("{\"a\":1}");
    input.policy_arns = arns;
    input.policy_arn_count = 1;
    input.tag_keys = keys;
    input.tag_values = values;
    input.tag_count = 2;
    input.transitive_tag_keys = keys;
    input.transitive_tag_count = 1;
    assert_ok(sn_sts_format_assume_role(&input, &body, &err), &err);
    assert_slice_equal(sn_buf_slice(&body),
        "Action=AssumeRole&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A123456789012%3Arole%2Fteam%2FProd"
        "&RoleSessionName=alice-x&DurationSeconds=900&SourceIdentity=sentinel%3Dalice%3Ddirect%3Dx&ExternalId=x%3A1"
        "&Policy=%7B%22a%22%3A1%7D&PolicyArns.member.1.arn=arn%3Aaws%3Aiam%3A%3Aaws%3Apolicy%2FReadOnlyAccess"
        "&Tags.member.1.Key=SentinelSessionID&Tags.member.1.Value=0123&Tags.member.2.Key=team"
        "&Tags.member.2.Value=a%26Action%3DEvil%3D1&TransitiveTagKeys.member.1=SentinelSessionID");
}

/* TVM-02 (ATK-23): what STS would refuse is refused before it is sent, a colon in the source identity among it. */
static void attack_23_limits_of_assume_role(void **state)
{
    (void)state;
    static const struct {
        const char *name, *role, *session, *source, *external, *tag_key, *tag_value;
        int64_t duration;
    } rows[] = {
        {"role name instead of an ARN", "Prod", "ab", "", "", "", "", 900},
        {"session of one character", NULL, "a", "", "", "", "", 900},
        {"session of 65", NULL, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "", "", "", "",
            900},
        {"slash in the session", NULL, "a/b", "", "", "", "", 900},
        {"colon in the source identity", NULL, "ab", "sentinel:alice", "", "", "", 900},
        {"external id of one", NULL, "ab", "", "x", "", "", 900},
        {"blank in the external id", NULL, "ab", "", "x y", "", "", 900},
        {"899 seconds", NULL, "ab", "", "", "", "", 899},
        {"43201 seconds", NULL, "ab", "", "", "", "", 43201},
        {"reserved tag", NULL, "ab", "", "", "AWS:x", "v", 900},
        {"control byte in a tag", NULL, "ab", "", "", "k", "a\nb", 900},
        {"tag that is not UTF-8", NULL, "ab", "", "", "k", "\xff", 900},
    };

    for (size_t i = 0; i < SN_LEN(rows); i++) {
        SN_AUTO(sn_buf_clear) struct sn_buf body = {0};
        const struct sn_slice key = sn_slice_str(rows[i].tag_key);
        const struct sn_slice value = sn_slice_str(rows[i].tag_value);
        struct sn_assume_role input = asked();
        struct sn_error err;

        print_message("# %s\n", rows[i].name);
        input.role_arn = rows[i].role != NULL ? sn_slice_str(rows[i].role) : input.role_arn;
        input.session_name = sn_slice_str(rows[i].session);
        input.source_identity = sn_slice_str(rows[i].source);
        input.external_id = sn_slice_str(rows[i].external);
        input.duration_s = rows[i].duration;
        input.tag_keys = &key;
        input.tag_values = &value;
        input.tag_count = key.len > 0 ? 1 : 0;
        assert_fails(sn_sts_format_assume_role(&input, &body, &err), &err, "STS_INPUT_INVALID");
    }
}

static void list_limits(void **state)
{
    (void)state;
    SN_AUTO(sn_buf_clear) struct sn_buf body = {0};
    SN_AUTO(sn_free_p) char *policy = sn_alloc(2050, 1);
    struct sn_slice many[51];
    const struct sn_slice twice[] = {SN_S("k"), SN_S("K")};
    struct sn_assume_role input = asked();
    struct sn_error err;

    for (size_t i = 0; i < SN_LEN(many); i++) {
        many[i] = SN_S("arn:aws:iam::aws:policy/X");
    }
    input.policy_arns = many;
    input.policy_arn_count = 11;
    assert_fails(sn_sts_format_assume_role(&input, &body, &err), &err, "STS_INPUT_INVALID");
    input = asked();
    input.tag_keys = many;
    input.tag_values = many;
    input.tag_count = 51;
    assert_fails(sn_sts_format_assume_role(&input, &body, &err), &err, "STS_INPUT_INVALID");
    input.tag_keys = twice;
    input.tag_values = twice;
    input.tag_count = 2;
    assert_fails(sn_sts_format_assume_role(&input, &body, &err), &err, "STS_INPUT_INVALID");
    input = asked();
    memset(policy, 'x', 2049);
    input.policy = sn_slice_str(policy);
    assert_fails(sn_sts_format_assume_role(&input, &body, &err), &err, "STS_INPUT_INVALID");
}

static void assume_role_sent(void **state)
{
    (void)state;
    SN_AUTO(sn_assumed_role_clear) struct sn_assumed_role role = {0};
    const struct scripted_reply replies[] = {ANSWER(200, ASSUMED)};
    const struct sn_assume_role input = asked();
    struct fixture f;
    struct sn_error err;

    setup(&f, replies, 1);
    assert_ok(sn_sts_assume_role(f.sts, &input, 0, &role, &err), &err);
    assert_string_equal(role.arn, "arn:aws:sts::123456789012:assumed-role/Prod/alice-x");
    assert_int_equal(f.script.calls, 1);
    const char *sent = sn_buf_str(&f.script.sent[0]);
    assert_non_null(strstr(sent, "POST https://sts.eu-west-1.amazonaws.com/\n"));
    assert_non_null(strstr(sent, "X-Amz-Security-Token: TOKEN\n"));
    assert_non_null(strstr(sent, "Authorization: AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE000000000/20260201/eu-west-1/"
                                 "sts/aws4_request, SignedHeaders=content-type;host;x-amz-date;x-amz-security-token"));
    assert_non_null(strstr(sent, "Accept: text/xml\n"));
    assert_null(strstr(sent, "CANARY"));
    teardown(&f);
}

/* Twice more at most, after 200 and 800 ms, on 5xx, throttling and network faults only. */
static void assume_role_retries(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        struct scripted_reply replies[3];
        size_t calls;
        const char *code; /* NULL: succeeds */
        enum sn_status status;
    } rows[] = {
        {"503 then good", {ANSWER(503, ""), ANSWER(200, ASSUMED)}, 2, NULL, SN_OK},
        {"throttled twice", {ANSWER(400, FAULT("Throttling")), ANSWER(400, FAULT("Throttling")), ANSWER(200, ASSUMED)},
            3, NULL, SN_OK},
        {"cut off, then good", {BROKEN(SN_UNAVAILABLE, "HTTP_CUT"), ANSWER(200, ASSUMED)}, 2, NULL, SN_OK},
        {"always throttled", {ANSWER(429, ""), ANSWER(429, ""), ANSWER(429, "")}, 3, "STS_THROTTLED", SN_THROTTLED},
        {"always 500", {ANSWER(500, "x"), ANSWER(500, "x"), ANSWER(500, "x")}, 3, "STS_UNAVAILABLE", SN_UNAVAILABLE},
        {"never reached",
            {BROKEN(SN_UNAVAILABLE, "HTTP_CONNECT"), BROKEN(SN_UNAVAILABLE, "HTTP_CONNECT"),
                BROKEN(SN_UNAVAILABLE, "HTTP_CONNECT")},
            3, "STS_UNAVAILABLE", SN_UNAVAILABLE},
        {"refused", {ANSWER(403, FAULT("AccessDenied"))}, 1, "STS_REFUSED", SN_DENIED},
        {"too large", {BROKEN(SN_LIMIT, "HTTP_TOO_LARGE")}, 1, "STS_ANSWER_INVALID", SN_PROTOCOL},
        {"HTML refusal", {{.http_status = 403, .content_type = "text/html", .body = "<html/>"}}, 1,
            "STS_ANSWER_INVALID", SN_PROTOCOL},
        {"redirect", {ANSWER(302, "")}, 1, "STS_ANSWER_INVALID", SN_PROTOCOL},
        {"another answer", {ANSWER(200, IDENTITY)}, 1, "STS_ANSWER_INVALID", SN_PROTOCOL},
    };
    static const int waits[] = {200, 800};

    for (size_t i = 0; i < SN_LEN(rows); i++) {
        SN_AUTO(sn_assumed_role_clear) struct sn_assumed_role role = {0};
        const struct sn_assume_role input = asked();
        struct fixture f;
        struct sn_error err;

        print_message("# %s\n", rows[i].name);
        setup(&f, rows[i].replies, SN_LEN(rows[i].replies));
        if (rows[i].code == NULL) {
            assert_ok(sn_sts_assume_role(f.sts, &input, 0, &role, &err), &err);
        } else {
            assert_fails(sn_sts_assume_role(f.sts, &input, 0, &role, &err), &err, rows[i].code);
            assert_int_equal(err.status, rows[i].status);
        }
        assert_int_equal(f.script.calls, rows[i].calls);
        assert_int_equal(f.script.waits, rows[i].calls - 1);
        for (size_t w = 0; w < f.script.waits; w++) {
            assert_int_equal(f.script.waited_ms[w], waits[w]);
        }
        teardown(&f);
    }
}

static void refusal_names_the_code(void **state)
{
    (void)state;
    SN_AUTO(sn_assumed_role_clear) struct sn_assumed_role role = {0};
    const struct scripted_reply replies[] = {ANSWER(403, FAULT("AccessDenied"))};
    const struct sn_assume_role input = asked();
    struct fixture f;
    struct sn_error err;

    setup(&f, replies, 1);
    assert_fails(sn_sts_assume_role(f.sts, &input, 0, &role, &err), &err, "STS_REFUSED");
    assert_string_equal(err.details[0].key, "aws_code");
    assert_string_equal(err.details[0].value, "AccessDenied");
    assert_string_equal(err.message, "STS refused AssumeRole: AccessDenied: why");
    teardown(&f);
}

/* The caller's deadline bounds the tries; each try gets what is left of 10 seconds. */
static void deadlines(void **state)
{
    (void)state;
    SN_AUTO(sn_assumed_role_clear) struct sn_assumed_role role = {0};
    const struct scripted_reply slow[] = {
        {.http_status = 500, .content_type = "text/xml", .body = "", .takes_ms = 4000}};
    const struct sn_assume_role input = asked();
    struct fixture f;
    struct sn_error err;

    setup(&f, slow, 1);
    assert_fails(sn_sts_assume_role(f.sts, &input, 0, &role, &err), &err, "STS_UNAVAILABLE");
    assert_int_equal(f.script.calls, 3);
    assert_int_equal(f.script.timeout_ms[0], 10000);
    assert_int_equal(f.script.timeout_ms[1], 5800);
    assert_int_equal(f.script.timeout_ms[2], 1000);
    teardown(&f);
    setup(&f, slow, 1);
    int64_t deadline = f.script.mono_ns + 4100LL * 1000000;
    assert_fails(sn_sts_assume_role(f.sts, &input, deadline, &role, &err), &err, "STS_UNAVAILABLE");
    assert_int_equal(f.script.calls, 1); /* no time for the wait */
    assert_fails(sn_sts_assume_role(f.sts, &input, 1, &role, &err), &err, "STS_TIMEOUT");
    assert_int_equal(f.script.calls, 1);
    teardown(&f);
}

static void source_fails(void **state)
{
    (void)state;
    const struct scripted_reply replies[] = {ANSWER(200, IDENTITY)};
    struct sn_caller caller = {0};
    struct fixture f;
    struct sn_error err;

    setup(&f, replies, 1);
    assert_ok(sn_sts_get_caller_identity(f.sts, 0, &caller, &err), &err);
    assert_string_equal(caller.arn, "arn:aws:iam::123456789012:user/alice");
    f.source_fails = 1;
    assert_fails(sn_sts_get_caller_identity(f.sts, 0, &caller, &err), &err, "CONFIG_MISSING_CREDENTIALS");
    assert_int_equal(f.script.calls, 1);
    teardown(&f);
}

static struct sn_proof checked_proof(void)
{
    return (struct sn_proof){.access_key_id = SN_S("AKIDEXAMPLE000000000"),
        .date = SN_S("20260201"),
        .region = SN_S("eu-west-1"),
        .amz_date = SN_S("20260201T100000Z"),
        .security_token = SN_S("TOKEN"),
        .audience = SN_S("https://tvm.example.org"),
        .nonce = SN_S("AAECAwQFBgcICQoLDA0ODw"),
        .request_hash = SN_S("5a6320cd235e5b1ff4b2e9d4f8c007246b16d866eade07a199efdfb482d73e7c"),
        .signature_bytes = {0xac}};
}

/* TVM-42 (ATK-01, ATK-03): the request to STS is rebuilt, byte for byte, from constants and checked values. */
static void attack_01_rebuilt_request(void **state)
{
    (void)state;
    const struct scripted_reply replies[] = {ANSWER(200, IDENTITY)};
    const struct sn_proof proof = checked_proof();
    struct sn_caller caller = {0};
    struct fixture f;
    struct sn_error err;

    setup(&f, replies, 1);
    assert_ok(sn_sts_verify_proof(f.sts, &proof, 0, &caller, &err), &err);
    assert_slice_equal(sn_buf_slice(&f.script.sent[0]),
        "POST https://sts.eu-west-1.amazonaws.com/\n"
        "Content-Type: application/x-www-form-urlencoded; charset=utf-8\n"
        "Accept: text/xml\n"
        "X-Amz-Date: 20260201T100000Z\n"
        "X-Amz-Security-Token: TOKEN\n"
        "X-Sentinel-Audience: https://tvm.example.org\n"
        "X-Sentinel-Nonce: AAECAwQFBgcICQoLDA0ODw\n"
        "X-Sentinel-Request: 5a6320cd235e5b1ff4b2e9d4f8c007246b16d866eade07a199efdfb482d73e7c\n"
        "Authorization: AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE000000000/20260201/eu-west-1/sts/aws4_request, "
        "SignedHeaders=content-type;host;x-amz-date;x-amz-security-token;x-sentinel-audience;x-sentinel-nonce;"
        "x-sentinel-request, Signature=ac00000000000000000000000000000000000000000000000000000000000000\n"
        "\nAction=GetCallerIdentity&Version=2011-06-15");
    assert_int_equal(f.script.timeout_ms[0], 5000);
    teardown(&f);
}

static void attack_03_verdicts(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        struct scripted_reply replies[2];
        size_t calls;
        const char *code;
        bool marked_invalid;
    } rows[] = {
        {"good", {ANSWER(200, IDENTITY)}, 1, NULL, false},
        {"503 then good", {ANSWER(503, ""), ANSWER(200, IDENTITY)}, 2, NULL, false},
        {"lost, then good", {BROKEN(SN_UNAVAILABLE, "HTTP_CUT"), ANSWER(200, IDENTITY)}, 2, NULL, false},
        {"expired", {ANSWER(403, FAULT("ExpiredToken"))}, 1, "PROOF_REJECTED", false},
        {"unknown key", {ANSWER(403, FAULT("InvalidClientTokenId"))}, 1, "PROOF_REJECTED", false},
        {"wrong signature", {ANSWER(403, FAULT("SignatureDoesNotMatch"))}, 1, "PROOF_REJECTED", false},
        {"throttled", {ANSWER(400, FAULT("Throttling"))}, 1, "IDENTITY_UNAVAILABLE", false},
        {"429", {ANSWER(429, FAULT("X"))}, 1, "IDENTITY_UNAVAILABLE", false},
        {"two faults of STS", {ANSWER(500, FAULT("X")), ANSWER(500, FAULT("X"))}, 2, "IDENTITY_UNAVAILABLE", false},
        {"slow", {BROKEN(SN_TIMEOUT, "HTTP_TIMEOUT")}, 1, "IDENTITY_UNAVAILABLE", false},
        {"not reached", {BROKEN(SN_UNAVAILABLE, "HTTP_CONNECT"), BROKEN(SN_UNAVAILABLE, "HTTP_CONNECT")}, 2,
            "IDENTITY_UNAVAILABLE", false},
        {"too large", {BROKEN(SN_LIMIT, "HTTP_TOO_LARGE")}, 1, "IDENTITY_UNAVAILABLE", false},
        {"redirect", {ANSWER(302, "")}, 1, "IDENTITY_UNAVAILABLE", false},
        {"HTML 403", {{.http_status = 403, .content_type = "text/html", .body = "<html/>"}}, 1, "IDENTITY_UNAVAILABLE",
            false},
        {"JSON 200", {{.http_status = 200, .content_type = "application/json", .body = "{}"}}, 1,
            "IDENTITY_UNAVAILABLE", true},
        {"another answer", {ANSWER(200, ASSUMED)}, 1, "IDENTITY_UNAVAILABLE", true},
        {"200 with an Error", {ANSWER(200, FAULT("X"))}, 1, "IDENTITY_UNAVAILABLE", true},
    };

    for (size_t i = 0; i < SN_LEN(rows); i++) {
        const struct sn_proof proof = checked_proof();
        struct sn_caller caller = {0};
        struct fixture f;
        struct sn_error err = {0};

        print_message("# %s\n", rows[i].name);
        setup(&f, rows[i].replies, SN_LEN(rows[i].replies));
        if (rows[i].code == NULL) {
            assert_ok(sn_sts_verify_proof(f.sts, &proof, 0, &caller, &err), &err);
            assert_string_equal(caller.account, "123456789012");
        } else {
            assert_fails(sn_sts_verify_proof(f.sts, &proof, 0, &caller, &err), &err, rows[i].code);
            assert_string_equal(caller.arn, "");
            assert_int_equal(
                err.detail_count == 1 && strcmp(err.details[0].key, "answer") == 0, rows[i].marked_invalid);
        }
        assert_int_equal(f.script.calls, rows[i].calls);
        assert_int_equal(f.script.waits, 0);
        teardown(&f);
    }
}

static void bad_options(void **state)
{
    (void)state;
    SN_AUTO(sn_free_p) char *endpoint = sn_alloc(600, 1);
    struct sn_sts_options options = {.endpoint = endpoint, .region = "eu-west-1"};
    struct sn_sts *sts = NULL;
    struct sn_error err;

    memset(endpoint, 'a', 599);
    assert_fails(sn_sts_new(&options, &sts, &err), &err, "INVALID_ENDPOINT");
    assert_null(sts);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(body_of_assume_role),
        cmocka_unit_test(attack_23_limits_of_assume_role),
        cmocka_unit_test(list_limits),
        cmocka_unit_test(assume_role_sent),
        cmocka_unit_test(assume_role_retries),
        cmocka_unit_test(refusal_names_the_code),
        cmocka_unit_test(deadlines),
        cmocka_unit_test(source_fails),
        cmocka_unit_test(attack_01_rebuilt_request),
        cmocka_unit_test(attack_03_verdicts),
        cmocka_unit_test(bad_options),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
