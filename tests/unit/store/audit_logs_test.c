/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tests of store/audit_logs.c and aws/logs.c with a scripted network. With a service: tests/integration.
 */
#include "test.h"

#include "core/audit/verifier.h"
#include "json_fixture.h"
#include "store/audit_logs.h"

#define OK_ANSWER ANSWER(200, "{\"nextSequenceToken\":\"1\"}")
#define LOST BROKEN(SN_UNAVAILABLE, "HTTP_RECEIVE")
#define SLOW BROKEN(SN_TIMEOUT, "HTTP_TIMEOUT")
#define HTML                                                                                                           \
    {                                                                                                                  \
        .http_status = 200, .content_type = "text/html", .body = "<p>"                                                 \
    }
#define ENTRY(n) SN_S("{\"event\":\"test.entry\",\"n\":" n "}")

struct fixture {
    struct json_fixture net;
    struct sn_logs *logs;
    struct sn_audit_keys keys;
    struct sn_audit_logs *log;
    struct sn_audit_sink sink;
    struct sn_random random_source;
    unsigned char next_byte;
    int told;
};

static enum sn_status counting_bytes(void *ctx, void *bytes, size_t len, struct sn_error *err)
{
    struct fixture *f = ctx;

    (void)err;
    memset(bytes, f->next_byte++, len);
    return SN_OK;
}

static void count_told(void *ctx, enum sn_log_level level, const char *event, const char *message)
{
    struct fixture *f = ctx;

    assert_int_equal(level, SN_LOG_ERROR);
    assert_string_equal(event, "audit.write_failed");
    assert_null(strstr(message, "CANARY"));
    f->told++;
}

static void set_up(struct fixture *f, const struct scripted_reply *replies, size_t count)
{
    struct sn_error err;

    memset(f, 0, sizeof(*f));
    json_setup(&f->net, replies, count);
    f->random_source = (struct sn_random){counting_bytes, f};
    assert_ok(sn_audit_keys_parse(
                  SN_S("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"), "k1", &f->keys, &err),
        &err);
    assert_ok(sn_logs_new(&f->net.options, &f->logs, &err), &err);
    const struct sn_audit_logs_options options = {.logs = f->logs,
        .group = "/sentinel/audit",
        .stream = "tvm",
        .keys = &f->keys,
        .clock = &f->net.clock,
        .random_source = &f->random_source,
        .instance = {"c4q9e2h7m1x5s8z3"},
        .version = "0.1.0",
        .notify = count_told,
        .notify_ctx = f};
    assert_ok(sn_audit_logs_new(&options, &f->log, &err), &err);
    f->sink = sn_audit_logs_sink(f->log);
}

static void tear_down(struct fixture *f)
{
    sn_audit_logs_free(f->log);
    sn_logs_free(f->logs);
    sn_audit_keys_clear(&f->keys);
    script_clear(&f->net.script);
}

static void must_append(struct fixture *f, struct sn_slice entry)
{
    struct sn_error err;

    assert_ok(f->sink.append(f->sink.ctx, entry, SN_S("req1"), 5000, &err), &err);
    assert_true(f->sink.is_healthy(f->sink.ctx));
}

static void must_fail(struct fixture *f, struct sn_slice entry, const char *request_id)
{
    struct sn_error err;

    assert_fails(f->sink.append(f->sink.ctx, entry, sn_slice_str(request_id), 5000, &err), &err, "AUDIT_UNAVAILABLE");
    assert_int_equal(err.status, SN_UNAVAILABLE);
    assert_false(f->sink.is_healthy(f->sink.ctx));
}

/* The messages that a call carried, one a line, appended to lines. */
static void add_messages(const struct fixture *f, size_t call, struct sn_buf *lines)
{
    SN_AUTO(sn_json_doc_free_p) struct sn_json_doc *doc = NULL;
    const char *body = strstr(sn_buf_str(&f->net.script.sent[call]), "\n\n");
    struct sn_error err;

    assert_non_null(body);
    assert_ok(sn_json_parse(sn_slice_str(body + 2), &sn_json_limits_document, &doc, &err), &err);
    const struct sn_json *events = sn_json_get(sn_json_root(doc), "logEvents");
    int64_t last = 0;
    for (size_t i = 0; i < sn_json_count(events); i++) {
        const struct sn_json *event = sn_json_at(events, i);
        int64_t time = sn_json_int(sn_json_get(event, "timestamp"), 0);
        assert_true(time >= last);
        last = time;
        sn_buf_add(lines, sn_json_text(sn_json_get(event, "message")));
        sn_buf_add_byte(lines, '\n');
    }
}

/* The verified records of a log that must be whole. */
static uint64_t verify(const struct fixture *f, struct sn_slice lines)
{
    const struct sn_audit_verify_options options = {.is_export = true};
    struct sn_audit_verifier *verifier = sn_audit_verifier_new(&f->keys, &options);

    sn_audit_verifier_begin_file(verifier);
    sn_audit_verifier_feed(verifier, lines);
    sn_audit_verifier_end_file(verifier);
    const struct sn_audit_verify_result *result = sn_audit_verifier_finish(verifier);
    if (result->failures != 0) {
        print_error("%s\n%.*s\n", result->findings[0].message, SN_PRI(lines));
    }
    assert_int_equal(result->failures, 0);
    uint64_t ok = result->ok;
    sn_audit_verifier_free(verifier);
    return ok;
}

static bool sent_has(const struct fixture *f, size_t call, const char *text)
{
    return sn_slice_contains(sn_buf_slice(&f->net.script.sent[call]), sn_slice_str(text));
}

/* AUD-22: the first call carries the start and the first entry; the records are one chain, and the verifier agrees. */
static void records_are_a_chain(void **state)
{
    (void)state;
    static const struct scripted_reply replies[] = {OK_ANSWER};
    SN_AUTO(sn_buf_clear) struct sn_buf lines = {0};
    struct fixture f;

    set_up(&f, replies, 1);
    must_append(&f, ENTRY("1"));
    must_append(&f, ENTRY("2"));
    assert_int_equal(f.net.script.calls, 2);
    assert_true(sent_has(&f, 0, "X-Amz-Target: Logs_20140328.PutLogEvents\n"));
    assert_true(sent_has(&f, 0, "\"logGroupName\":\"/sentinel/audit\",\"logStreamName\":\"tvm\""));
    assert_false(sent_has(&f, 0, "sequenceToken"));
    add_messages(&f, 0, &lines);
    add_messages(&f, 1, &lines);
    assert_true(sn_slice_contains(sn_buf_slice(&lines), SN_S("\"event\":\"audit.opened\"")));
    assert_true(sn_slice_contains(sn_buf_slice(&lines), SN_S("\"reason\":\"new\"")));
    assert_int_equal(verify(&f, sn_buf_slice(&lines)), 3);
    tear_down(&f);
}

/* A missing stream is made once, and the same bytes are sent again. */
static void a_missing_stream_is_made(void **state)
{
    (void)state;
    static const struct scripted_reply replies[] = {
        FAULT(400, "ResourceNotFoundException"), ANSWER(200, ""), OK_ANSWER};
    static const struct scripted_reply raced[] = {
        FAULT(400, "ResourceNotFoundException"), FAULT(400, "ResourceAlreadyExistsException"), OK_ANSWER};
    SN_AUTO(sn_buf_clear) struct sn_buf first = {0};
    SN_AUTO(sn_buf_clear) struct sn_buf second = {0};
    struct fixture f;

    set_up(&f, replies, SN_LEN(replies));
    must_append(&f, ENTRY("1"));
    assert_int_equal(f.net.script.calls, 3);
    assert_true(sent_has(&f, 1, "Logs_20140328.CreateLogStream"));
    add_messages(&f, 0, &first);
    add_messages(&f, 2, &second);
    assert_true(sn_slice_eq(sn_buf_slice(&first), sn_buf_slice(&second)));
    tear_down(&f);

    set_up(&f, raced, SN_LEN(raced)); /* another server made it */
    must_append(&f, ENTRY("1"));
    tear_down(&f);
}

/* AUD-22: a failure is the caller's failure; where the service certainly kept nothing the chain goes on as if nothing
 * was. */
static void refused_records_leave_no_gap(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        struct scripted_reply reply;
    } rows[] = {
        {"no right", FAULT(400, "AccessDeniedException")},
        {"throttled", FAULT(400, "ThrottlingException")},
        {"invalid", FAULT(400, "InvalidParameterException")},
    };
    for (size_t i = 0; i < SN_LEN(rows); i++) {
        const struct scripted_reply replies[] = {OK_ANSWER, rows[i].reply, rows[i].reply, rows[i].reply, OK_ANSWER};
        size_t tries = strcmp(rows[i].name, "throttled") == 0 ? 3 : 1;
        SN_AUTO(sn_buf_clear) struct sn_buf lines = {0};
        struct fixture f;
        print_message("# %s\n", rows[i].name);
        set_up(&f, replies, SN_LEN(replies));
        must_append(&f, ENTRY("1"));
        must_fail(&f, ENTRY("2"), "req2");
        assert_int_equal(f.told, 1);
        assert_int_equal(f.net.script.calls, 1 + tries);
        while (f.net.script.calls < 4) {
            must_fail(&f, ENTRY("2"), "req2");
        }
        must_append(&f, ENTRY("3"));
        add_messages(&f, 0, &lines);
        add_messages(&f, 4, &lines);
        assert_int_equal(verify(&f, sn_buf_slice(&lines)), 3);
        assert_false(sn_slice_contains(sn_buf_slice(&lines), SN_S("sink_error")));
        tear_down(&f);
    }
}

/*
 * AUD-22, ATK-33: after a call of unknown effect no number is given twice: a new stream names the last acknowledged
 * record, and the entry whose fate is unknown is told to be undelivered. The log verifies with and without it.
 */
static void attack_33_unknown_effect_begins_a_stream(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        struct scripted_reply tries[3];
    } rows[] = {
        {"lost", {LOST, LOST, LOST}},
        {"slow", {SLOW, SLOW, SLOW}},
        {"5xx", {ANSWER(500, ""), ANSWER(503, ""), ANSWER(500, "")}},
        {"lost, then throttled", {LOST, FAULT(400, "ThrottlingException"), FAULT(400, "ThrottlingException")}},
        {"lost, then refused", {LOST, FAULT(400, "AccessDeniedException"), OK_ANSWER}},
        {"left out", {ANSWER(200, "{\"rejectedLogEventsInfo\":{\"tooOldLogEventEndIndex\":1}}"), OK_ANSWER, OK_ANSWER}},
        {"no answer of the service", {HTML, OK_ANSWER, OK_ANSWER}},
    };
    for (size_t i = 0; i < SN_LEN(rows); i++) {
        const struct scripted_reply replies[] = {
            OK_ANSWER, rows[i].tries[0], rows[i].tries[1], rows[i].tries[2], OK_ANSWER};
        SN_AUTO(sn_buf_clear) struct sn_buf without = {0};
        SN_AUTO(sn_buf_clear) struct sn_buf with = {0};
        struct fixture f;
        print_message("# %s\n", rows[i].name);
        set_up(&f, replies, SN_LEN(replies));
        must_append(&f, ENTRY("1"));
        must_fail(&f, ENTRY("2"), "lost-request");
        size_t next = f.net.script.calls;
        must_append(&f, ENTRY("3"));
        must_append(&f, ENTRY("4"));
        add_messages(&f, 0, &without);
        add_messages(&f, 0, &with);
        add_messages(&f, 1, &with);
        for (size_t call = next; call < next + 2; call++) {
            add_messages(&f, call, &without);
            add_messages(&f, call, &with);
        }
        assert_true(sn_slice_contains(sn_buf_slice(&without), SN_S("\"reason\":\"sink_error\"")));
        assert_true(sn_slice_contains(sn_buf_slice(&without), SN_S("\"previous_seq\":2")));
        assert_true(sn_slice_contains(sn_buf_slice(&without), SN_S("\"request_id\":\"lost-request\"")));
        assert_int_equal(verify(&f, sn_buf_slice(&without)), 6);
        assert_true(verify(&f, sn_buf_slice(&with)) >= 6);
        tear_down(&f);
    }
}

/* AUD-22: whoever has two seconds left waits no longer, however many calls a record takes. */
static void within_the_callers_time(void **state)
{
    (void)state;
    static const struct scripted_reply replies[] = {
        {.http_status = 400,
            .content_type = JSON_TYPE,
            .body = "{\"__type\":\"x#ResourceNotFoundException\"}",
            .takes_ms = 900},
        {.http_status = 200, .content_type = JSON_TYPE, .body = "", .takes_ms = 900},
        {.status = SN_TIMEOUT, .error_code = "HTTP_TIMEOUT", .takes_ms = 200},
    };
    struct fixture f;
    struct sn_error err;

    set_up(&f, replies, SN_LEN(replies));
    int64_t begin_ns = f.net.script.mono_ns;
    assert_fails(f.sink.append(f.sink.ctx, ENTRY("1"), SN_S("req1"), 2000, &err), &err, "AUDIT_UNAVAILABLE");
    assert_int_equal(f.net.script.calls, 3);
    assert_int_equal(f.net.script.timeout_ms[0], 2000);
    assert_int_equal(f.net.script.timeout_ms[1], 1100);
    assert_int_equal(f.net.script.timeout_ms[2], 200);
    assert_true(f.net.script.mono_ns - begin_ns <= INT64_C(2000000000));
    tear_down(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_are_a_chain),
        cmocka_unit_test(a_missing_stream_is_made),
        cmocka_unit_test(refused_records_leave_no_gap),
        cmocka_unit_test(attack_33_unknown_effect_begins_a_stream),
        cmocka_unit_test(within_the_callers_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
