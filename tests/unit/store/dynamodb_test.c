/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tests of store/dynamodb.c and aws/dynamodb.c with a scripted network: what is sent, what is tried again, and what an
 * answer that is none leads to. How it works with a service is shown by tests/integration/test_store_dynamodb.py.
 */
#include "test.h"

#include "json_fixture.h"
#include "store/dynamodb.h"
#include "store_conformance.h"

#define TYPE_10 "application/x-amz-json-1.0"
#define ANSWER_10(http, text)                                                                                          \
    {                                                                                                                  \
        .http_status = (http), .content_type = TYPE_10, .body = (text)                                                 \
    }
#define CANCELLED(reasons)                                                                                             \
    ANSWER_10(400, "{\"__type\":\"com.amazonaws.dynamodb.v20120810#TransactionCanceledException\",\"Message\":\"m\","  \
                   "\"CancellationReasons\":[" reasons "]}")
#define NONE "{\"Code\":\"None\"}"
#define FAILED "{\"Code\":\"ConditionalCheckFailed\"}"
#define CONTENDED "{\"Code\":\"TransactionConflict\"}"

struct fixture {
    struct json_fixture net;
    struct sn_dynamodb *client;
    struct sn_dynamodb_store *store;
    struct sn_session_store sessions;
    struct sn_seal_keys keys;
    char seal[SN_SEAL_MAX + 1];
    struct sn_session row;
    int waits[8];
    size_t wait_count;
};

static void note_wait(void *ctx, int ms)
{
    struct fixture *f = ctx;

    f->waits[f->wait_count++] = ms;
}

static void set_up(struct fixture *f, const struct scripted_reply *replies, size_t count)
{
    unsigned char bytes[32] = {7};
    struct sn_error err;

    memset(f, 0, sizeof(*f));
    json_setup(&f->net, replies, count);
    f->keys.count = 1;
    memcpy(f->keys.keys[0].id, "k1", 3);
    sn_secret_set(&f->keys.keys[0].key, sn_slice_bytes(bytes, sizeof(bytes)));
    assert_ok(sn_dynamodb_new(&f->net.options, &f->client, &err), &err);
    const struct sn_dynamodb_store_options options = {.client = f->client,
        .session_table = "sentinel-sessions",
        .keys = &f->keys,
        .random_source = &f->net.random_source,
        .clock = &f->net.clock,
        .wait_ms = note_wait,
        .wait_ctx = f};
    assert_ok(sn_dynamodb_store_new(&options, &f->store, &err), &err);
    f->sessions = sn_dynamodb_session_store(f->store);
    f->row = store_conformance_session(&f->keys, "4g7kq2m9x0v5c8za", f->seal);
}

static void tear_down(struct fixture *f)
{
    sn_dynamodb_store_free(f->store);
    sn_dynamodb_free(f->client);
    sn_seal_keys_clear(&f->keys);
    script_clear(&f->net.script);
}

static bool sent_has(const struct fixture *f, size_t call, const char *text)
{
    return sn_slice_contains(sn_buf_slice(&f->net.script.sent[call]), sn_slice_str(text));
}

/* The body of a call: behind the empty line. */
static struct sn_slice sent_body(const struct fixture *f, size_t call)
{
    const char *text = sn_buf_str(&f->net.script.sent[call]);
    const char *at = strstr(text, "\n\n");

    assert_non_null(at);
    return sn_slice_str(at + 2);
}

/* One transaction: row, proof and index, with the conditions; signed for DynamoDB. */
static void create_is_one_transaction(void **state)
{
    (void)state;
    static const struct scripted_reply replies[] = {ANSWER_10(200, "{}")};
    const struct sn_spent_proof proof = {.key = {0xab}, .expires_unix_s = 1769940120};
    struct fixture f;
    struct sn_error err;

    set_up(&f, replies, 1);
    assert_ok(f.sessions.create(f.sessions.ctx, &f.row, &proof, &err), &err);
    assert_int_equal(f.net.script.calls, 1);
    assert_true(sent_has(&f, 0, "X-Amz-Target: DynamoDB_20120810.TransactWriteItems\n"));
    assert_true(sent_has(&f, 0, "Content-Type: " TYPE_10 "\n"));
    assert_true(sent_has(&f, 0, "/eu-west-1/dynamodb/aws4_request"));
    assert_true(
        sent_has(&f, 0, "{\"Put\":{\"TableName\":\"sentinel-sessions\",\"Item\":{\"id\":{\"S\":\"4g7kq2m9x0v5c8za\"}"));
    assert_true(sent_has(&f, 0, "\"seal\":{\"S\":\"v1:k1:"));
    assert_true(sent_has(&f, 0, "},\"ConditionExpression\":\"attribute_not_exists(id)\"}},{\"Put\""));
    assert_true(sent_has(&f, 0, "\"id\":{\"S\":\"proof#ab000000"));
    assert_true(sent_has(&f, 0, "\"Key\":{\"id\":{\"S\":\"short#4g7kq2\"}}"));
    assert_true(sent_has(&f, 0, "\"ClientRequestToken\":\""));
    assert_false(sent_has(&f, 0, "device_id"));
    tear_down(&f);
}

/*
 * What may pass is tried again with the very same bytes, so with the same token: a write whose answer was lost is not
 * done twice.
 */
static void tried_again_with_the_same_token(void **state)
{
    (void)state;
    static const struct scripted_reply replies[] = {BROKEN(SN_UNAVAILABLE, "HTTP_RECEIVE"),
        CANCELLED(CONTENDED "," NONE), ANSWER_10(400, "{\"__type\":\"x#ProvisionedThroughputExceededException\"}"),
        ANSWER_10(500, ""), ANSWER_10(200, "{}")};
    struct fixture f;
    struct sn_error err;

    set_up(&f, replies, SN_LEN(replies));
    assert_ok(f.sessions.create(f.sessions.ctx, &f.row, NULL, &err), &err);
    assert_int_equal(f.net.script.calls, 5);
    for (size_t i = 1; i < 5; i++) {
        assert_true(sn_slice_eq(sent_body(&f, i), sent_body(&f, 0)));
    }
    static const int waits[] = {50, 100, 200, 400};
    for (size_t i = 0; i < SN_LEN(waits); i++) {
        assert_int_equal(f.net.script.waited_ms[i], waits[i]);
    }
    tear_down(&f);
}

/* TVM-18, ATK-07: who else was there is told apart, and nothing else counts as written. */
static void refusals(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        struct scripted_reply reply;
        bool has_proof;
        const char *code, *cause;
    } rows[] = {
        {"row", CANCELLED(FAILED "," NONE), false, "ID_TAKEN", NULL},
        {"row and contention", CANCELLED(FAILED "," CONTENDED), false, "ID_TAKEN", NULL},
        {"row beside proof", CANCELLED(FAILED "," FAILED "," NONE), true, "PROOF_REPLAYED", NULL},
        {"row with a fresh proof", CANCELLED(FAILED "," NONE "," NONE), true, "ID_TAKEN", NULL},
        {"proof", CANCELLED(NONE "," FAILED "," NONE), true, "PROOF_REPLAYED", NULL},
        {"token of another write", ANSWER_10(400, "{\"__type\":\"x#IdempotentParameterMismatchException\"}"), false,
            "ID_TAKEN", NULL},
        {"contention alone", CANCELLED(CONTENDED "," NONE), false, "SESSION_UNAVAILABLE", "throttled"},
        {"another reason", CANCELLED("{\"Code\":\"ItemCollectionSizeLimitExceeded\"}," NONE), false,
            "SESSION_UNAVAILABLE", "error"},
        {"no reasons", ANSWER_10(400, "{\"__type\":\"x#TransactionCanceledException\"}"), false, "SESSION_UNAVAILABLE",
            "error"},
        {"no table", ANSWER_10(400, "{\"__type\":\"x#ResourceNotFoundException\"}"), false, "SESSION_UNAVAILABLE",
            "table_not_found"},
        {"no right", ANSWER_10(400, "{\"__type\":\"x#AccessDeniedException\",\"Message\":\"no\"}"), false,
            "SESSION_UNAVAILABLE", "access_denied"},
        {"throttled", ANSWER_10(400, "{\"__type\":\"x#ThrottlingException\"}"), false, "SESSION_UNAVAILABLE",
            "throttled"},
        {"HTML", {.http_status = 200, .content_type = "text/html", .body = "{}"}, false, "SESSION_UNAVAILABLE",
            "error"},
        {"unreachable", BROKEN(SN_UNAVAILABLE, "HTTP_CONNECT"), false, "SESSION_UNAVAILABLE", "error"},
    };
    const struct sn_spent_proof proof = {.key = {1}, .expires_unix_s = 1769940120};
    for (size_t i = 0; i < SN_LEN(rows); i++) {
        struct fixture f;
        struct sn_error err;
        print_message("# %s\n", rows[i].name);
        set_up(&f, &rows[i].reply, 1);
        assert_fails(
            f.sessions.create(f.sessions.ctx, &f.row, rows[i].has_proof ? &proof : NULL, &err), &err, rows[i].code);
        assert_int_equal(err.status, rows[i].cause == NULL ? SN_CONFLICT : SN_UNAVAILABLE);
        if (rows[i].cause == NULL) {
            assert_int_equal(f.net.script.calls, 1); /* an answer is not asked for again */
        }
        assert_string_equal(sn_error_detail_of(&err, "cause"), rows[i].cause == NULL ? "" : rows[i].cause);
        tear_down(&f);
    }
}

static enum sn_status ask(struct fixture *f, size_t count, bool *out_blocked, struct sn_error *err)
{
    static const struct sn_slice ids[] = {
        SN_S_INIT("block#a"), SN_S_INIT("block#b"), SN_S_INIT("block#a"), SN_S_INIT("block#c")};

    return f->sessions.is_blocked(f->sessions.ctx, ids, count, 1769940000000, out_blocked, err);
}

#define LEFT(key) "\"UnprocessedKeys\":{\"sentinel-sessions\":{\"Keys\":[{\"id\":{\"S\":\"" key "\"}}]}}"
#define FOUND(items) "\"Responses\":{\"sentinel-sessions\":[" items "]}"

/* ATK-24: what a batch leaves out is asked for again, alone; no answer counts as unblocked before all keys were read.
 */
static void attack_24_keys_left_out(void **state)
{
    (void)state;
    static const struct scripted_reply replies[] = {ANSWER_10(200, "{" FOUND("") "," LEFT("block#b") "}"),
        ANSWER_10(200, "{\"Responses\":{}," LEFT("block#b") "}"),
        ANSWER_10(200, "{" FOUND("") ",\"UnprocessedKeys\":{}}")};
    struct fixture f;
    struct sn_error err;
    bool is_blocked = true;

    set_up(&f, replies, SN_LEN(replies));
    assert_ok(ask(&f, 4, &is_blocked, &err), &err);
    assert_false(is_blocked);
    assert_int_equal(f.net.script.calls, 3);
    assert_true(sent_has(&f, 0,
        "{\"Keys\":[{\"id\":{\"S\":\"block#a\"}},{\"id\":{\"S\":\"block#b\"}},{\"id\":{\"S\":\"block#c\"}}],"
        "\"ConsistentRead\":true}"));
    assert_true(sent_has(&f, 1, "{\"Keys\":[{\"id\":{\"S\":\"block#b\"}}],\"ConsistentRead\":true}"));
    assert_int_equal(f.wait_count, 2);
    assert_int_equal(f.waits[0], 50);
    assert_int_equal(f.waits[1], 100);
    tear_down(&f);

    set_up(&f, replies, 1); /* for ever */
    assert_fails(ask(&f, 2, &is_blocked, &err), &err, "SESSION_UNAVAILABLE");
    assert_string_equal(sn_error_detail_of(&err, "cause"), "throttled");
    assert_int_equal(f.net.script.calls, 5);
    tear_down(&f);
}

/* ATK-24: an answer that is not of its form never means "not blocked". */
static void attack_24_odd_answers(void **state)
{
    (void)state;
    static const struct {
        const char *body;
        bool is_error;
    } rows[] = {
        {"{}", true},
        {"{" FOUND("") "}", true},
        {"{\"UnprocessedKeys\":{}}", true},
        {"{\"Responses\":{},\"UnprocessedKeys\":{}}", true},
        {"{\"Responses\":{\"other\":[]},\"UnprocessedKeys\":{}}", true},
        {"{\"Responses\":{\"sentinel-sessions\":{}},\"UnprocessedKeys\":{}}", true},
        {"{" FOUND("") ",\"UnprocessedKeys\":[]}", true},
        {"{" FOUND("") ",\"UnprocessedKeys\":{\"other\":{\"Keys\":[]}}}", true},
        {"{" FOUND("") "," LEFT("block#z") "}", true},
        {"{" FOUND("") ",\"UnprocessedKeys\":{\"sentinel-sessions\":{\"Keys\":[{}]}}}", true},
        {"{" FOUND("{}") ",\"UnprocessedKeys\":{}}", false},
        {"{" FOUND("1") ",\"UnprocessedKeys\":{}}", false},
        {"{" FOUND(
             "{\"id\":{\"S\":\"block#a\"},\"blocked_until\":{\"S\":\"2000-01-01T00:00:00.000Z\"}}") ",\"UnprocessedKeys"
                                                                                                    "\":{}}",
            false},
        {"{" FOUND("{\"id\":{\"S\":\"block#a\"},\"blocked_until\":{\"N\":\"1\"}}") ",\"UnprocessedKeys\":{}}", false},
    };
    for (size_t i = 0; i < SN_LEN(rows); i++) {
        const struct scripted_reply reply = ANSWER_10(200, rows[i].body);
        struct fixture f;
        struct sn_error err;
        bool is_blocked = false;
        print_message("# %s\n", rows[i].body);
        set_up(&f, &reply, 1);
        if (rows[i].is_error) {
            assert_fails(ask(&f, 2, &is_blocked, &err), &err, "SESSION_UNAVAILABLE");
        } else {
            assert_ok(ask(&f, 2, &is_blocked, &err), &err);
            assert_true(is_blocked);
        }
        tear_down(&f);
    }
}

/* A row that is not a row is an error, also when it is another one than was asked for. */
static void odd_rows(void **state)
{
    (void)state;
    static const struct {
        const char *body, *code;
    } rows[] = {
        {"{}", "SESSION_NOT_FOUND"},
        {"{\"Item\":{}}", "RECORD_INVALID"},
        {"{\"Item\":7}", "RECORD_INVALID"},
        {"{\"Item\":{\"id\":{\"S\":\"4g7kq2m9x0v5c8za\"},\"rev\":{\"S\":\"1\"}}}", "RECORD_INVALID"},
        {"{\"Item\":{\"id\":{\"S\":\"4g7kq2m9x0v5c8za\",\"N\":\"1\"}}}", "RECORD_INVALID"},
        {"{\"Item\":{\"id\":{\"S\":\"0000000000000000\"},\"rev\":{\"N\":\"1\"},\"vouched\":{\"BOOL\":true},"
         "\"kind\":{\"S\":\"direct\"},\"server_instance_id\":{\"S\":\"0000000000000000\"},\"status\":{\"S\":\"active\"}"
         ","
         "\"request_count\":{\"N\":\"1\"},\"ttl\":{\"N\":\"1\"}}}",
            "SESSION_UNAVAILABLE"},
    };
    for (size_t i = 0; i < SN_LEN(rows); i++) {
        const struct scripted_reply reply = ANSWER_10(200, rows[i].body);
        SN_AUTO(sn_arena_clear) struct sn_arena arena = {0};
        struct fixture f;
        struct sn_session found;
        struct sn_error err;
        print_message("# %s\n", rows[i].body);
        set_up(&f, &reply, 1);
        assert_fails(f.sessions.get(f.sessions.ctx, &f.row.id, &arena, &found, &err), &err, rows[i].code);
        assert_true(sent_has(&f, 0, "\"ConsistentRead\":true"));
        tear_down(&f);
    }
}

/* A value has exactly the type that is asked for. */
static void one_type_a_value(void **state)
{
    (void)state;
    static const struct {
        const char *attribute;
        enum sn_dynamodb_type type;
        const char *text; /* NULL: none */
    } rows[] = {
        {"{\"S\":\"x\"}", SN_DYNAMODB_S, "x"},
        {"{\"N\":\"7\"}", SN_DYNAMODB_N, "7"},
        {"{\"BOOL\":true}", SN_DYNAMODB_BOOL, "true"},
        {"{\"BOOL\":false}", SN_DYNAMODB_BOOL, "false"},
        {"{\"S\":\"x\",\"N\":\"7\"}", SN_DYNAMODB_S, NULL},
        {"{\"S\":7}", SN_DYNAMODB_S, NULL},
        {"{\"N\":7}", SN_DYNAMODB_N, NULL},
        {"{\"N\":\"7\"}", SN_DYNAMODB_S, NULL},
        {"{\"BOOL\":\"true\"}", SN_DYNAMODB_BOOL, NULL},
        {"{}", SN_DYNAMODB_S, NULL},
        {"\"x\"", SN_DYNAMODB_S, NULL},
    };
    for (size_t i = 0; i < SN_LEN(rows); i++) {
        SN_AUTO(sn_json_doc_free_p) struct sn_json_doc *doc = NULL;
        SN_AUTO(sn_buf_clear) struct sn_buf item = {0};
        struct sn_slice text;
        struct sn_error err;
        print_message("# %s\n", rows[i].attribute);
        sn_buf_addf(&item, "{\"a\":%s}", rows[i].attribute);
        assert_ok(sn_json_parse(sn_buf_slice(&item), &sn_json_limits_document, &doc, &err), &err);
        assert_int_equal(sn_dynamodb_get(sn_json_root(doc), "a", rows[i].type, &text), rows[i].text != NULL);
        if (rows[i].text != NULL) {
            assert_slice_equal(text, rows[i].text);
        }
    }
}

/* Names of tables. */
static void table_names(void **state)
{
    (void)state;
    static const char *const bad[] = {"", "ab", "a b", "t/x", "table\n"};
    struct fixture f;
    struct sn_error err;

    for (size_t i = 0; i < SN_LEN(bad); i++) {
        const struct sn_dynamodb_store_options options = {.session_table = bad[i]};
        assert_fails(sn_dynamodb_store_new(&options, &f.store, &err), &err, "INVALID_TABLE");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(create_is_one_transaction),
        cmocka_unit_test(tried_again_with_the_same_token),
        cmocka_unit_test(refusals),
        cmocka_unit_test(attack_24_keys_left_out),
        cmocka_unit_test(attack_24_odd_answers),
        cmocka_unit_test(odd_rows),
        cmocka_unit_test(one_type_a_value),
        cmocka_unit_test(table_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
