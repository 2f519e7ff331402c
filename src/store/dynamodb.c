/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store/dynamodb.c - the session store on DynamoDB.
 *
 * Rows are items under their id. Helper items have ids with '#' and no attribute that is a key of an index, so no list
 * shows them: "proof#<signature>", "block#...", and "short#<6 characters>", the set of the ids that begin so.
 */
#include "store/dynamodb.h"

#include <string.h>

#include "base/alloc.h"
#include "core/session/seal.h"
#include "store/dynamodb_item.h"

enum {
    SHORT_LEN = 6,
    BATCH_TRIES = 5,
    BATCH_WAIT_MS = 50,
    TABLE_NAME_MAX = 255,
    TABLE_NAME_MIN = 3,
    PROBE_KEPT_S = 3600
};

struct sn_dynamodb_store {
    struct sn_dynamodb_store_options options;
    char session_table[TABLE_NAME_MAX + 1];
};

enum sn_status sn_dynamodb_store_new(
    const struct sn_dynamodb_store_options *options, struct sn_dynamodb_store **out_store, struct sn_error *err)
{
    struct sn_slice name = sn_slice_str(options->session_table);

    if (name.len < TABLE_NAME_MIN || name.len > TABLE_NAME_MAX || !sn_slice_is_alnum_or(name, "_.-")) {
        return sn_fail(err, SN_INVALID, "INVALID_TABLE", "'%.*s' is no name of a DynamoDB table", SN_PRI(name));
    }
    struct sn_dynamodb_store *store = sn_alloc(1, sizeof(*store));
    store->options = *options;
    memcpy(store->session_table, name.ptr, name.len);
    *out_store = store;
    return SN_OK;
}

void sn_dynamodb_store_free(struct sn_dynamodb_store *store)
{
    sn_free(store);
}

/* --- Failures --- */

/* What the client said, as the pipeline knows it. Conflicts are for the caller. */
static enum sn_status unavailable(struct sn_error *err)
{
    static const struct {
        const char *code, *cause;
    } rows[] = {
        {"DYNAMODB_TABLE_NOT_FOUND", "table_not_found"},
        {"DYNAMODB_ACCESS_DENIED", "access_denied"},
        {"DYNAMODB_THROTTLED", "throttled"},
    };
    struct sn_error cause = *err;
    const char *word = "error";

    for (size_t i = 0; i < SN_LEN(rows); i++) {
        word = sn_error_is(&cause, rows[i].code) ? rows[i].cause : word;
    }
    (void)sn_fail(err, SN_UNAVAILABLE, "SESSION_UNAVAILABLE", "the session table cannot be used: %s", cause.message);
    if (cause.suggestion[0] != '\0') {
        (void)sn_suggest(err, "%s", cause.suggestion);
    }
    return sn_error_detail(err, "cause", "%s", word);
}

static enum sn_status malformed(struct sn_error *err, const char *action)
{
    (void)sn_fail(err, SN_PROTOCOL, "DYNAMODB_ERROR", "the answer of %s does not have its form", action);
    return unavailable(err);
}

/* --- Parts of requests --- */

static void put_key(struct sn_json_writer *w, struct sn_slice id)
{
    sn_json_key(w, "Key");
    sn_json_begin_object(w);
    sn_dynamodb_put(w, "id", SN_DYNAMODB_S, id);
    sn_json_end_object(w);
}

static void begin_part(struct sn_json_writer *w, const char *action, const char *table)
{
    sn_json_begin_object(w);
    sn_json_key(w, action);
    sn_json_begin_object(w);
    sn_json_member_str(w, "TableName", table);
}

static void end_part(struct sn_json_writer *w)
{
    sn_json_end_object(w);
    sn_json_end_object(w);
}

static void put_int_value(struct sn_json_writer *w, const char *name, int64_t value)
{
    SN_AUTO(sn_buf_clear) struct sn_buf digits = {0};

    sn_buf_add_int(&digits, value);
    sn_dynamodb_put(w, name, SN_DYNAMODB_N, sn_buf_slice(&digits));
}

/* --- create --- */

static void put_row_part(struct sn_json_writer *w, const struct sn_dynamodb_store *store, const struct sn_session *row)
{
    begin_part(w, "Put", store->session_table);
    sn_json_key(w, "Item");
    sn_item_put(w, sn_session_attributes, row);
    sn_json_member_str(w, "ConditionExpression", "attribute_not_exists(id)");
    end_part(w);
}

static void put_proof_part(
    struct sn_json_writer *w, const struct sn_dynamodb_store *store, const struct sn_spent_proof *proof)
{
    SN_AUTO(sn_buf_clear) struct sn_buf id = {0};
    char seal[SN_SEAL_MAX + 1];

    sn_spent_proof_seal(store->options.keys, proof, &id, seal);
    begin_part(w, "Put", store->session_table);
    sn_json_key(w, "Item");
    sn_json_begin_object(w);
    sn_dynamodb_put(w, "id", SN_DYNAMODB_S, sn_buf_slice(&id));
    put_int_value(w, "ttl", proof->expires_unix_s);
    sn_dynamodb_put(w, "seal", SN_DYNAMODB_S, sn_slice_str(seal));
    sn_json_end_object(w);
    sn_json_member_str(w, "ConditionExpression", "attribute_not_exists(id)");
    end_part(w);
}

/* The index by which a typed beginning of an id is found. */
static void put_short_part(
    struct sn_json_writer *w, const struct sn_dynamodb_store *store, const struct sn_session *row)
{
    SN_AUTO(sn_buf_clear) struct sn_buf id = {0};

    sn_buf_add_str(&id, "short#");
    sn_buf_add(&id, sn_slice_sub(sn_id_slice(&row->id), 0, SHORT_LEN));
    begin_part(w, "Update", store->session_table);
    put_key(w, sn_buf_slice(&id));
    sn_json_member_str(w, "UpdateExpression", "ADD h_ids :id SET #ttl = :ttl");
    sn_json_key(w, "ExpressionAttributeNames");
    sn_json_begin_object(w);
    sn_json_member_str(w, "#ttl", "ttl");
    sn_json_end_object(w);
    sn_json_key(w, "ExpressionAttributeValues");
    sn_json_begin_object(w);
    sn_json_key(w, ":id");
    sn_json_begin_object(w);
    sn_json_key(w, "SS");
    sn_json_begin_array(w);
    sn_json_put_text(w, sn_id_slice(&row->id));
    sn_json_end_array(w);
    sn_json_end_object(w);
    put_int_value(w, ":ttl", row->ttl_unix_s);
    sn_json_end_object(w);
    end_part(w);
}

static void begin_transaction(struct sn_json_writer *w, struct sn_buf *body)
{
    sn_json_writer_init(w, body);
    sn_json_begin_object(w);
    sn_json_key(w, "TransactItems");
    sn_json_begin_array(w);
}

/*
 * Ends the transaction and sends it. Its token makes a further try after a lost answer do nothing twice; each call has
 * its own, so that the same write asked for again is another one.
 */
static enum sn_status send_transaction(struct sn_dynamodb_store *store, struct sn_json_writer *w, struct sn_error *err)
{
    SN_AUTO(sn_json_doc_free_p) struct sn_json_doc *doc = NULL;
    struct sn_id token;

    SN_TRY(sn_id_new(store->options.random_source, &token, err));
    sn_json_end_array(w);
    sn_json_member_str(w, "ClientRequestToken", token.text);
    sn_json_end_object(w);
    SN_TRY(sn_buf_check(w->buf, "the transaction", err));
    return sn_dynamodb_call(store->options.client, "TransactWriteItems", sn_buf_slice(w->buf), &doc, err);
}

static enum sn_status write_create(struct sn_dynamodb_store *store, const struct sn_session *session,
    const struct sn_spent_proof *proof, struct sn_error *err)
{
    SN_AUTO(sn_buf_clear) struct sn_buf body = SN_BUF_INIT(SN_DYNAMODB_ITEM_MAX_BYTES);
    struct sn_json_writer w;

    begin_transaction(&w, &body);
    put_row_part(&w, store, session);
    if (proof != NULL) {
        put_proof_part(&w, store, proof);
    }
    put_short_part(&w, store, session);
    return send_transaction(store, &w, err);
}

static enum sn_status create(
    void *ctx, const struct sn_session *session, const struct sn_spent_proof *proof, struct sn_error *err)
{
    struct sn_dynamodb_store *store = ctx;

    if (write_create(store, session, proof, err) == SN_OK) {
        return SN_OK;
    }
    if (err->status != SN_CONFLICT) {
        return unavailable(err);
    }
    if (proof != NULL && sn_dynamodb_part_failed(err, 1)) { /* says more than the row, which came with it */
        return sn_fail(err, SN_CONFLICT, "PROOF_REPLAYED", "this proof of identity was used before");
    }
    return sn_fail(err, SN_CONFLICT, "ID_TAKEN", "a session with this id exists");
}

/* --- get --- */

static enum sn_status read_row(struct sn_dynamodb_store *store, const struct sn_id *id, struct sn_arena *arena,
    struct sn_session *out_session, struct sn_error *err)
{
    SN_AUTO(sn_json_doc_free_p) struct sn_json_doc *doc = NULL;
    SN_AUTO(sn_buf_clear) struct sn_buf body = {0};
    struct sn_session session = {.rev = 0};
    struct sn_json_writer w;

    sn_json_writer_init(&w, &body);
    sn_json_begin_object(&w);
    sn_json_member_str(&w, "TableName", store->session_table);
    put_key(&w, sn_id_slice(id));
    sn_json_member_bool(&w, "ConsistentRead", true);
    sn_json_end_object(&w);
    if (sn_dynamodb_call(store->options.client, "GetItem", sn_buf_slice(&body), &doc, err) != SN_OK) {
        return unavailable(err);
    }
    const struct sn_json *item = sn_json_get(sn_json_root(doc), "Item");
    if (item == NULL) {
        return sn_fail(err, SN_NOT_FOUND, "SESSION_NOT_FOUND", "there is no session 'ses-%s'", id->text);
    }
    SN_TRY(sn_item_read(item, sn_session_attributes, arena, &session, err));
    if (!sn_slice_eq(sn_id_slice(&session.id), sn_id_slice(id))) {
        return malformed(err, "GetItem");
    }
    *out_session = session;
    return SN_OK;
}

static enum sn_status get(
    void *ctx, const struct sn_id *id, struct sn_arena *arena, struct sn_session *out_session, struct sn_error *err)
{
    return read_row(ctx, id, arena, out_session, err);
}

/* --- update --- */

static enum sn_status write_update(
    struct sn_dynamodb_store *store, const struct sn_session *session, int64_t expected_rev, struct sn_error *err)
{
    SN_AUTO(sn_buf_clear) struct sn_buf body = SN_BUF_INIT(SN_DYNAMODB_ITEM_MAX_BYTES);
    SN_AUTO(sn_buf_clear) struct sn_buf rev = {0};
    struct sn_json_writer w;

    sn_buf_add_int(&rev, expected_rev);
    const struct sn_item_value read_rev = {":read_rev", SN_DYNAMODB_N, sn_buf_slice(&rev)};
    begin_transaction(&w, &body);
    begin_part(&w, "Update", store->session_table);
    put_key(&w, sn_id_slice(&session->id));
    sn_item_put_update(&w, sn_session_attributes, session, &read_rev, 1);
    sn_json_member_str(&w, "ConditionExpression", "attribute_exists(id) AND rev = :read_rev");
    end_part(&w);
    return send_transaction(store, &w, err);
}

static enum sn_status update(void *ctx, const struct sn_session *session, int64_t expected_rev, struct sn_error *err)
{
    SN_AUTO(sn_arena_clear) struct sn_arena arena = {0};
    struct sn_dynamodb_store *store = ctx;
    struct sn_session now;

    if (write_update(store, session, expected_rev, err) == SN_OK) {
        return SN_OK;
    }
    if (err->status != SN_CONFLICT) {
        return unavailable(err);
    }
    SN_TRY(read_row(store, &session->id, &arena, &now, err)); /* gone, or somebody else's */
    return sn_fail(
        err, SN_CONFLICT, "CONCURRENT_MODIFICATION", "session 'ses-%s' was changed by somebody else", session->id.text);
}

/* --- Block markers --- */

/* Ids still to be read, without repetitions, which DynamoDB refuses. */
struct wanted {
    struct sn_slice ids[SN_BLOCK_MARKERS_MAX];
    size_t count;
};

static void want(struct wanted *wanted, struct sn_slice id)
{
    for (size_t i = 0; i < wanted->count; i++) {
        if (sn_slice_eq(wanted->ids[i], id)) {
            return;
        }
    }
    wanted->ids[wanted->count++] = id;
}

static void format_batch(struct sn_buf *body, const struct sn_dynamodb_store *store, const struct wanted *wanted)
{
    struct sn_json_writer w;

    sn_json_writer_init(&w, body);
    sn_json_begin_object(&w);
    sn_json_key(&w, "RequestItems");
    sn_json_begin_object(&w);
    sn_json_key(&w, store->session_table);
    sn_json_begin_object(&w);
    sn_json_key(&w, "Keys");
    sn_json_begin_array(&w);
    for (size_t i = 0; i < wanted->count; i++) {
        sn_json_begin_object(&w);
        sn_dynamodb_put(&w, "id", SN_DYNAMODB_S, wanted->ids[i]);
        sn_json_end_object(&w);
    }
    sn_json_end_array(&w);
    sn_json_member_bool(&w, "ConsistentRead", true);
    sn_json_end_object(&w);
    sn_json_end_object(&w);
    sn_json_end_object(&w);
}

/* What does not read as a marker counts as one in force: it was put there to block somebody. */
static bool item_blocks(const struct sn_dynamodb_store *store, const struct sn_json *item, int64_t now_ms)
{
    SN_AUTO(sn_arena_clear) struct sn_arena arena = {0};
    struct sn_block_marker marker = {.blocked_until_ms = 0};
    struct sn_error ignored;

    return sn_item_read(item, sn_block_marker_attributes, &arena, &marker, &ignored) != SN_OK ||
           sn_block_marker_is_in_force(store->options.keys, &marker, now_ms);
}

/* The keys that the service left out this time; false when the answer is not of its form. */
static bool take_unprocessed(const struct sn_json *root, const char *table, struct wanted *wanted)
{
    const struct sn_json *left = sn_json_get(root, "UnprocessedKeys");
    const struct sn_json *keys = sn_json_get(sn_json_get(left, table), "Keys");
    struct wanted rest = {.count = 0};

    if (left == NULL || sn_json_kind_of(left) != SN_JSON_OBJECT || (keys == NULL) != (sn_json_count(left) == 0)) {
        return false;
    }
    for (size_t i = 0; i < sn_json_count(keys); i++) {
        struct sn_slice id;
        bool is_wanted = false;
        if (!sn_dynamodb_get(sn_json_at(keys, i), "id", SN_DYNAMODB_S, &id)) {
            return false;
        }
        for (size_t k = 0; k < wanted->count; k++) {
            if (sn_slice_eq(wanted->ids[k], id)) {
                want(&rest, wanted->ids[k]); /* the caller's text: the answer's goes away */
                is_wanted = true;
            }
        }
        if (!is_wanted) {
            return false;
        }
    }
    *wanted = rest;
    return true;
}

static enum sn_status read_batch(
    struct sn_dynamodb_store *store, struct wanted *wanted, int64_t now_ms, bool *out_blocked, struct sn_error *err)
{
    SN_AUTO(sn_json_doc_free_p) struct sn_json_doc *doc = NULL;
    SN_AUTO(sn_buf_clear) struct sn_buf body = {0};

    format_batch(&body, store, wanted);
    if (sn_dynamodb_call(store->options.client, "BatchGetItem", sn_buf_slice(&body), &doc, err) != SN_OK) {
        return unavailable(err);
    }
    const struct sn_json *root = sn_json_root(doc);
    const struct sn_json *found = sn_json_get(sn_json_get(root, "Responses"), store->session_table);
    if (!take_unprocessed(root, store->session_table, wanted) ||
        (wanted->count == 0 && (found == NULL || sn_json_kind_of(found) != SN_JSON_ARRAY))) {
        return malformed(err, "BatchGetItem");
    }
    for (size_t i = 0; i < sn_json_count(found); i++) {
        *out_blocked = item_blocks(store, sn_json_at(found, i), now_ms) || *out_blocked;
    }
    return SN_OK;
}

static enum sn_status is_blocked(
    void *ctx, const struct sn_slice *ids, size_t count, int64_t now_ms, bool *out_blocked, struct sn_error *err)
{
    struct sn_dynamodb_store *store = ctx;
    struct wanted wanted = {.count = 0};
    bool blocked = false;

    if (count > SN_BLOCK_MARKERS_MAX) {
        return sn_fail(err, SN_INTERNAL, "TOO_MANY_MARKERS", "more than %d block markers", SN_BLOCK_MARKERS_MAX);
    }
    for (size_t i = 0; i < count; i++) {
        want(&wanted, ids[i]);
    }
    for (int i = 0; wanted.count > 0; i++) {
        if (i == BATCH_TRIES) {
            (void)sn_fail(err, SN_THROTTLED, "DYNAMODB_THROTTLED", "BatchGetItem keeps leaving keys out");
            return unavailable(err);
        }
        if (i > 0) {
            store->options.wait_ms(store->options.wait_ctx, BATCH_WAIT_MS << (i - 1));
        }
        SN_TRY(read_batch(store, &wanted, now_ms, &blocked, err));
    }
    *out_blocked = blocked;
    return SN_OK;
}

static void put_marker_item(struct sn_json_writer *w, const struct sn_block_marker *marker, int64_t ttl_unix_s)
{
    char scratch[SN_ATTRIBUTE_TEXT_MAX];

    sn_json_key(w, "Item");
    sn_json_begin_object(w);
    for (const struct sn_attribute *a = sn_block_marker_attributes; a->name != NULL; a++) {
        if (!sn_attribute_is_absent(a, marker)) {
            sn_dynamodb_put(w, a->name, SN_DYNAMODB_S, sn_attribute_format(a, marker, scratch));
        }
    }
    put_int_value(w, "ttl", ttl_unix_s);
    sn_json_end_object(w);
}

enum sn_status sn_dynamodb_put_block(struct sn_dynamodb_store *store, const struct sn_block_marker *marker,
    int64_t ttl_unix_s, bool is_lift, struct sn_error *err)
{
    SN_AUTO(sn_json_doc_free_p) struct sn_json_doc *doc = NULL;
    SN_AUTO(sn_buf_clear) struct sn_buf body = {0};
    char until[SN_TIME_TEXT_MAX];
    struct sn_json_writer w;

    sn_json_writer_init(&w, &body);
    sn_json_begin_object(&w);
    sn_json_member_str(&w, "TableName", store->session_table);
    put_marker_item(&w, marker, ttl_unix_s);
    if (!is_lift) {
        sn_json_member_str(&w, "ConditionExpression", "attribute_not_exists(id) OR blocked_until <= :until");
        sn_json_key(&w, "ExpressionAttributeValues");
        sn_json_begin_object(&w);
        sn_dynamodb_put(&w, ":until", SN_DYNAMODB_S, sn_time_format_rfc3339_ms(marker->blocked_until_ms, until));
        sn_json_end_object(&w);
    }
    sn_json_end_object(&w);
    if (sn_dynamodb_call(store->options.client, "PutItem", sn_buf_slice(&body), &doc, err) == SN_OK ||
        err->status == SN_CONFLICT) { /* the marker that is there lasts longer */
        return SN_OK;
    }
    return unavailable(err);
}

/* --- ping --- */

static enum sn_status ping(void *ctx, struct sn_error *err)
{
    SN_AUTO(sn_json_doc_free_p) struct sn_json_doc *doc = NULL;
    SN_AUTO(sn_buf_clear) struct sn_buf body = {0};
    struct sn_dynamodb_store *store = ctx;
    struct sn_json_writer w;

    sn_json_writer_init(&w, &body);
    sn_json_begin_object(&w);
    sn_json_member_str(&w, "TableName", store->session_table);
    sn_json_key(&w, "Item");
    sn_json_begin_object(&w);
    sn_dynamodb_put(&w, "id", SN_DYNAMODB_S, SN_S("probe#health"));
    put_int_value(&w, "ttl", sn_clock_unix_s(store->options.clock) + PROBE_KEPT_S);
    sn_json_end_object(&w);
    sn_json_end_object(&w);
    if (sn_dynamodb_call(store->options.client, "PutItem", sn_buf_slice(&body), &doc, err) != SN_OK) {
        return unavailable(err);
    }
    return SN_OK;
}

struct sn_session_store sn_dynamodb_session_store(struct sn_dynamodb_store *store)
{
    return (struct sn_session_store){
        .create = create, .update = update, .get = get, .is_blocked = is_blocked, .ping = ping, .ctx = store};
}
