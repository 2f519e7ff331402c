/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lab/control.c - "lab clock", "lab fault", "lab approve" and "lab decline" from outside: POST /-lab/clock, /-lab/fault
 * and /-lab/decide with the token that stands in the lab's directory. The path is none of AWS's, so no client of the
 * services meets it.
 */
#include "base/secret.h"
#include "base/time.h"
#include "lab/call.h"

bool sn_lab_is_control(const struct sn_request *request)
{
    return sn_slice_has_prefix(request->path, SN_S("/-lab/"));
}

static enum sn_status run(
    struct sn_lab *lab, const struct sn_request *request, struct sn_buf *out, struct sn_error *err)
{
    const struct sn_slice *token = sn_request_header(request, "x-lab-token");
    if (token == NULL || !sn_slice_eq_const_time(*token, sn_lab_control_token(lab))) {
        return sn_fail(err, SN_DENIED, "LAB_TOKEN", "the token of the lab's directory is needed");
    }
    if (request->method != SN_METHOD_POST) {
        return sn_fail(err, SN_USAGE, "LAB_CONTROL", "only POST is understood");
    }
    if (sn_slice_eq_str(request->path, "/-lab/clock")) {
        char text[SN_TIME_TEXT_MAX];
        SN_TRY(sn_lab_set_clock(lab, request->body, err));
        sn_buf_add(out, sn_time_format_rfc3339_ms(sn_lab_now_unix_ms(lab), text));
        sn_buf_add_byte(out, '\n');
        return SN_OK;
    }
    if (sn_slice_eq_str(request->path, "/-lab/fault")) {
        SN_TRY(sn_lab_set_fault(lab, request->body, err));
        sn_buf_add(out, request->body);
        sn_buf_add_byte(out, '\n');
        return SN_OK;
    }
    if (sn_slice_eq_str(request->path, "/-lab/decide")) {
        SN_TRY(sn_lab_decide(lab, request->body, err));
        sn_buf_add_str(out, "decided\n");
        return SN_OK;
    }
    return sn_fail(err, SN_NOT_FOUND, "LAB_CONTROL", "no such control");
}

void sn_lab_control(struct sn_lab *lab, const struct sn_request *request, struct sn_response *response)
{
    struct sn_error err = {0};
    response->status = 200;
    response->content_type = "text/plain; charset=utf-8";
    if (run(lab, request, &response->body, &err) != SN_OK) {
        response->status = err.status == SN_DENIED ? 403 : 400;
        sn_buf_reset(&response->body);
        sn_buf_addf(&response->body, "%s\n%s\n", err.message, err.suggestion);
    }
}
