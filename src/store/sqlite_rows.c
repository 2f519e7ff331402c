/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store/sqlite_rows.c - session rows as columns.
 */
#include <string.h>

#include "base/time.h"
#include "store/sqlite_internal.h"

/* In the order of sn_sqlite_bind_session and sn_sqlite_read_session. */
const char sn_sqlite_columns[] =
    "id, rev, user, account, caller_type, caller_role, caller_arn, vouched, profile, role_arn, kind, grant_id, "
    "source_identity, server_instance_id, status, started_at, last_access_at, expires_at, created_at, updated_at, "
    "keys_expire_at, request_count, device_id, revoked_by, revoked_by_arn, revoked_reason, revoked_at, keys_denied_at, "
    "ttl, seal";

/* Copies the text: a result must not depend on how long its caller keeps memory. */
void sn_sqlite_bind_text(sqlite3_stmt *statement, int index, struct sn_slice text)
{
    int code = text.len == 0 ? sqlite3_bind_null(statement, index)
                             : sqlite3_bind_text64(statement, index, text.ptr, text.len, SQLITE_STATIC, SQLITE_UTF8);

    SN_ASSERT(code == SQLITE_OK);
}

static void bind_int(sqlite3_stmt *statement, int index, int64_t value)
{
    SN_ASSERT(sqlite3_bind_int64(statement, index, value) == SQLITE_OK);
}

void sn_sqlite_bind_time(sqlite3_stmt *statement, int index, int64_t unix_ms)
{
    char text[SN_TIME_TEXT_MAX];

    if (unix_ms == 0) {
        SN_ASSERT(sqlite3_bind_null(statement, index) == SQLITE_OK);
        return;
    }
    struct sn_slice time = sn_time_format_rfc3339_ms(unix_ms, text);
    SN_ASSERT(sqlite3_bind_text(statement, index, time.ptr, (int)time.len, SQLITE_TRANSIENT) == SQLITE_OK);
}

int sn_sqlite_bind_session(sqlite3_stmt *statement, const struct sn_session *s)
{
    int i = 1;

    sn_sqlite_bind_text(statement, i++, sn_id_slice(&s->id));
    bind_int(statement, i++, s->rev);
    sn_sqlite_bind_text(statement, i++, s->user);
    sn_sqlite_bind_text(statement, i++, s->account);
    sn_sqlite_bind_text(statement, i++, s->caller_type);
    sn_sqlite_bind_text(statement, i++, s->caller_role);
    sn_sqlite_bind_text(statement, i++, s->caller_arn);
    bind_int(statement, i++, s->vouched);
    sn_sqlite_bind_text(statement, i++, s->profile);
    sn_sqlite_bind_text(statement, i++, s->role_arn);
    sn_sqlite_bind_text(statement, i++, sn_slice_str(sn_issue_kind_name(s->kind)));
    sn_sqlite_bind_text(statement, i++, s->grant_id);
    sn_sqlite_bind_text(statement, i++, s->source_identity);
    sn_sqlite_bind_text(statement, i++, sn_id_slice(&s->server_instance_id));
    sn_sqlite_bind_text(statement, i++, sn_slice_str(sn_session_status_name(s->status)));
    sn_sqlite_bind_time(statement, i++, s->started_at_ms);
    sn_sqlite_bind_time(statement, i++, s->last_access_at_ms);
    sn_sqlite_bind_time(statement, i++, s->expires_at_ms);
    sn_sqlite_bind_time(statement, i++, s->created_at_ms);
    sn_sqlite_bind_time(statement, i++, s->updated_at_ms);
    sn_sqlite_bind_time(statement, i++, s->keys_expire_at_ms);
    bind_int(statement, i++, s->request_count);
    sn_sqlite_bind_text(statement, i++, s->device_id);
    sn_sqlite_bind_text(statement, i++, s->revoked_by);
    sn_sqlite_bind_text(statement, i++, s->revoked_by_arn);
    sn_sqlite_bind_text(statement, i++, s->revoked_reason);
    sn_sqlite_bind_time(statement, i++, s->revoked_at_ms);
    sn_sqlite_bind_time(statement, i++, s->keys_denied_at_ms);
    bind_int(statement, i++, s->ttl_unix_s);
    sn_sqlite_bind_text(statement, i++, s->seal);
    return i;
}

/* Walks the columns of a row; the first one that is wrong is remembered. */
struct reader {
    sqlite3_stmt *statement;
    struct sn_arena *arena;
    int at;
    bool is_bad;
};

static struct sn_slice read_text(struct reader *r)
{
    int i = r->at++;
    const void *bytes = sqlite3_column_blob(r->statement, i);
    int len = sqlite3_column_bytes(r->statement, i);

    return len > 0 ? sn_arena_dup(r->arena, sn_slice_bytes(bytes, (size_t)len)) : SN_S("");
}

static int64_t read_int(struct reader *r)
{
    return sqlite3_column_int64(r->statement, r->at++);
}

static int64_t read_time(struct reader *r)
{
    struct sn_slice text = read_text(r);
    struct sn_error err;
    int64_t unix_ms = 0;

    r->is_bad = r->is_bad || (text.len > 0 && sn_time_parse_stored(text, &unix_ms, &err) != SN_OK);
    return unix_ms;
}

static struct sn_id read_id(struct reader *r)
{
    struct sn_slice text = read_text(r);
    struct sn_id id = {{0}};

    if (!sn_id_is_valid(text)) {
        r->is_bad = true;
        return id;
    }
    memcpy(id.text, text.ptr, SN_ID_LEN);
    return id;
}

static enum sn_issue_kind read_kind(struct reader *r)
{
    static const enum sn_issue_kind kinds[] = {SN_ISSUE_DIRECT, SN_ISSUE_APPROVED, SN_ISSUE_BREAKGLASS};
    struct sn_slice text = read_text(r);

    for (size_t i = 0; i < SN_LEN(kinds); i++) {
        if (sn_slice_eq_str(text, sn_issue_kind_name(kinds[i]))) {
            return kinds[i];
        }
    }
    r->is_bad = true;
    return SN_ISSUE_DIRECT;
}

static enum sn_session_status read_status(struct reader *r)
{
    static const enum sn_session_status all[] = {SN_SESSION_ACTIVE, SN_SESSION_REVOKED, SN_SESSION_EXPIRED};
    struct sn_slice text = read_text(r);

    for (size_t i = 0; i < SN_LEN(all); i++) {
        if (sn_slice_eq_str(text, sn_session_status_name(all[i]))) {
            return all[i];
        }
    }
    r->is_bad = true;
    return SN_SESSION_EXPIRED;
}

enum sn_status sn_sqlite_read_session(
    sqlite3_stmt *statement, struct sn_arena *arena, struct sn_session *out_session, struct sn_error *err)
{
    struct reader r = {.statement = statement, .arena = arena};
    struct sn_session s = {.rev = 0};

    s.id = read_id(&r);
    s.rev = read_int(&r);
    s.user = read_text(&r);
    s.account = read_text(&r);
    s.caller_type = read_text(&r);
    s.caller_role = read_text(&r);
    s.caller_arn = read_text(&r);
    s.vouched = read_int(&r) != 0;
    s.profile = read_text(&r);
    s.role_arn = read_text(&r);
    s.kind = read_kind(&r);
    s.grant_id = read_text(&r);
    s.source_identity = read_text(&r);
    s.server_instance_id = read_id(&r);
    s.status = read_status(&r);
    s.started_at_ms = read_time(&r);
    s.last_access_at_ms = read_time(&r);
    s.expires_at_ms = read_time(&r);
    s.created_at_ms = read_time(&r);
    s.updated_at_ms = read_time(&r);
    s.keys_expire_at_ms = read_time(&r);
    s.request_count = read_int(&r);
    s.device_id = read_text(&r);
    s.revoked_by = read_text(&r);
    s.revoked_by_arn = read_text(&r);
    s.revoked_reason = read_text(&r);
    s.revoked_at_ms = read_time(&r);
    s.keys_denied_at_ms = read_time(&r);
    s.ttl_unix_s = read_int(&r);
    s.seal = read_text(&r);
    if (r.is_bad) {
        return sn_fail(err, SN_INTERNAL, "RECORD_INVALID", "a session record does not hold what it should");
    }
    *out_session = s;
    return SN_OK;
}
