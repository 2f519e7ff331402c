/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lab/center_call.c - from a path to an operation of IAM Identity Center, and its answers in JSON and HTML.
 */
#include "lab/center_call.h"

#include "codec/xml.h"

static const struct {
    const char *code;
    int status;
    const char *oauth; /* what RFC 6749 and RFC 8628 call it */
} codes[] = {
    {"AccessDeniedException", 400, "access_denied"},
    {"AuthorizationPendingException", 400, "authorization_pending"},
    {"ExpiredTokenException", 400, "expired_token"},
    {"ForbiddenException", 403, ""},
    {"InternalServerException", 500, "server_error"},
    {"InvalidClientException", 401, "invalid_client"},
    {"InvalidClientMetadataException", 400, "invalid_client_metadata"},
    {"InvalidGrantException", 400, "invalid_grant"},
    {"InvalidRedirectUriException", 400, "invalid_redirect_uri"},
    {"InvalidRequestException", 400, "invalid_request"},
    {"InvalidScopeException", 400, "invalid_scope"},
    {"LAB_CENTER", 400, "invalid_request"},
    {"SlowDownException", 400, "slow_down"},
    {"TooManyRequestsException", 429, ""},
    {"UnauthorizedClientException", 400, "unauthorized_client"},
    {"UnauthorizedException", 401, ""},
    {"UnsupportedGrantTypeException", 400, "unsupported_grant_type"},
};

bool sn_lab_is_start_url(struct sn_lab_call *call, struct sn_slice text)
{
    static const char *const ends[] = {"", "/", "#", "#/", "/#", "/#/"};
    struct sn_slice start = sn_arena_printf(&call->arena, "%.*s" SN_LAB_START_PATH, SN_PRI(call->base_url));
    for (size_t i = 0; i < SN_LEN(ends); i++) {
        if (sn_slice_has_prefix(text, start) && sn_slice_eq_str(sn_slice_sub(text, start.len, text.len), ends[i])) {
            return true;
        }
    }
    return false;
}

bool sn_lab_scopes_within(struct sn_slice scopes, struct sn_slice known)
{
    struct sn_slice scope = {0};
    while (sn_slice_next(&scopes, ' ', &scope)) {
        struct sn_slice rest = known;
        struct sn_slice one = {0};
        bool found = false;
        while (!found && sn_slice_next(&rest, ' ', &one)) {
            found = sn_slice_eq(one, scope);
        }
        if (!found) {
            return false;
        }
    }
    return true;
}

const struct sn_lab_route *sn_lab_center_route(const struct sn_request *request)
{
    static const struct sn_lab_route *const tables[] = {sn_lab_oidc_routes, sn_lab_portal_routes, sn_lab_page_routes};
    for (size_t i = 0; i < SN_LEN(tables); i++) {
        for (const struct sn_lab_route *route = tables[i]; route->path != NULL; route++) {
            if (route->method == request->method && sn_slice_eq_str(request->path, route->path)) {
                return route;
            }
        }
    }
    return NULL;
}

static bool is_page(const struct sn_lab_call *call)
{
    return sn_slice_eq_str(call->service, "sso-page");
}

/* A fault that stands for an answer of the service; none of the others. */
static enum sn_status fail_on_demand(const struct sn_lab_call *call, struct sn_error *err)
{
    const char *code = NULL;
    switch (call->fault.kind) {
    case SN_LAB_FAULT_THROTTLE:
        code = sn_slice_eq_str(call->service, "sso") ? "TooManyRequestsException" : "SlowDownException";
        break;
    case SN_LAB_FAULT_500:
    case SN_LAB_FAULT_HTML:
    case SN_LAB_FAULT_REDIRECT:
        code = "InternalServerException";
        break;
    case SN_LAB_FAULT_AUTHORIZATION_PENDING:
        code = "AuthorizationPendingException";
        break;
    case SN_LAB_FAULT_SLOW_DOWN:
        code = "SlowDownException";
        break;
    case SN_LAB_FAULT_EXPIRED_TOKEN:
        code = "ExpiredTokenException";
        break;
    case SN_LAB_FAULT_ACCESS_DENIED:
        code = "AccessDeniedException";
        break;
    case SN_LAB_FAULT_INVALID_GRANT:
        code = "InvalidGrantException";
        break;
    case SN_LAB_FAULT_NONE:
    case SN_LAB_FAULT_SLOW:
    case SN_LAB_FAULT_CUT:
    case SN_LAB_FAULT_OTHER_ROLE:
    case SN_LAB_FAULT_TWO_ARNS:
    case SN_LAB_FAULT_WRONG_TYPE:
        return SN_OK;
    }
    return sn_fail(err, SN_INTERNAL, code, "The lab was told to answer this");
}

enum sn_status sn_lab_center_run(struct sn_lab_call *call, struct sn_error *err)
{
    struct sn_error cause = {0};
    call->operation = &call->route->operation;
    call->service = sn_slice_str(call->operation->service);
    call->action = sn_slice_str(call->operation->action);
    call->fault = sn_lab_faults_take(call->faults, call->service, call->action);
    if (call->center == NULL) {
        return sn_fail(err, SN_NOT_FOUND, "InvalidRequestException", "This lab has no Identity Center");
    }
    SN_TRY(fail_on_demand(call, err));
    if (sn_query_parse(call->request->query, true, SN_LAB_MAX_PARAMS, &call->arena, &call->query, &cause) != SN_OK) {
        return sn_fail(err, SN_INVALID, "InvalidRequestException", "%s", cause.message);
    }
    call->params = call->query;
    if (is_page(call) && call->request->method == SN_METHOD_POST &&
        sn_query_parse(call->request->body, true, SN_LAB_MAX_PARAMS, &call->arena, &call->params, &cause) != SN_OK) {
        return sn_fail(err, SN_INVALID, "InvalidRequestException", "%s", cause.message);
    }
    return call->operation->run(call, err);
}

int sn_lab_center_status(const struct sn_lab_call *call, const char *code)
{
    if (code == NULL) {
        return call->location.len > 0 ? 303 : 200;
    }
    for (size_t i = 0; i < SN_LEN(codes); i++) {
        if (strcmp(codes[i].code, code) == 0) {
            return codes[i].status;
        }
    }
    return 500;
}

static const char *oauth_of(const char *code)
{
    for (size_t i = 0; i < SN_LEN(codes); i++) {
        if (strcmp(codes[i].code, code) == 0) {
            return codes[i].oauth;
        }
    }
    return "server_error";
}

static void write_error(struct sn_lab_call *call, const struct sn_error *err, struct sn_response *response)
{
    struct sn_json_writer w;
    if (is_page(call)) {
        sn_buf_add_str(&response->body, "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
                                        "<title>Refused</title></head><body><h1>Refused</h1><p>");
        sn_xml_escape(&response->body, sn_slice_str(err->message));
        sn_buf_add_str(&response->body, "</p></body></html>\n");
        return;
    }
    sn_response_header(response, "x-amzn-errortype", "%s", err->code);
    sn_json_writer_init(&w, &response->body);
    sn_json_begin_object(&w);
    if (sn_slice_eq_str(call->service, "sso-oidc")) {
        sn_json_member_str(&w, "error", oauth_of(err->code));
        sn_json_member_str(&w, "error_description", err->message);
    } else {
        sn_json_member_text(
            &w, "__type", sn_arena_printf(&call->arena, "com.amazonaws.switchboard.portal#%s", err->code));
        sn_json_member_str(&w, "message", err->message);
    }
    sn_json_end_object(&w);
}

void sn_lab_center_answer(struct sn_lab_call *call, const struct sn_error *err, struct sn_response *response)
{
    response->status = sn_lab_center_status(call, err != NULL ? err->code : NULL);
    response->content_type = is_page(call) ? "text/html; charset=utf-8" : "application/json";
    if (err != NULL) {
        write_error(call, err, response);
        return;
    }
    sn_buf_add(&response->body, sn_buf_slice(&call->result));
    if (call->location.len > 0) {
        sn_response_header(response, "Location", "%.*s", SN_PRI(call->location));
    }
    if (is_page(call)) {
        sn_response_header(response, "Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'");
    }
}
