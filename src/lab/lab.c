/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lab/lab.c - from a request to the operation it asks for.
 */
#include "lab/lab.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/parse.h"
#include "base/secret.h"
#include "base/time.h"
#include "lab/call.h"
#include "lab/sigv4.h"

enum { TOKEN_BYTES = SN_LAB_TOKEN_TEXT_LEN / 2, CLOCK_MAX_S = 10 * 366 * 24 * 3600 };

struct sn_lab {
    const struct sn_clock *clock;
    const struct sn_random *random_source;
    struct sn_lab_directory *directory;
    struct sn_lab_config config;
    struct sn_lab_faults *faults;
    struct sn_lab_events *events;
    struct sn_lab_center *center;
    char *url;
    char token[SN_LAB_TOKEN_TEXT_LEN + 1];
    _Atomic int64_t clock_offset_ms;
    _Atomic uint64_t next_id;
    uint64_t id_seed;
    pthread_mutex_t stop_lock;
    pthread_cond_t stop_wake;
    bool stopping;
};

static enum sn_status fill_lab(struct sn_lab *lab, const struct sn_lab_options *options, struct sn_error *err)
{
    unsigned char bytes[TOKEN_BYTES];
    SN_AUTO(sn_buf_clear) struct sn_buf hex = SN_BUF_INIT(64);
    SN_TRY(sn_random_fill(lab->random_source, bytes, sizeof(bytes), err));
    SN_TRY(sn_random_fill(lab->random_source, &lab->id_seed, sizeof(lab->id_seed), err));
    sn_buf_add_hex(&hex, bytes, sizeof(bytes));
    memcpy(lab->token, hex.ptr, SN_LAB_TOKEN_TEXT_LEN);
    SN_TRY(sn_lab_config_load(options->config, lab->random_source, lab->directory, &lab->config, err));
    if (lab->config.center.user_count > 0) {
        lab->center = sn_lab_center_new(&lab->config.center, lab->random_source);
    }
    if (options->journal_path != NULL) {
        SN_TRY(sn_lab_events_open_journal(lab->events, options->journal_path, err));
    }
    if (lab->config.has_clock) {
        atomic_store(&lab->clock_offset_ms, lab->config.clock_unix_ms - sn_clock_unix_ms(lab->clock));
    }
    return SN_OK;
}

enum sn_status sn_lab_new(const struct sn_lab_options *options, struct sn_lab **out_lab, struct sn_error *err)
{
    SN_AUTO(sn_lab_free_p) struct sn_lab *lab = sn_alloc(1, sizeof(*lab));
    lab->clock = options->clock != NULL ? options->clock : sn_clock_system();
    lab->random_source = options->random_source != NULL ? options->random_source : sn_random_system();
    lab->directory = sn_lab_directory_new(lab->random_source);
    lab->faults = sn_lab_faults_new();
    lab->events = sn_lab_events_new();
    SN_ASSERT(pthread_mutex_init(&lab->stop_lock, NULL) == 0);
    SN_ASSERT(pthread_cond_init(&lab->stop_wake, NULL) == 0);
    SN_TRY(fill_lab(lab, options, err));
    *out_lab = SN_TAKE(lab);
    return SN_OK;
}

void sn_lab_free(struct sn_lab *lab)
{
    if (lab == NULL) {
        return;
    }
    sn_lab_center_free(lab->center);
    sn_free(lab->url);
    sn_lab_config_clear(&lab->config);
    sn_lab_directory_free(lab->directory);
    sn_lab_faults_free(lab->faults);
    sn_lab_events_free(lab->events);
    pthread_mutex_destroy(&lab->stop_lock);
    pthread_cond_destroy(&lab->stop_wake);
    sn_free(lab);
}

void sn_lab_free_p(struct sn_lab **lab)
{
    sn_lab_free(*lab);
    *lab = NULL;
}

struct sn_slice sn_lab_control_token(const struct sn_lab *lab)
{
    return sn_slice_str(lab->token);
}

const struct sn_lab_config *sn_lab_config_of(const struct sn_lab *lab)
{
    return &lab->config;
}

int64_t sn_lab_now_unix_ms(struct sn_lab *lab)
{
    return sn_clock_unix_ms(lab->clock) + atomic_load(&lab->clock_offset_ms);
}

enum sn_status sn_lab_set_clock(struct sn_lab *lab, struct sn_slice text, struct sn_error *err)
{
    struct sn_slice rest = sn_slice_sub(text, 1, text.len);
    int64_t value = 0;
    char sign = text.len > 0 ? text.ptr[0] : '\0';
    if (sign == '=' && sn_time_parse_rfc3339(rest, &value, err) == SN_OK) {
        atomic_store(&lab->clock_offset_ms, value - sn_clock_unix_ms(lab->clock));
        return SN_OK;
    }
    if ((sign == '+' || sign == '-') && sn_parse_duration(rest, &value, err) == SN_OK && value <= CLOCK_MAX_S) {
        atomic_fetch_add(&lab->clock_offset_ms, (sign == '+' ? value : -value) * 1000);
        return SN_OK;
    }
    (void)sn_fail(err, SN_USAGE, "LAB_CLOCK", "'%.*s' is no change of the clock", SN_PRI(text));
    return sn_suggest(err, "write for instance +1h, -30m or =2026-02-01T10:00:00Z");
}

enum sn_status sn_lab_set_fault(struct sn_lab *lab, struct sn_slice text, struct sn_error *err)
{
    return sn_lab_faults_set(lab->faults, text, err);
}

void sn_lab_set_url(struct sn_lab *lab, const char *url)
{
    sn_free(lab->url);
    lab->url = sn_strdup(sn_slice_str(url));
}

enum sn_status sn_lab_decide(struct sn_lab *lab, struct sn_slice text, struct sn_error *err)
{
    struct sn_slice code = {0};
    struct sn_slice name = {0};
    const struct sn_lab_center_user *user = NULL;
    if (lab->center == NULL) {
        return sn_fail(err, SN_USAGE, "LAB_CENTER", "this lab has no Identity Center");
    }
    if (sn_slice_cut(text, ' ', &code, &name)) {
        user = sn_lab_center_user_named(&lab->config.center, name);
        if (user == NULL) {
            return sn_fail(err, SN_USAGE, "LAB_CENTER", "no user '%.*s' in the Identity Center", SN_PRI(name));
        }
    }
    return sn_lab_center_decide(lab->center, code, user, sn_lab_now_unix_ms(lab), err);
}

void sn_lab_stop(struct sn_lab *lab)
{
    pthread_mutex_lock(&lab->stop_lock);
    lab->stopping = true;
    pthread_cond_broadcast(&lab->stop_wake);
    pthread_mutex_unlock(&lab->stop_lock);
}

static void wait_slowly(struct sn_lab *lab, int64_t seconds)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += seconds;
    pthread_mutex_lock(&lab->stop_lock);
    while (!lab->stopping && pthread_cond_timedwait(&lab->stop_wake, &lab->stop_lock, &until) != ETIMEDOUT) {
    }
    pthread_mutex_unlock(&lab->stop_lock);
}

/* Ids of requests and events tell calls apart; they guard nothing, so a mixed counter is enough. */
static void new_id(struct sn_lab *lab, char out[SN_LAB_ID_TEXT_MAX])
{
    uint64_t halves[2];
    for (size_t i = 0; i < SN_LEN(halves); i++) {
        uint64_t x = lab->id_seed + atomic_fetch_add(&lab->next_id, 1) * UINT64_C(0x9E3779B97F4A7C15);
        x = (x ^ (x >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
        x = (x ^ (x >> 27)) * UINT64_C(0x94D049BB133111EB);
        halves[i] = x ^ (x >> 31);
    }
    snprintf(out, SN_LAB_ID_TEXT_MAX, "%08x-%04x-4%03x-%04x-%012llx", (unsigned)(halves[0] >> 32),
        (unsigned)(halves[0] >> 16) & 0xFFFF, (unsigned)halves[0] & 0xFFF,
        ((unsigned)(halves[1] >> 48) & 0x3FFF) | 0x8000, (unsigned long long)(halves[1] & UINT64_C(0xFFFFFFFFFFFF)));
}

static enum sn_status authenticate(struct sn_lab_call *call, struct sn_error *err)
{
    struct sn_lab *lab = call->lab;
    struct sn_lab_signature signature = {0};
    unsigned char signing_key[SN_LAB_SIGNING_KEY_LEN];
    SN_AUTO(sn_lab_key_unref_p) struct sn_lab_key *key = NULL;

    /* The signature is made by the client's clock, which 'lab clock' does not move: judged by the system's. */
    SN_TRY(sn_lab_signature_read(call->request, &call->query, sn_clock_unix_s(lab->clock), &signature, err));
    key = sn_lab_directory_find_key(lab->directory, signature.access_key);
    if (key == NULL || !sn_slice_eq_const_time(signature.token, sn_slice_str(key->token))) {
        return sn_fail(
            err, SN_UNAUTHENTICATED, "InvalidClientTokenId", "The security token included in the request is invalid.");
    }
    sn_lab_directory_signing_key(lab->directory, key, &signature, signing_key);
    SN_TRY(sn_lab_signature_check(call->request, &call->query, &signature, signing_key, err));
    if (key->expires_unix_s != 0 && key->expires_unix_s <= sn_lab_call_now_s(call)) {
        return sn_fail(
            err, SN_UNAUTHENTICATED, "ExpiredToken", "The security token included in the request is expired");
    }
    if (!sn_slice_eq(signature.service, call->service)) {
        return sn_fail(err, SN_UNAUTHENTICATED, "SignatureDoesNotMatch",
            "Credential should be scoped to correct service: '%.*s'.", SN_PRI(call->service));
    }
    call->region = signature.region;
    call->caller = SN_TAKE(key);
    call->who = (struct sn_lab_who){.account = call->caller->account, .arn = call->caller->arn};
    if (call->caller->kind == SN_LAB_KEY_ROLE_SESSION) {
        call->who.role_arn = call->caller->role->arn;
    }
    return SN_OK;
}

static const struct sn_lab_operation *find_operation(struct sn_slice service, struct sn_slice action)
{
    static const struct sn_lab_operation *const tables[] = {
        sn_lab_sts_operations, sn_lab_iam_operations, sn_lab_cloudtrail_operations};
    for (size_t i = 0; i < SN_LEN(tables); i++) {
        for (const struct sn_lab_operation *o = tables[i]; o->action != NULL; o++) {
            if (sn_slice_eq_str(action, o->action) && (service.len == 0 || sn_slice_eq_str(service, o->service))) {
                return o;
            }
        }
    }
    return NULL;
}

/* JSON 1.1: the operation stands in X-Amz-Target. */
static enum sn_status find_json_operation(struct sn_lab_call *call, struct sn_slice target, struct sn_error *err)
{
    static const char cloudtrail[] = "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101";
    struct sn_slice prefix = {0};
    call->service = SN_S("cloudtrail");
    if (sn_slice_cut_last(target, '.', &prefix, &call->action) && sn_slice_eq_str(prefix, cloudtrail)) {
        call->operation = find_operation(call->service, call->action);
    }
    if (call->operation == NULL) {
        return sn_fail(err, SN_NOT_FOUND, "InvalidAction", "The operation is not known.");
    }
    return SN_OK;
}

/* Query protocol: parameters in the form body of a POST, or in the URL (presigned). Never both. */
static enum sn_status find_query_operation(struct sn_lab_call *call, struct sn_error *err)
{
    const struct sn_slice *action = NULL;
    struct sn_error cause = {0};
    call->params = call->query;
    if (call->request->body.len > 0) {
        if (sn_query_parse(call->request->body, true, SN_LAB_MAX_PARAMS, &call->arena, &call->params, &cause) !=
            SN_OK) {
            return sn_fail(err, SN_INVALID, "MalformedQueryString", "The query string contains a syntax error.");
        }
        if (sn_query_find(&call->query, "Action") != NULL) {
            return sn_fail(err, SN_INVALID, "MalformedQueryString", "Action stands in the body and in the URL.");
        }
    }
    action = sn_query_find(&call->params, "Action");
    const struct sn_slice *version = sn_query_find(&call->params, "Version");
    if (action == NULL || action->len == 0) {
        return sn_fail(err, SN_INVALID, "MissingAction", "The request must contain the parameter Action.");
    }
    call->action = *action;
    call->operation = find_operation((struct sn_slice){0}, *action);
    call->service = call->operation != NULL ? sn_slice_str(call->operation->service) : SN_S("sts");
    if (call->operation == NULL || call->operation->version == NULL || version == NULL ||
        !sn_slice_eq_str(*version, call->operation->version)) {
        call->operation = NULL;
        return sn_fail(err, SN_NOT_FOUND, "InvalidAction", "Could not find operation %.*s for version %.*s",
            SN_PRI(*action), SN_PRI(version != NULL ? *version : SN_S("NO_VERSION_SPECIFIED")));
    }
    return SN_OK;
}

static enum sn_status find_call(struct sn_lab_call *call, struct sn_error *err)
{
    const struct sn_slice *target = sn_request_header(call->request, "x-amz-target");
    struct sn_error cause = {0};
    call->service = SN_S("sts");
    if (sn_query_parse(call->request->query, true, SN_LAB_MAX_PARAMS, &call->arena, &call->query, &cause) != SN_OK) {
        return sn_fail(err, SN_INVALID, "MalformedQueryString", "The query string contains a syntax error.");
    }
    if (!sn_slice_eq_str(call->request->path, "/") || call->request->method == SN_METHOD_OTHER) {
        return sn_fail(err, SN_INVALID, "InvalidAction", "Only GET and POST of '/' are understood.");
    }
    return target != NULL ? find_json_operation(call, *target, err) : find_query_operation(call, err);
}

static enum sn_status run_call(struct sn_lab_call *call, struct sn_error *err)
{
    call->route = sn_lab_center_route(call->request);
    if (call->route != NULL) {
        return sn_lab_center_run(call, err);
    }
    SN_TRY(find_call(call, err));
    call->fault = sn_lab_faults_take(call->lab->faults, call->service, call->action);
    SN_TRY(authenticate(call, err));
    if (call->fault.kind == SN_LAB_FAULT_THROTTLE) {
        return sn_fail(err, SN_THROTTLED, "Throttling", "Rate exceeded");
    }
    /* A page or a redirect comes from something before AWS: the call never got there, and nothing is issued. */
    if (call->fault.kind == SN_LAB_FAULT_500 || call->fault.kind == SN_LAB_FAULT_HTML ||
        call->fault.kind == SN_LAB_FAULT_REDIRECT) {
        return sn_fail(err, SN_INTERNAL, "InternalFailure",
            "The request processing has failed because of an unknown error, exception or failure.");
    }
    return call->operation->run(call, err);
}

static void clear_call(struct sn_lab_call *call)
{
    sn_lab_key_unref(call->caller);
    sn_buf_clear(&call->result);
    sn_buf_clear(&call->parameters);
    sn_buf_clear(&call->elements);
    sn_arena_clear(&call->arena);
}

void sn_lab_handle(void *ctx, const struct sn_request *request, struct sn_response *response)
{
    struct sn_lab *lab = ctx;
    struct sn_error err = {0};
    if (sn_lab_is_control(request)) {
        sn_lab_control(lab, request, response);
        return;
    }
    SN_AUTO(clear_call)
    struct sn_lab_call call = {
        .lab = lab,
        .directory = lab->directory,
        .config = &lab->config,
        .events = lab->events,
        .faults = lab->faults,
        .center = lab->center,
        .base_url = sn_slice_str(lab->url),
        .random_source = lab->random_source,
        .request = request,
        .now_unix_ms = sn_lab_now_unix_ms(lab),
    };
    new_id(lab, call.request_id);
    new_id(lab, call.event_id);
    const struct sn_error *failed = run_call(&call, &err) == SN_OK ? NULL : &err;
    int status = failed != NULL ? sn_lab_error_status(call.service, err.code) : 200;
    if (call.route != NULL) {
        status = sn_lab_center_status(&call, failed != NULL ? err.code : NULL);
    }
    sn_lab_record(&call, failed, status);
    if (call.fault.kind == SN_LAB_FAULT_SLOW) {
        wait_slowly(lab, call.fault.slow_s);
    }
    sn_lab_answer(&call, failed, response);
}

void sn_lab_refuse(void *ctx, int status, const char *code, const char *message, struct sn_response *response)
{
    (void)ctx;
    response->status = status;
    response->content_type = "text/xml";
    sn_buf_addf(&response->body,
        "<ErrorResponse><Error><Type>Sender</Type><Code>%s</Code><Message>%s</Message></Error></ErrorResponse>\n", code,
        message);
}
