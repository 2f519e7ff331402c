/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lab/record.c - what is remembered of a call: CloudTrail's event and the line of the journal.
 */
#include "base/time.h"
#include "lab/call.h"

static struct sn_slice username_of(const struct sn_lab_key *key)
{
    return key->kind == SN_LAB_KEY_ROLE_SESSION ? key->session_name : key->user->name;
}

static void put_session_context(struct sn_json_writer *w, const struct sn_lab_key *key)
{
    char text[SN_TIME_TEXT_MAX];
    sn_json_key(w, "sessionContext");
    sn_json_begin_object(w);
    if (key->role != NULL) {
        sn_json_key(w, "sessionIssuer");
        sn_json_begin_object(w);
        sn_json_member_str(w, "type", "Role");
        sn_json_member_text(w, "principalId", key->role->id);
        sn_json_member_text(w, "arn", key->role->arn);
        sn_json_member_text(w, "accountId", key->role->account);
        sn_json_member_text(w, "userName", key->role->name);
        sn_json_end_object(w);
    }
    sn_json_key(w, "attributes");
    sn_json_begin_object(w);
    sn_json_member_text(w, "creationDate", sn_time_format_rfc3339_s(key->issued_unix_s, text));
    sn_json_member_str(w, "mfaAuthenticated", "false");
    sn_json_end_object(w);
    if (key->source_identity.len > 0) {
        sn_json_member_text(w, "sourceIdentity", key->source_identity);
    }
    sn_json_end_object(w);
}

static void put_identity(struct sn_json_writer *w, const struct sn_lab_key *key)
{
    const char *type = "IAMUser";
    if (key->kind == SN_LAB_KEY_ROOT) {
        type = "Root";
    } else if (key->kind == SN_LAB_KEY_ROLE_SESSION) {
        type = "AssumedRole";
    }
    sn_json_key(w, "userIdentity");
    sn_json_begin_object(w);
    sn_json_member_str(w, "type", type);
    sn_json_member_text(w, "principalId", key->principal_id);
    sn_json_member_text(w, "arn", key->arn);
    sn_json_member_text(w, "accountId", key->account);
    sn_json_member_str(w, "accessKeyId", key->access_key);
    if (key->kind == SN_LAB_KEY_USER || key->kind == SN_LAB_KEY_USER_SESSION) {
        sn_json_member_text(w, "userName", key->user->name);
    }
    if (key->expires_unix_s != 0) {
        put_session_context(w, key);
    }
    sn_json_end_object(w);
}

static void put_object(struct sn_json_writer *w, const char *name, const struct sn_buf *json)
{
    sn_json_key(w, name);
    if (json->len > 0) {
        sn_json_put_raw(w, sn_buf_slice(json));
    } else {
        sn_json_put_null(w);
    }
}

static void write_event(struct sn_lab_call *call, const struct sn_error *err, struct sn_buf *out)
{
    char text[SN_TIME_TEXT_MAX];
    struct sn_json_writer w;
    const struct sn_slice *agent = sn_request_header(call->request, "user-agent");
    sn_json_writer_init(&w, out);
    sn_json_begin_object(&w);
    sn_json_member_str(&w, "eventVersion", "1.08");
    put_identity(&w, call->caller);
    sn_json_member_text(&w, "eventTime", sn_time_format_rfc3339_s(sn_lab_call_now_s(call), text));
    sn_json_member_text(&w, "eventSource", sn_arena_printf(&call->arena, "%.*s.amazonaws.com", SN_PRI(call->service)));
    sn_json_member_str(&w, "eventName", call->operation->action);
    sn_json_member_text(&w, "awsRegion", call->region);
    sn_json_member_str(&w, "sourceIPAddress", call->request->peer.address);
    sn_json_member_text(&w, "userAgent", agent != NULL ? *agent : (struct sn_slice){0});
    if (err != NULL) {
        sn_json_member_str(&w, "errorCode", err->code);
        sn_json_member_str(&w, "errorMessage", err->message);
    }
    put_object(&w, "requestParameters", &call->parameters);
    put_object(&w, "responseElements", &call->elements);
    sn_json_member_str(&w, "requestID", call->request_id);
    sn_json_member_str(&w, "eventID", call->event_id);
    sn_json_member_bool(&w, "readOnly", call->operation->read_only);
    if (call->resource_count > 0) {
        sn_json_key(&w, "resources");
        sn_json_begin_array(&w);
        for (size_t i = 0; i < call->resource_count; i++) {
            sn_json_begin_object(&w);
            sn_json_member_text(&w, "accountId", call->caller->account);
            sn_json_member_text(&w, "type", call->resources[i].type);
            sn_json_member_text(&w, "ARN", call->resources[i].name);
            sn_json_end_object(&w);
        }
        sn_json_end_array(&w);
    }
    sn_json_member_str(&w, "eventType", "AwsApiCall");
    sn_json_member_bool(&w, "managementEvent", true);
    sn_json_member_text(&w, "recipientAccountId", call->config->account);
    sn_json_member_str(&w, "eventCategory", "Management");
    sn_json_end_object(&w);
}

static void write_line(struct sn_lab_call *call, const struct sn_error *err, int status, struct sn_buf *out)
{
    char text[SN_TIME_TEXT_MAX];
    struct sn_json_writer w;
    sn_json_writer_init(&w, out);
    sn_json_begin_object(&w);
    sn_json_member_text(&w, "time", sn_time_format_rfc3339_ms(call->now_unix_ms, text));
    sn_json_member_str(&w, "request_id", call->request_id);
    sn_json_member_text(&w, "service", call->service);
    sn_json_member_text(&w, "action", call->action);
    if (call->caller != NULL) {
        sn_json_member_text(&w, "caller", call->caller->arn);
        sn_json_member_str(&w, "access_key", call->caller->access_key);
        if (call->caller->source_identity.len > 0) {
            sn_json_member_text(&w, "source_identity", call->caller->source_identity);
        }
    } else {
        sn_json_member_null(&w, "caller");
    }
    put_object(&w, "parameters", &call->parameters);
    sn_json_member_int(&w, "status", status);
    if (err != NULL) {
        sn_json_key(&w, "error");
        sn_json_begin_object(&w);
        sn_json_member_str(&w, "code", err->code);
        sn_json_member_str(&w, "message", err->message);
        sn_json_end_object(&w);
    } else {
        put_object(&w, "answer", &call->elements);
    }
    if (call->fault.kind != SN_LAB_FAULT_NONE) {
        sn_json_member_str(&w, "fault", sn_lab_fault_name(call->fault.kind));
    }
    sn_json_end_object(&w);
    sn_buf_add_byte(out, '\n');
}

void sn_lab_record(struct sn_lab_call *call, const struct sn_error *err, int status)
{
    SN_AUTO(sn_buf_clear) struct sn_buf text = {0};
    write_line(call, err, status, &text);
    sn_lab_events_journal(call->events, sn_buf_slice(&text));
    if (call->caller == NULL || call->operation == NULL) {
        return; /* CloudTrail knows nothing of callers whose signature did not hold */
    }
    sn_buf_reset(&text);
    write_event(call, err, &text);
    struct sn_lab_event event = {.unix_s = sn_lab_call_now_s(call),
        .read_only = call->operation->read_only,
        .id = sn_slice_str(call->event_id),
        .name = sn_slice_str(call->operation->action),
        .source = sn_arena_printf(&call->arena, "%.*s.amazonaws.com", SN_PRI(call->service)),
        .username = username_of(call->caller),
        .access_key = sn_slice_str(call->caller->access_key),
        .json = sn_buf_slice(&text),
        .resource_count = call->resource_count};
    memcpy(event.resources, call->resources, sizeof(event.resources));
    sn_lab_events_add(call->events, &event);
}
