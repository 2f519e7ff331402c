/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tvm/errors.c - the table of API codes, and the one place that turns an error into an answer.
 */
#include "tvm/errors.h"

#include <stdio.h>
#include <string.h>

#include "codec/json.h"

#define LISTENER_HINT "send requests as HTTP/1.1 with a JSON body, or use the 'sentinel' program"
#define TRY_LATER "try again; if it goes on, give the request id to your administrator"
#define TELL_ADMIN "give the request id to your administrator"

/* clang-format off */
const struct sn_api_error sn_api_errors[] = {
    {"MISSING_PROFILE", 400, "The profile parameter is required", "run 'sentinel profiles' to see what you can ask for", SN_INVALID, 0},
    {"INVALID_PROFILE", 400, "Profile name is not valid", "run 'sentinel profiles' to see what you can ask for", SN_INVALID, 0},
    {"INVALID_DURATION", 400, "Duration must be 900 to 43200 seconds", "leave the duration out, or name one in this range", SN_INVALID, 0},
    {"INVALID_DEVICE_ID", 400, "device_id must be 64 lowercase hex characters", "", SN_INVALID, 0},
    {"INVALID_IDENTITY", 400, "Caller identity is not usable", "call as an IAM user or an assumed role", SN_INVALID, 0},
    {"INVALID_REQUEST", 400, "Malformed request", "see the OpenAPI document for the form of this request", SN_INVALID, 0},
    {"INVALID_ID", 400, "Malformed id", "give the whole id, or at least 6 characters of it", SN_INVALID, 0},
    {"MALFORMED_HTTP", 400, "Malformed HTTP request", LISTENER_HINT, SN_PROTOCOL, 0},
    {"PROOF_MALFORMED", 400, "Identity proof is malformed", "use a 'sentinel' program of the server's version", SN_INVALID, 0},
    {"PROOF_REQUIRED", 401, "Identity proof is required", "use the 'sentinel' program, which proves who you are", SN_UNAUTHENTICATED, 0},
    {"PROOF_EXPIRED", 401, "Identity proof is too old or from the future", "set the clock of your machine; at most 60 seconds may differ", SN_UNAUTHENTICATED, 0},
    {"PROOF_REGION", 401, "Identity proof is for another region", "sign for the region named in WWW-Authenticate", SN_UNAUTHENTICATED, 0},
    {"PROOF_AUDIENCE", 401, "Identity proof is for another server", "use the URL that the server's administrator gave you, unchanged", SN_UNAUTHENTICATED, 0},
    {"PROOF_MISMATCH", 401, "Identity proof is for another request", "a proxy that changes path, query or body breaks the proof; go around it", SN_UNAUTHENTICATED, 0},
    {"PROOF_REPLAYED", 401, "Identity proof was used before", "make a new proof for each request", SN_UNAUTHENTICATED, 0},
    {"PROOF_REJECTED", 401, "AWS did not accept the identity proof", "run 'aws sts get-caller-identity' to test your AWS credentials", SN_UNAUTHENTICATED, 0},
    {"TICKET_INVALID", 401, "Ticket is not valid here", "send a proof instead", SN_UNAUTHENTICATED, 0},
    {"IAM_AUTH_REQUIRED", 403, "Request must be signed with AWS credentials", "use the 'sentinel' program, which signs with your AWS credentials", SN_UNAUTHENTICATED, 0},
    {"CALLER_NOT_ALLOWED", 403, "Caller is not allowed to use this service", "run 'sentinel whoami' to see who you are to AWS; ask the administrator to admit it", SN_DENIED, 0},
    {"NOT_AUTHORIZED", 403, "Not allowed to see or change this", "", SN_DENIED, 0},
    {"POLICY_DENY", 403, "Access denied by policy", "run 'sentinel explain PROFILE' to see which condition failed", SN_DENIED, 0},
    {"APPROVAL_REQUIRED", 403, "Approval required", "run 'sentinel explain PROFILE' to see which rule asks for it", SN_DENIED, 0},
    {"DEVICE_REQUIRED", 403, "Device identification required", "use a managed device", SN_DENIED, 0},
    {"DEVICE_VERIFICATION_FAILED", 403, "Device could not be verified", "ask the administrator whether this device is enrolled", SN_DENIED, 0},
    {"SESSION_REVOKED", 403, "Access was revoked", "ask the administrator", SN_DENIED, 0},
    {"DRIFT_DETECTED", 403, "The target role accepts other credentials", TELL_ADMIN, SN_DENIED, 0},
    {"NOT_FOUND", 404, "Unknown path", "", SN_NOT_FOUND, 0},
    {"UNKNOWN_PROFILE", 404, "Unknown profile", "", SN_NOT_FOUND, 0},
    {"SESSION_NOT_FOUND", 404, "Unknown session", "", SN_NOT_FOUND, 0},
    {"METHOD_NOT_ALLOWED", 405, "Method not allowed", "", SN_INVALID, 0},
    {"REQUEST_TIMEOUT", 408, "Request did not arrive in time", LISTENER_HINT, SN_TIMEOUT, 0},
    {"AMBIGUOUS_ID", 409, "Several ids begin like this", "give more characters of the id", SN_CONFLICT, 0},
    {"INVALID_TRANSITION", 409, "The session has already ended", "", SN_CONFLICT, 0},
    {"LENGTH_REQUIRED", 411, "Content-Length is required", LISTENER_HINT, SN_PROTOCOL, 0},
    {"BODY_TOO_LARGE", 413, "Request body is too large", LISTENER_HINT, SN_LIMIT, 0},
    {"URI_TOO_LONG", 414, "Request line is too long", LISTENER_HINT, SN_LIMIT, 0},
    {"UNSUPPORTED_MEDIA_TYPE", 415, "Request body must be application/json", LISTENER_HINT, SN_INVALID, 0},
    {"EXPECTATION_FAILED", 417, "Expect is not supported", LISTENER_HINT, SN_PROTOCOL, 0},
    {"MISDIRECTED_REQUEST", 421, "This server does not answer for that host", "use the URL that the server's administrator gave you, unchanged", SN_INVALID, 0},
    {"RATE_LIMITED", 429, "Too many requests", "wait as long as Retry-After says", SN_THROTTLED, 0},
    {"HEADERS_TOO_LARGE", 431, "Request headers are too large", LISTENER_HINT, SN_LIMIT, 0},
    {"CONFIG_ERROR", 500, "Service configuration unavailable", TELL_ADMIN, SN_INTERNAL, 0},
    {"POLICY_ERROR", 500, "Policy could not be used", TELL_ADMIN, SN_INTERNAL, 0},
    {"CREDENTIAL_ERROR", 500, "Credentials could not be issued", TRY_LATER, SN_UNAVAILABLE, 0},
    {"INIT_ERROR", 500, "Service failed to start", TELL_ADMIN, SN_INTERNAL, 0},
    {"MARSHAL_ERROR", 500, "Response could not be encoded", TELL_ADMIN, SN_INTERNAL, 0},
    {"NOT_CONFIGURED", 501, "This feature is not set up", "", SN_UNAVAILABLE, 0},
    {"AUDIT_UNAVAILABLE", 503, "The audit record could not be written; nothing was issued or changed", TRY_LATER, SN_UNAVAILABLE, 1},
    {"SESSION_UNAVAILABLE", 503, "Session tracking is unavailable", TRY_LATER, SN_UNAVAILABLE, 1},
    {"STORE_UNAVAILABLE", 503, "Records cannot be read now", TRY_LATER, SN_UNAVAILABLE, 1},
    {"IDENTITY_UNAVAILABLE", 503, "Identity could not be verified now", TRY_LATER, SN_UNAVAILABLE, 1},
    {"OVERLOADED", 503, "Server is busy", "try again", SN_UNAVAILABLE, 1},
    {"UPSTREAM_TIMEOUT", 504, "Request timed out", TRY_LATER, SN_TIMEOUT, 0},
    {"VERSION_NOT_SUPPORTED", 505, "HTTP version is not supported", LISTENER_HINT, SN_PROTOCOL, 0},
};
/* clang-format on */
const size_t sn_api_error_count = SN_LEN(sn_api_errors);
_Static_assert(SN_LEN(sn_api_errors) <= SN_API_ERRORS_MAX, "SN_API_ERRORS_MAX is too small");

static const struct sn_api_error *find_or_null(const char *code)
{
    for (size_t i = 0; i < sn_api_error_count; i++) {
        if (strcmp(sn_api_errors[i].code, code) == 0) {
            return &sn_api_errors[i];
        }
    }
    return NULL;
}

const struct sn_api_error *sn_api_error_find(const char *code)
{
    const struct sn_api_error *entry = find_or_null(code);

    if (entry == NULL) {
        entry = find_or_null("CONFIG_ERROR");
    }
    SN_ASSERT(entry != NULL);
    return entry;
}

size_t sn_api_error_index(const struct sn_api_error *entry)
{
    return (size_t)(entry - sn_api_errors);
}

enum sn_status sn_api_fail(struct sn_error *err, const char *code, const char *format, ...)
{
    SN_AUTO(sn_buf_clear) struct sn_buf text = {0};
    va_list arguments;

    va_start(arguments, format);
    sn_buf_vaddf(&text, format, arguments);
    va_end(arguments);
    return sn_fail(err, sn_api_error_find(code)->kind, code, "%s", sn_buf_str(&text));
}

enum sn_status sn_api_translate(struct sn_error *err, const char *code)
{
    struct sn_error cause = *err;

    sn_fail(err, sn_api_error_find(code)->kind, code, "%s: %s", cause.code, cause.message);
    err->retry_after_s = cause.retry_after_s;
    return err->status;
}

static void add_message(
    struct sn_buf *text, const struct sn_api_error *entry, const struct sn_error *err, struct sn_slice reason)
{
    if (strcmp(entry->code, "RATE_LIMITED") == 0) {
        sn_buf_addf(text, "Too many requests; retry in %d s", err->retry_after_s);
        return;
    }
    sn_buf_add_str(text, entry->message);
    if (reason.len > 0) {
        sn_buf_add_str(text, ": ");
        sn_buf_add(text, reason);
    }
}

void sn_api_respond(const struct sn_error *err, const struct sn_api_words *words, struct sn_response *response)
{
    const struct sn_api_error *entry = sn_api_error_find(err->code);
    SN_AUTO(sn_buf_clear) struct sn_buf message = {0};
    struct sn_json_writer w;
    int retry_after_s = err->retry_after_s > 0 ? err->retry_after_s : entry->retry_after_s;

    sn_buf_clear(&response->body);
    response->status = entry->status;
    add_message(&message, entry, err, words->reason);
    sn_json_writer_init(&w, &response->body);
    sn_json_begin_object(&w);
    sn_json_member_str(&w, "code", entry->code);
    sn_json_member_text(&w, "message", sn_buf_slice(&message));
    sn_json_member_text(&w, "hint", words->has_hint ? words->hint : sn_slice_str(entry->hint));
    sn_json_member_text(&w, "request_id", words->request_id);
    sn_json_end_object(&w);
    if (retry_after_s > 0 && (entry->status == 429 || entry->status == 503)) {
        sn_response_header(response, "Retry-After", "%d", retry_after_s);
    }
}
