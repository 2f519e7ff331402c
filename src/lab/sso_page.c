/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lab/sso_page.c - the pages on which a person allows or declines a sign-in: one for user codes, one for the
 * authorization code with PKCE. Plain forms, which a browser and a few lines of a script can fill in.
 */
#include "codec/xml.h"
#include "lab/center_call.h"

static const struct sn_slice no_text = {0};

/* Of the URL for a GET, of the form for a POST. */
static struct sn_slice param(const struct sn_lab_call *call, const char *name)
{
    const struct sn_slice *value = sn_query_find(&call->params, name);
    return value != NULL ? *value : no_text;
}

static enum sn_status bad_page(struct sn_error *err, const char *what)
{
    return sn_fail(err, SN_INVALID, "InvalidRequestException", "%s", what);
}

static void begin_page(struct sn_buf *out, const char *title)
{
    sn_buf_addf(out,
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>%s</title></head>\n"
        "<body><h1>%s</h1>\n<p>This is the Identity Center of <code>sentinel lab</code>, a stand-in: nobody asks for a "
        "password.</p>\n",
        title, title);
}

static void end_page(struct sn_buf *out)
{
    sn_buf_add_str(out, "</body></html>\n");
}

static void hidden(struct sn_buf *out, const char *name, struct sn_slice value)
{
    sn_buf_addf(out, "<input type=\"hidden\" name=\"%s\" value=\"", name);
    sn_xml_escape(out, value);
    sn_buf_add_str(out, "\">\n");
}

static void choices(const struct sn_lab_call *call, struct sn_buf *out)
{
    sn_buf_add_str(out, "<p>Sign in as <select name=\"user\" id=\"user\">\n");
    for (size_t i = 0; i < call->config->center.user_count; i++) {
        sn_buf_add_str(out, "<option>");
        sn_xml_escape(out, call->config->center.users[i].name);
        sn_buf_add_str(out, "</option>\n");
    }
    sn_buf_add_str(out, "</select></p>\n"
                        "<p><button id=\"allow\" name=\"decision\" value=\"allow\">Allow</button>\n"
                        "<button id=\"deny\" name=\"decision\" value=\"deny\">Deny</button></p>\n</form>\n");
}

/* *out_user stays NULL for "deny". */
static enum sn_status read_decision(
    const struct sn_lab_call *call, const struct sn_lab_center_user **out_user, struct sn_error *err)
{
    struct sn_slice decision = param(call, "decision");
    if (sn_slice_eq_str(decision, "deny")) {
        return SN_OK;
    }
    if (!sn_slice_eq_str(decision, "allow")) {
        return bad_page(err, "the decision is allow or deny");
    }
    *out_user = sn_lab_center_user_named(&call->config->center, param(call, "user"));
    return *out_user != NULL ? SN_OK : bad_page(err, "there is no such user");
}

/* --- User codes --- */

static enum sn_status run_device_form(struct sn_lab_call *call, struct sn_error *err)
{
    struct sn_buf *out = &call->result;
    (void)err;
    begin_page(out, "Authorize a device");
    sn_buf_add_str(out, "<form method=\"post\" action=\"" SN_LAB_START_PATH "/device\">\n"
                        "<p>Compare this code with the one your program shows: "
                        "<input name=\"user_code\" id=\"user_code\" value=\"");
    sn_xml_escape(out, sn_slice_sub(param(call, "user_code"), 0, 32));
    sn_buf_add_str(out, "\"></p>\n");
    choices(call, out);
    end_page(out);
    return SN_OK;
}

static enum sn_status run_device_decision(struct sn_lab_call *call, struct sn_error *err)
{
    const struct sn_lab_center_user *user = NULL;
    SN_TRY(read_decision(call, &user, err));
    SN_TRY(sn_lab_center_decide(call->center, param(call, "user_code"), user, call->now_unix_ms, err));
    begin_page(&call->result, user != NULL ? "Request approved" : "Request declined");
    sn_buf_add_str(&call->result, "<p>You can close this window.</p>\n");
    end_page(&call->result);
    return SN_OK;
}

/* --- Authorization codes --- */

static const char *const carried[] = {"response_type", "client_id", "redirect_uri", "state", "code_challenge",
    "code_challenge_method", "scope", "scopes"};

/* Until client and redirect URI are known to be good nothing may be sent to the redirect URI. */
static enum sn_status check_authorize(
    const struct sn_lab_call *call, struct sn_lab_center_client *out_client, struct sn_error *err)
{
    struct sn_slice challenge = param(call, "code_challenge");
    struct sn_slice state = param(call, "state");
    struct sn_slice known = {0};
    SN_TRY(sn_lab_center_find_client(
        call->center, param(call, "client_id"), NULL, sn_lab_call_now_s(call), out_client, err));
    if (!out_client->may_code) {
        return sn_fail(err, SN_DENIED, "UnauthorizedClientException", "The client did not register for codes");
    }
    if (!sn_lab_center_redirect_fits(out_client, param(call, "redirect_uri"))) {
        return sn_fail(err, SN_INVALID, "InvalidRedirectUriException", "redirect_uri is none the client registered");
    }
    if (!sn_slice_eq_str(param(call, "response_type"), "code")) {
        return bad_page(err, "response_type must be code");
    }
    if (!sn_slice_eq_str(param(call, "code_challenge_method"), "S256") ||
        challenge.len != SN_LAB_CENTER_CHALLENGE_LEN || !sn_slice_is_alnum_or(challenge, "-_")) {
        return bad_page(err, "a code_challenge of method S256 is needed");
    }
    if (state.len == 0 || state.len > SN_LAB_STATE_MAX || !sn_slice_is_alnum_or(state, "-_.~")) {
        return bad_page(err, "state is 1 to 96 letters, digits, - _ . ~");
    }
    known = sn_slice_str(out_client->scopes);
    if (!sn_lab_scopes_within(param(call, "scope"), known) || !sn_lab_scopes_within(param(call, "scopes"), known)) {
        return sn_fail(err, SN_INVALID, "InvalidScopeException", "A scope was not registered");
    }
    return SN_OK;
}

static enum sn_status run_authorize_form(struct sn_lab_call *call, struct sn_error *err)
{
    struct sn_lab_center_client client = {0};
    struct sn_buf *out = &call->result;
    SN_TRY(check_authorize(call, &client, err));
    begin_page(out, "Allow access to your data?");
    sn_buf_add_str(out, "<form method=\"post\" action=\"/authorize\">\n");
    for (size_t i = 0; i < SN_LEN(carried); i++) {
        hidden(out, carried[i], param(call, carried[i]));
    }
    choices(call, out);
    end_page(out);
    return SN_OK;
}

static enum sn_status run_authorize_decision(struct sn_lab_call *call, struct sn_error *err)
{
    struct sn_lab_center_client client = {0};
    const struct sn_lab_center_user *user = NULL;
    char code[SN_LAB_CENTER_SECRET_LEN + 1] = "";
    SN_TRY(check_authorize(call, &client, err));
    SN_TRY(read_decision(call, &user, err));
    if (user != NULL) {
        SN_TRY(sn_lab_center_new_code(call->center, &client, user, param(call, "redirect_uri"),
            param(call, "code_challenge"), sn_lab_call_now_s(call), code, err));
    }
    call->location = sn_arena_printf(&call->arena, "%.*s?%s%s&state=%.*s", SN_PRI(param(call, "redirect_uri")),
        user != NULL ? "code=" : "error=access_denied", code, SN_PRI(param(call, "state")));
    return SN_OK;
}

const struct sn_lab_route sn_lab_page_routes[] = {
    {{"sso-page", "DeviceForm", NULL, true, run_device_form}, SN_METHOD_GET, SN_LAB_START_PATH "/device"},
    {{"sso-page", "DeviceDecision", NULL, false, run_device_decision}, SN_METHOD_POST, SN_LAB_START_PATH "/device"},
    {{"sso-page", "AuthorizeForm", NULL, true, run_authorize_form}, SN_METHOD_GET, "/authorize"},
    {{"sso-page", "AuthorizeDecision", NULL, false, run_authorize_decision}, SN_METHOD_POST, "/authorize"},
    {.path = NULL},
};
