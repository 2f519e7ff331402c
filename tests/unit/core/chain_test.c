/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tests of core/audit/verifier.c and streams.c: what passes as a whole log, and what is found in one that is not.
 */
#include "test.h"

#include "audit_log.h"
#include "core/audit/chain.h"
#include "core/audit/verifier.h"

/* Feeds a log in pieces of a given size and compares every count. */
struct expected {
    uint64_t lines, ok, invalid, parse_errors, unsigned_lines, unknown, breaks, anchors;
};

static struct sn_audit_verifier *verify(const struct sn_audit_keys *keys, const char *anchors, bool is_export,
    const struct sn_slice *files, size_t file_count, size_t piece, const struct sn_audit_verify_result **out_result)
{
    struct sn_audit_verifier *v =
        sn_audit_verifier_new(keys, &(struct sn_audit_verify_options){.is_export = is_export});

    if (anchors != NULL) {
        sn_audit_verifier_add_anchors(v, sn_slice_str(anchors));
    }
    for (size_t i = 0; i < file_count; i++) {
        sn_audit_verifier_begin_file(v);
        for (size_t at = 0; at < files[i].len; at += piece) {
            sn_audit_verifier_feed(v, sn_slice_sub(files[i], at, piece));
        }
        sn_audit_verifier_end_file(v);
    }
    *out_result = sn_audit_verifier_finish(v);
    return v;
}

/* AUD-16, AUD-17: the published log passes, in whatever pieces it comes. */
static void published_log_passes(void **state)
{
    (void)state;
    struct sn_audit_keys keys = sn_test_audit_keys();
    const struct sn_slice whole = sn_slice_str(sn_test_published_log);

    for (size_t piece = 1; piece <= 4096; piece = piece * 3 + 1) {
        const struct sn_audit_verify_result *result = NULL;
        SN_UNUSED SN_AUTO(sn_audit_verifier_free_p) struct sn_audit_verifier *v =
            verify(&keys, sn_test_published_anchor, false, &whole, 1, piece, &result);
        SN_AUTO(sn_buf_clear) struct sn_buf anchors = {0};

        assert_int_equal(result->lines, 4);
        assert_int_equal(result->ok, 4);
        assert_int_equal(result->failures, 0);
        assert_int_equal(result->streams, 1);
        sn_audit_verifier_format_anchors(v, INT64_C(1775001601000), &anchors);
        assert_slice_equal(sn_buf_slice(&anchors), sn_test_published_anchor);
    }
    sn_audit_keys_clear(&keys);
}

/* AUD-17, ATK-33: one changed byte anywhere in the log is found, and its line is the first one named. */
static void attack_33_every_changed_byte(void **state)
{
    (void)state;
    struct sn_audit_keys keys = sn_test_audit_keys();
    size_t len = strlen(sn_test_published_log);
    uint64_t line = 1;
    char copy[4096];

    for (size_t at = 0; at < len; at++) {
        const struct sn_audit_verify_result *result = NULL;
        struct sn_slice file = {copy, len};

        memcpy(copy, sn_test_published_log, len);
        if (copy[at] == '\n') {
            line++;
            continue; /* two lines become one: below */
        }
        copy[at] = copy[at] == '0' ? '1' : (char)(copy[at] ^ 1);
        SN_UNUSED SN_AUTO(sn_audit_verifier_free_p) struct sn_audit_verifier *v =
            verify(&keys, NULL, false, &file, 1, len, &result);
        if (result->failures != 1 || result->findings[0].line != line) {
            print_error("byte %zu: %d failures\n", at, (int)result->failures);
            for (size_t i = 0; i < result->finding_count; i++) {
                print_error("line %d: %s\n", (int)result->findings[i].line, result->findings[i].message);
            }
            fail();
        }
        assert_int_equal(result->ok, 3);
    }
    sn_audit_keys_clear(&keys);
}

/* A log of n records in a buffer, with the start of each line. */
struct made {
    struct sn_buf text;
    size_t start[64];
    size_t count;
};

static struct sn_slice made_line(const struct made *made, size_t i)
{
    return sn_slice_sub(sn_buf_slice(&made->text), made->start[i], made->start[i + 1] - made->start[i]);
}

static void make_log(struct made *made, const char *stream, size_t count, const struct sn_audit_position *previous,
    struct sn_audit_position *out_end)
{
    struct sn_test_log log;

    *made = (struct made){.count = count};
    sn_test_log_start(&log, stream, previous);
    for (size_t i = 0; i < count; i++) {
        made->start[i] = log.text.len;
        if (i == 0) {
            sn_test_log_open(&log, previous == NULL ? "new" : "sink_error");
        } else {
            sn_test_log_add(
                &log, "{\"timestamp\":\"2026-03-01T09:00:00.000Z\",\"event\":\"decision\",\"user\":\"bob\"}");
        }
    }
    made->start[count] = log.text.len;
    if (out_end != NULL) {
        *out_end = log.position;
    }
    made->text = log.text;
    log.text = (struct sn_buf){0};
    sn_test_log_clear(&log);
}

/* AUD-17, ATK-33: lines deleted, inserted, swapped, repeated, cut in two, joined, spliced in. */
static void attack_33_lines_moved(void **state)
{
    (void)state;
    struct sn_audit_keys keys = sn_test_audit_keys();
    struct made a;
    struct made b;
    /* Lower-case letters are lines of log A, upper-case ones of log B; '.' an unsigned object, '-' an empty line. */
    static const struct {
        const char *name, *order, *message;
        uint64_t line;
    } rows[] = {
        {"whole", "abcdefgh", NULL, 0},
        {"empty lines", "ab--cdefgh", NULL, 0},
        {"one deleted", "abdefgh", "gap: record 3 missing", 3},
        {"several deleted", "abfgh", "gap: records 3 to 5 missing", 3},
        {"head deleted", "cdefgh", "records before 3 missing", 1},
        {"swapped", "abdcefgh", "gap: record 3 missing", 3},
        {"repeated", "abccdefgh", "repeat: record 3", 4},
        {"repeated later", "abcdefbgh", "repeat: record 2", 7},
        {"unsigned inserted", "abc.defgh", "unsigned", 4},
        {"spliced line", "abcDdefgh", "splice: a record of another stream", 4},
        {"spliced start", "abcAdefgh", "splice: a second stream that follows nothing", 4},
        {"spliced log", "abcdefghABCDEFGH", "splice: a second stream that follows nothing", 9},
        {"other log in front", "ABCDabcdefgh", "splice: a second stream that follows nothing", 5},
        {"only the middle of another", "CDE", "records before 3 missing", 1},
    };

    make_log(&a, "aaaaaaaaaaaaaaaa", 8, NULL, NULL);
    make_log(&b, "bbbbbbbbbbbbbbbb", 8, NULL, NULL);
    for (size_t i = 0; i < SN_LEN(rows); i++) {
        SN_AUTO(sn_buf_clear) struct sn_buf text = {0};
        const struct sn_audit_verify_result *result = NULL;

        for (const char *c = rows[i].order; *c != '\0'; c++) {
            if (*c == '.') {
                sn_buf_add_str(&text, "{\"event\":\"decision\"}\n");
            } else if (*c == '-') {
                sn_buf_add_str(&text, "\n");
            } else {
                sn_buf_add(&text, *c >= 'a' ? made_line(&a, (size_t)(*c - 'a')) : made_line(&b, (size_t)(*c - 'A')));
            }
        }
        struct sn_slice file = sn_buf_slice(&text);
        print_message("# %s\n", rows[i].name);
        SN_UNUSED SN_AUTO(sn_audit_verifier_free_p) struct sn_audit_verifier *v =
            verify(&keys, NULL, false, &file, 1, 100, &result);
        if (rows[i].message == NULL) {
            assert_int_equal(result->failures, 0);
            assert_int_equal(result->ok, 8);
        } else {
            assert_true(result->failures > 0);
            assert_int_equal(result->findings[0].line, rows[i].line);
            assert_non_null(strstr(result->findings[0].message, rows[i].message));
        }
    }
    sn_buf_clear(&a.text);
    sn_buf_clear(&b.text);
    sn_audit_keys_clear(&keys);
}

/*
 * AUD-17, ATK-33: two histories of one stream under one key, as a copy of the server's disk would make them. Numbers
 * fit where one goes over into the other; only the signature named by the next record tells.
 */
static void attack_33_forked_stream(void **state)
{
    (void)state;
    struct sn_audit_keys keys = sn_test_audit_keys();
    struct made a;
    struct made b;
    static const struct {
        const char *name, *order, *message;
        uint64_t line;
    } rows[] = {
        {"goes over into the other", "abcdEFGH", "record 5 does not follow the record before it", 5},
        {"both fourth records", "abcdDefgh", "fork: a second record 4 with another signature", 5},
        {"one record exchanged", "abcDefgh", "record 4 does not follow the record before it", 4},
        {"gap as well", "abcFGH", "gap: records 4 to 5 missing", 4},
    };

    make_log(&a, "aaaaaaaaaaaaaaaa", 8, NULL, NULL);
    struct sn_test_log log;
    sn_test_log_start(&log, "aaaaaaaaaaaaaaaa", NULL);
    log.now_ms++; /* enough to sign other bytes from the first record on */
    b = (struct made){.count = 8};
    for (size_t i = 0; i < 8; i++) {
        b.start[i] = log.text.len;
        if (i == 0) {
            sn_test_log_open(&log, "new");
        } else {
            sn_test_log_add(&log, "{\"timestamp\":\"2026-03-01T09:00:00.000Z\",\"event\":\"decision\"}");
        }
    }
    b.start[8] = log.text.len;
    b.text = log.text;
    for (size_t i = 0; i < SN_LEN(rows); i++) {
        for (int is_export = 0; is_export <= (i == 0); is_export++) {
            SN_AUTO(sn_buf_clear) struct sn_buf text = {0};
            const struct sn_audit_verify_result *result = NULL;
            for (const char *c = rows[i].order; *c != '\0'; c++) {
                sn_buf_add(&text, *c >= 'a' ? made_line(&a, (size_t)(*c - 'a')) : made_line(&b, (size_t)(*c - 'A')));
            }
            struct sn_slice file = sn_buf_slice(&text);
            print_message("# %s\n", rows[i].name);
            SN_UNUSED SN_AUTO(sn_audit_verifier_free_p) struct sn_audit_verifier *v =
                verify(&keys, NULL, is_export != 0, &file, 1, 1000, &result);
            assert_true(result->failures > 0);
            assert_int_equal(result->findings[0].line, rows[i].line);
            assert_non_null(strstr(result->findings[0].message, rows[i].message));
        }
    }
    sn_buf_clear(&a.text);
    sn_test_log_clear(&log);
    sn_audit_keys_clear(&keys);
}

/* AUD-17: a stream that follows another says where; anything else than what stands there is a splice or a loss. */
static void new_stream_after_another(void **state)
{
    (void)state;
    struct sn_audit_keys keys = sn_test_audit_keys();
    struct made a;
    struct sn_audit_position end;
    static const struct {
        const char *name;
        int64_t back; /* the new stream follows this many records before the end */
        bool other_signature;
        size_t lines_of_a;
        const char *message;
        uint64_t unacknowledged;
    } rows[] = {
        {"follows the last", 0, false, 8, NULL, 0},
        {"unacknowledged tail", 3, false, 8, NULL, 3},
        {"tail lost", 0, false, 6, "records missing before a new stream", 0},
        {"another record", 0, true, 8, "splice: the new stream follows another record", 0},
        {"another record further back", 2, true, 8, "splice: the new stream follows another record", 0},
        {"nothing before", 0, false, 0, "records missing before a new stream", 0},
    };

    make_log(&a, "aaaaaaaaaaaaaaaa", 8, NULL, &end);
    for (size_t i = 0; i < SN_LEN(rows); i++) {
        SN_AUTO(sn_buf_clear) struct sn_buf text = {0};
        const struct sn_audit_verify_result *result = NULL;
        struct sn_audit_position previous = end;
        struct sn_audit_record record;
        struct sn_error err;
        struct made b;
        struct sn_slice line = made_line(&a, 7 - (size_t)rows[i].back);

        line.len--;
        assert_ok(sn_audit_record_parse(line, &record, &err), &err);
        previous.seq = record.seq;
        memcpy(previous.signature, record.signature.ptr, SN_AUDIT_SIGNATURE_LEN);
        if (rows[i].other_signature) {
            previous.signature[0] = previous.signature[0] == 'a' ? 'b' : 'a';
        }
        make_log(&b, "bbbbbbbbbbbbbbbb", 3, &previous, NULL);
        for (size_t n = 0; n < rows[i].lines_of_a; n++) {
            sn_buf_add(&text, made_line(&a, n));
        }
        sn_buf_add(&text, sn_buf_slice(&b.text));
        struct sn_slice file = sn_buf_slice(&text);
        print_message("# %s\n", rows[i].name);
        SN_UNUSED SN_AUTO(sn_audit_verifier_free_p) struct sn_audit_verifier *v =
            verify(&keys, NULL, false, &file, 1, 1000, &result);
        if (rows[i].message == NULL) {
            assert_int_equal(result->failures, 0);
            assert_int_equal(result->streams, 2);
            assert_int_equal(result->unacknowledged, rows[i].unacknowledged);
        } else {
            assert_int_equal(result->failures, 1);
            assert_int_equal(result->findings[0].line, rows[i].lines_of_a + 1);
            assert_non_null(strstr(result->findings[0].message, rows[i].message));
        }
        sn_buf_clear(&b.text);
    }
    sn_buf_clear(&a.text);
    sn_audit_keys_clear(&keys);
}

/* AUD-18, ATK-33: what an anchor sees. */
static void attack_33_anchors(void **state)
{
    (void)state;
    struct sn_audit_keys keys = sn_test_audit_keys();
    struct made a;
    static const struct {
        const char *name;
        size_t from, to;    /* lines of the log */
        int64_t seq;        /* anchored record; 0: no anchor */
        const char *stream; /* NULL: that of the log */
        bool other_signature, bad_line;
        const char *message;
    } rows[] = {
        {"at the end", 0, 8, 8, NULL, false, false, NULL},
        {"inside", 0, 8, 3, NULL, false, false, NULL},
        {"tail cut", 0, 3, 8, NULL, false, false, "tail missing: the anchor names record 8, the log ends at 3"},
        {"differs", 0, 8, 5, NULL, true, false, "record 5 differs from anchor"},
        {"start vouched for", 3, 8, 3, NULL, false, false, NULL},
        {"start vouched for wrongly", 3, 8, 3, NULL, true, false, "records before 4 missing"},
        {"start not vouched for", 3, 8, 2, NULL, false, false, "records before 4 missing"},
        {"other stream", 0, 8, 8, "cccccccccccccccc", false, false, "stream missing"},
        {"bad anchor", 0, 8, 8, NULL, false, true, "the signature of the anchor is wrong"},
    };

    make_log(&a, "aaaaaaaaaaaaaaaa", 8, NULL, NULL);
    for (size_t i = 0; i < SN_LEN(rows); i++) {
        const struct sn_audit_verify_result *result = NULL;
        SN_AUTO(sn_buf_clear) struct sn_buf anchor = {0};
        struct sn_audit_position position = {.seq = rows[i].seq};
        struct sn_audit_record record;
        struct sn_error err;
        struct sn_slice line = made_line(&a, (size_t)rows[i].seq - 1);
        struct sn_slice file =
            sn_slice_sub(sn_buf_slice(&a.text), a.start[rows[i].from], a.start[rows[i].to] - a.start[rows[i].from]);

        line.len--;
        assert_ok(sn_audit_record_parse(line, &record, &err), &err);
        memcpy(position.stream, rows[i].stream != NULL ? rows[i].stream : "aaaaaaaaaaaaaaaa", SN_ID_LEN);
        memcpy(position.signature, record.signature.ptr, SN_AUDIT_SIGNATURE_LEN);
        if (rows[i].other_signature) {
            position.signature[5] = position.signature[5] == 'a' ? 'b' : 'a';
        }
        sn_audit_anchor_append(&anchor, &position, &keys.keys[0], INT64_C(1775001601000));
        if (rows[i].bad_line) {
            anchor.ptr[40] = anchor.ptr[40] == '8' ? '9' : anchor.ptr[40];
            anchor.ptr[anchor.len - 10] = anchor.ptr[anchor.len - 10] == 'a' ? 'b' : 'a';
        }
        print_message("# %s\n", rows[i].name);
        SN_UNUSED SN_AUTO(sn_audit_verifier_free_p) struct sn_audit_verifier *v =
            verify(&keys, sn_buf_str(&anchor), false, &file, 1, 1000, &result);
        if (rows[i].message == NULL) {
            assert_int_equal(result->failures, 0);
            SN_AUTO(sn_buf_clear) struct sn_buf again = {0};
            sn_audit_verifier_format_anchors(v, INT64_C(1775001602000), &again);
            const struct sn_audit_verify_result *second = NULL;
            SN_UNUSED SN_AUTO(sn_audit_verifier_free_p) struct sn_audit_verifier *w =
                verify(&keys, sn_buf_str(&again), false, &file, 1, 1000, &second);
            assert_int_equal(second->failures, 0);
        } else {
            assert_true(result->failures >= 1);
            assert_non_null(strstr(result->findings[0].message, rows[i].message));
        }
    }
    sn_buf_clear(&a.text);
    sn_audit_keys_clear(&keys);
}

/* AUD-17: three files in order are one log; without the middle one it is none, and the file of the break is told. */
static void rotated_files(void **state)
{
    (void)state;
    struct sn_audit_keys keys = sn_test_audit_keys();
    struct made a;

    make_log(&a, "aaaaaaaaaaaaaaaa", 9, NULL, NULL);
    const struct sn_slice files[] = {sn_slice_sub(sn_buf_slice(&a.text), 0, a.start[3]),
        sn_slice_sub(sn_buf_slice(&a.text), a.start[3], a.start[6] - a.start[3]),
        sn_slice_sub(sn_buf_slice(&a.text), a.start[6], a.start[9] - a.start[6])};
    const struct sn_slice without_middle[] = {files[0], files[2]};
    const struct sn_audit_verify_result *result = NULL;

    struct sn_audit_verifier *v = verify(&keys, NULL, false, files, 3, 77, &result);
    assert_int_equal(result->failures, 0);
    assert_int_equal(result->ok, 9);
    sn_audit_verifier_free(v);
    v = verify(&keys, NULL, false, without_middle, 2, 77, &result);
    assert_int_equal(result->failures, 1);
    assert_int_equal(result->findings[0].file, 1);
    assert_int_equal(result->findings[0].line, 1);
    sn_audit_verifier_free(v);
    sn_buf_clear(&a.text);
    sn_audit_keys_clear(&keys);
}

/* AUD-17, ATK-33: with another key of the same id every line is invalid; with another id every key is unknown. */
static void attack_33_wrong_key(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t invalid, unknown;
    } rows[] = {
        {"k1:2122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f40\n"
         "k2:2122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f40\n",
            4, 0},
        {"k9:000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n", 0, 4},
        {"k1:000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n", 0, 1},
    };
    const struct sn_slice whole = sn_slice_str(sn_test_published_log);

    for (size_t i = 0; i < SN_LEN(rows); i++) {
        struct sn_audit_keys keys = {.count = 0};
        struct sn_error err;
        const struct sn_audit_verify_result *result = NULL;
        assert_ok(sn_audit_keys_parse(sn_slice_str(rows[i].text), "default", &keys, &err), &err);
        struct sn_audit_verifier *v = verify(&keys, NULL, false, &whole, 1, 1000, &result);
        assert_int_equal(result->invalid_signatures, rows[i].invalid);
        assert_int_equal(result->unknown_keys, rows[i].unknown);
        assert_int_equal(result->failures, rows[i].invalid + rows[i].unknown);
        sn_audit_verifier_free(v);
        sn_audit_keys_clear(&keys);
    }
}

/* AUD-20: a line of 1 MiB is handled, one past 4 MiB is a parse error and the lines after it are read. */
static void long_lines(void **state)
{
    (void)state;
    struct sn_audit_keys keys = sn_test_audit_keys();
    SN_AUTO(sn_buf_clear) struct sn_buf text = {0};
    const struct sn_audit_verify_result *result = NULL;
    struct sn_test_log log;

    sn_test_log_start(&log, "aaaaaaaaaaaaaaaa", NULL);
    sn_test_log_open(&log, "new");
    sn_buf_add(&text, sn_buf_slice(&log.text));
    for (size_t i = 0; i < 1024 * 1024; i++) {
        sn_buf_add_byte(&text, 'x');
    }
    sn_buf_add_byte(&text, '\n');
    for (size_t i = 0; i < 5 * 1024 * 1024; i++) {
        sn_buf_add_byte(&text, 'y');
    }
    sn_buf_add_byte(&text, '\n');
    sn_buf_reset(&log.text);
    sn_test_log_add(&log, "{\"event\":\"x\"}");
    sn_buf_add(&text, sn_buf_slice(&log.text));
    struct sn_slice file = sn_buf_slice(&text);
    struct sn_audit_verifier *v = verify(&keys, NULL, false, &file, 1, 65536, &result);
    assert_int_equal(result->lines, 4);
    assert_int_equal(result->ok, 2);
    assert_int_equal(result->parse_errors, 2);
    assert_int_equal(result->failures, 2);
    assert_int_equal(result->findings[0].line, 2);
    assert_non_null(strstr(result->findings[1].message, "longer than 4 MiB"));
    sn_audit_verifier_free(v);
    sn_test_log_clear(&log);
    sn_audit_keys_clear(&keys);
}

/* CR LF ends, and a last line without end. */
static void line_ends(void **state)
{
    (void)state;
    struct sn_audit_keys keys = sn_test_audit_keys();
    SN_AUTO(sn_buf_clear) struct sn_buf text = {0};
    const struct sn_audit_verify_result *result = NULL;

    for (const char *c = sn_test_published_log; *c != '\0'; c++) {
        if (*c == '\n') {
            sn_buf_add_byte(&text, '\r');
        }
        sn_buf_add_byte(&text, *c);
    }
    struct sn_slice file = sn_slice_sub(sn_buf_slice(&text), 0, text.len - 2);
    struct sn_audit_verifier *v = verify(&keys, NULL, false, &file, 1, 10, &result);
    assert_int_equal(result->failures, 0);
    assert_int_equal(result->ok, 4);
    sn_audit_verifier_free(v);
    sn_audit_keys_clear(&keys);
}

/* An export: streams interleave, records come early, late and twice; everything else stays a failure. */
static void exports(void **state)
{
    (void)state;
    struct sn_audit_keys keys = sn_test_audit_keys();
    struct made a;
    struct made b;
    static const struct {
        const char *name, *order, *message;
        uint64_t duplicates, streams;
    } rows[] = {
        {"interleaved", "aAbBcCdDeEfFgGhH", NULL, 0, 2},
        {"out of order", "baDCdcBAhgfeHGFE", NULL, 0, 2},
        {"repeats", "aabbcdefghA", NULL, 2, 2},
        {"repeat of a pending record", "accbdefgh", NULL, 1, 1},
        {"gap", "abcefgh", "gap: records 4 to 4 missing", 0, 1},
        {"head missing", "bcdefgh", "records before 2 missing", 0, 1},
        {"unsigned", "abc.defgh", "unsigned", 0, 1},
    };

    make_log(&a, "aaaaaaaaaaaaaaaa", 8, NULL, NULL);
    make_log(&b, "bbbbbbbbbbbbbbbb", 8, NULL, NULL);
    for (size_t i = 0; i < SN_LEN(rows); i++) {
        SN_AUTO(sn_buf_clear) struct sn_buf text = {0};
        const struct sn_audit_verify_result *result = NULL;
        for (const char *c = rows[i].order; *c != '\0'; c++) {
            if (*c == '.') {
                sn_buf_add_str(&text, "{\"event\":\"decision\"}\n");
            } else {
                sn_buf_add(&text, *c >= 'a' ? made_line(&a, (size_t)(*c - 'a')) : made_line(&b, (size_t)(*c - 'A')));
            }
        }
        struct sn_slice file = sn_buf_slice(&text);
        print_message("# %s\n", rows[i].name);
        SN_UNUSED SN_AUTO(sn_audit_verifier_free_p) struct sn_audit_verifier *v =
            verify(&keys, NULL, true, &file, 1, 1000, &result);
        assert_int_equal(result->failures, rows[i].message == NULL ? 0 : 1);
        assert_int_equal(result->duplicates, rows[i].duplicates);
        assert_int_equal(result->streams, rows[i].streams);
        if (rows[i].message != NULL) {
            assert_non_null(strstr(result->findings[0].message, rows[i].message));
        }
    }
    sn_buf_clear(&a.text);
    sn_buf_clear(&b.text);
    sn_audit_keys_clear(&keys);
}

/* The first findings of the log are kept, all are counted. */
static void findings_are_bounded(void **state)
{
    (void)state;
    struct sn_audit_keys keys = sn_test_audit_keys();
    SN_AUTO(sn_buf_clear) struct sn_buf text = {0};
    const struct sn_audit_verify_result *result = NULL;

    for (int i = 0; i < 500; i++) {
        sn_buf_addf(&text, "junk %d\n", i);
    }
    struct sn_slice file = sn_buf_slice(&text);
    struct sn_audit_verifier *v = verify(&keys, NULL, false, &file, 1, 1000, &result);
    assert_int_equal(result->parse_errors, 500);
    assert_int_equal(result->failures, 500);
    assert_int_equal(result->finding_count, 10);
    for (size_t i = 0; i < 10; i++) {
        assert_int_equal(result->findings[i].line, i + 1);
    }
    sn_audit_verifier_free(v);
    sn_audit_keys_clear(&keys);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_log_passes),
        cmocka_unit_test(attack_33_every_changed_byte),
        cmocka_unit_test(attack_33_lines_moved),
        cmocka_unit_test(attack_33_forked_stream),
        cmocka_unit_test(new_stream_after_another),
        cmocka_unit_test(attack_33_anchors),
        cmocka_unit_test(rotated_files),
        cmocka_unit_test(attack_33_wrong_key),
        cmocka_unit_test(long_lines),
        cmocka_unit_test(line_ends),
        cmocka_unit_test(exports),
        cmocka_unit_test(findings_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
