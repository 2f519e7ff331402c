/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lab/answer.c - answers in the query protocol's XML and in JSON 1.1, errors in AWS's form, and broken answers.
 */
#include <sys/socket.h>

#include "base/fs.h"
#include "base/time.h"
#include "codec/xml.h"
#include "lab/call.h"

static const char type_xml[] = "text/xml";
static const char type_json[] = "application/x-amz-json-1.1";

int64_t sn_lab_call_now_s(const struct sn_lab_call *call)
{
    return call->now_unix_ms / 1000;
}

void sn_lab_call_resource(struct sn_lab_call *call, const char *type, struct sn_slice name)
{
    SN_ASSERT(call->resource_count < SN_LAB_EVENT_RESOURCES);
    call->resources[call->resource_count++] = (struct sn_lab_resource){sn_slice_str(type), name};
}

/* How many bytes from the start of text are one character that XML may hold; 0: none. */
static size_t xml_character(struct sn_slice text)
{
    unsigned char c = (unsigned char)text.ptr[0];
    if (c < 0x80) {
        return c >= 0x20 || c == '\t' || c == '\n' || c == '\r' ? 1 : 0;
    }
    size_t len = c >= 0xF0 ? 4 : c >= 0xE0 ? 3 : 2;
    struct sn_slice character = sn_slice_sub(text, 0, len);
    if (character.len != len || !sn_slice_is_utf8(character)) {
        return 0;
    }
    /* U+FFFE and U+FFFF are UTF-8 but no characters of XML. */
    return len == 3 && memcmp(character.ptr, "\xEF\xBF", 2) == 0 && (unsigned char)character.ptr[2] >= 0xBE ? 0 : len;
}

/* Errors repeat what the caller sent, which may be anything, also a character cut in half. */
static void add_xml_text(struct sn_buf *buf, struct sn_slice text)
{
    while (text.len > 0) {
        size_t good = 0;
        size_t len = 0;
        while (good < text.len && (len = xml_character(sn_slice_sub(text, good, text.len))) > 0) {
            good += len;
        }
        sn_xml_escape(buf, sn_slice_sub(text, 0, good));
        if (good < text.len) {
            sn_buf_add_str(buf, "\xEF\xBF\xBD");
            good++;
        }
        text = sn_slice_sub(text, good, text.len);
    }
}

void sn_lab_xml_element(struct sn_buf *buf, const char *name, struct sn_slice text)
{
    sn_buf_addf(buf, "<%s>", name);
    add_xml_text(buf, text);
    sn_buf_addf(buf, "</%s>\n", name);
}

void sn_lab_xml_time(struct sn_buf *buf, const char *name, int64_t unix_s)
{
    char text[SN_TIME_TEXT_MAX];
    sn_lab_xml_element(buf, name, sn_time_format_rfc3339_s(unix_s, text));
}

/* Codes of the query protocol, their HTTP status, and what the JSON protocol calls them (always with status 400). */
static const struct {
    const char *code;
    int status;
    const char *json_code;
} codes[] = {
    {"AccessDenied", 403, "AccessDeniedException"},
    {"SignatureDoesNotMatch", 403, "InvalidSignatureException"},
    {"InvalidClientTokenId", 403, "UnrecognizedClientException"},
    {"MissingAuthenticationToken", 403, "MissingAuthenticationTokenException"},
    {"ExpiredToken", 403, "ExpiredTokenException"},
    {"IncompleteSignature", 400, "IncompleteSignatureException"},
    {"ValidationError", 400, "ValidationException"},
    {"Throttling", 400, "ThrottlingException"},
    {"InvalidAction", 400, "UnknownOperationException"},
    {"NoSuchEntity", 404, NULL},
    {"LimitExceeded", 409, NULL},
    {"InternalFailure", 500, "InternalFailure"},
};

int sn_lab_error_status(struct sn_slice service, const char *code)
{
    bool is_json = sn_slice_eq_str(service, "cloudtrail");
    for (size_t i = 0; i < SN_LEN(codes); i++) {
        if (strcmp(codes[i].code, code) == 0) {
            return is_json && codes[i].status < 500 ? 400 : codes[i].status;
        }
    }
    return 400;
}

static const char *json_code_of(const char *code)
{
    for (size_t i = 0; i < SN_LEN(codes); i++) {
        if (strcmp(codes[i].code, code) == 0 && codes[i].json_code != NULL) {
            return codes[i].json_code;
        }
    }
    return code;
}

static const char *namespace_of(struct sn_slice service)
{
    return sn_slice_eq_str(service, "iam") ? "https://iam.amazonaws.com/doc/2010-05-08/"
                                           : "https://sts.amazonaws.com/doc/2011-06-15/";
}

static void write_error(struct sn_lab_call *call, const struct sn_error *err, struct sn_response *response)
{
    response->status = sn_lab_error_status(call->service, err->code);
    if (sn_slice_eq_str(call->service, "cloudtrail")) {
        struct sn_json_writer w;
        sn_json_writer_init(&w, &response->body);
        sn_json_begin_object(&w);
        sn_json_member_str(&w, "__type", json_code_of(err->code));
        sn_json_member_str(&w, "message", err->message);
        sn_json_end_object(&w);
        response->content_type = type_json;
        return;
    }
    sn_buf_addf(&response->body, "<ErrorResponse xmlns=\"%s\">\n<Error>\n", namespace_of(call->service));
    sn_lab_xml_element(&response->body, "Type", response->status >= 500 ? SN_S("Receiver") : SN_S("Sender"));
    sn_lab_xml_element(&response->body, "Code", sn_slice_str(err->code));
    sn_lab_xml_element(&response->body, "Message", sn_slice_str(err->message));
    sn_buf_add_str(&response->body, "</Error>\n");
    sn_lab_xml_element(&response->body, "RequestId", sn_slice_str(call->request_id));
    sn_buf_add_str(&response->body, "</ErrorResponse>\n");
    response->content_type = type_xml;
}

static void write_result(struct sn_lab_call *call, struct sn_response *response)
{
    response->status = 200;
    if (call->operation->version == NULL) {
        sn_buf_add(&response->body, sn_buf_slice(&call->result));
        response->content_type = type_json;
        return;
    }
    const char *action = call->operation->action;
    sn_buf_addf(&response->body, "<%sResponse xmlns=\"%s\">\n", action, namespace_of(call->service));
    if (call->result.len > 0) {
        sn_buf_addf(&response->body, "<%sResult>\n", action);
        sn_buf_add(&response->body, sn_buf_slice(&call->result));
        sn_buf_addf(&response->body, "</%sResult>\n", action);
    }
    sn_buf_add_str(&response->body, "<ResponseMetadata>\n");
    sn_lab_xml_element(&response->body, "RequestId", sn_slice_str(call->request_id));
    sn_buf_addf(&response->body, "</ResponseMetadata>\n</%sResponse>\n", action);
    response->content_type = type_xml;
}

/* Half of an answer straight onto the connection, which then ends; the listener's own answer meets a closed socket. */
static void cut(const struct sn_request *request, struct sn_response *response)
{
    if (request->peer.fd >= 0) {
        SN_AUTO(sn_buf_clear) struct sn_buf text = {0};
        struct sn_error ignored = {0};
        sn_buf_addf(
            &text, "HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Length: %zu\r\n\r\n", response->body.len);
        sn_buf_add(&text, sn_slice_sub(sn_buf_slice(&response->body), 0, response->body.len / 2));
        if (sn_fd_write_all(request->peer.fd, sn_buf_slice(&text), &ignored) != SN_OK) {
            response->close = true; /* the peer went first: cut all the same */
        }
        (void)shutdown(request->peer.fd, SHUT_RDWR);
    }
    response->close = true;
}

static void apply_fault(struct sn_lab_call *call, struct sn_response *response)
{
    switch (call->fault.kind) {
    case SN_LAB_FAULT_HTML:
        sn_buf_reset(&response->body);
        sn_buf_add_str(&response->body, "<!DOCTYPE html><html><body><h1>Welcome</h1>"
                                        "<p>Please sign in to use this network.</p></body></html>\n");
        response->status = 200;
        response->content_type = "text/html; charset=utf-8";
        break;
    case SN_LAB_FAULT_REDIRECT:
        sn_buf_reset(&response->body);
        response->status = 302;
        sn_response_header(response, "Location", "http://127.0.0.1:9/");
        response->content_type = type_xml;
        break;
    case SN_LAB_FAULT_WRONG_TYPE:
        response->content_type = call->route != NULL ? type_xml : "application/json";
        break;
    case SN_LAB_FAULT_CUT:
        cut(call->request, response);
        break;
    case SN_LAB_FAULT_NONE:
    case SN_LAB_FAULT_THROTTLE:
    case SN_LAB_FAULT_500:
    case SN_LAB_FAULT_SLOW:
    case SN_LAB_FAULT_OTHER_ROLE:
    case SN_LAB_FAULT_TWO_ARNS:
    case SN_LAB_FAULT_AUTHORIZATION_PENDING:
    case SN_LAB_FAULT_SLOW_DOWN:
    case SN_LAB_FAULT_EXPIRED_TOKEN:
    case SN_LAB_FAULT_ACCESS_DENIED:
    case SN_LAB_FAULT_INVALID_GRANT:
        break;
    }
}

void sn_lab_answer(struct sn_lab_call *call, const struct sn_error *err, struct sn_response *response)
{
    if (call->route != NULL) {
        sn_lab_center_answer(call, err, response);
    } else if (err != NULL) {
        write_error(call, err, response);
    } else {
        write_result(call, response);
    }
    sn_response_header(response, "x-amzn-RequestId", "%s", call->request_id);
    apply_fault(call, response);
}
