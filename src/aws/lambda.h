/* SPDX-License-Identifier: Apache-2.0 */
/*
 * aws/lambda.h - the Lambda custom runtime: events in, the same handler as the listener's, envelopes out.
 *
 * Events are those of an API Gateway HTTP API (payload format 2.0) or of a Function URL, which has the same form. Who
 * calls is told by requestContext.authorizer.iam and by nothing else in the event. One event at a time, one thread.
 */
#ifndef SN_AWS_LAMBDA_H
#define SN_AWS_LAMBDA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/slice.h"
#include "codec/json.h"
#include "net/listener.h"
#include "net/message.h"

enum {
    SN_LAMBDA_DEADLINE_MARGIN_MS = 500,    /* kept back from the function's time, to answer 504 ourselves */
    SN_LAMBDA_MAX_EVENT = 7 * 1024 * 1024, /* the service sends at most 6 MB */
};

/* --- Events, without I/O --- */

/* A parsed event; the request's slices point into it. Starts zeroed. */
struct sn_lambda_event {
    struct sn_request request;
    struct sn_iam_context iam;
    struct sn_json_doc *doc;
    struct sn_buf body; /* decoded, when it came as base64 */
};

/*
 * Fails with SN_INVALID, LAMBDA_EVENT when the text is no such event. The stage's prefix and one trailing '/' are gone
 * from the path. Deadline, limits of query and body are not looked at.
 */
SN_MUST_CHECK enum sn_status sn_lambda_event_parse(
    struct sn_slice text, struct sn_lambda_event *out_event, struct sn_error *err);
void sn_lambda_event_clear(struct sn_lambda_event *event);

/* Appends {"statusCode":…,"headers":{…},"body":"…","isBase64Encoded":false}. */
void sn_lambda_format_response(struct sn_buf *buf, const struct sn_response *response);

/* --- The loop --- */

struct sn_lambda;

struct sn_lambda_options {
    const char *runtime_api;      /* AWS_LAMBDA_RUNTIME_API: host and port */
    const struct sn_clock *clock; /* NULL: the system's */
    size_t max_body;              /* 0: 65,536 */
    sn_handler_fn handle;
    sn_refuse_fn refuse; /* for the limits that the listener keeps elsewhere; NULL: as net/listener.h */
    void *ctx;
};

SN_MUST_CHECK enum sn_status sn_lambda_new(
    const struct sn_lambda_options *options, struct sn_lambda **out_lambda, struct sn_error *err);
void sn_lambda_free(struct sn_lambda *lambda);
/*
 * Waits for one event and answers it; one that is malformed is reported as the invocation's error, which is SN_OK here.
 * Fails when the runtime API cannot be reached or does not keep to its protocol (LAMBDA_RUNTIME or a code of
 * net/client.h): the process then ends and the service starts another.
 */
SN_MUST_CHECK enum sn_status sn_lambda_step(struct sn_lambda *lambda, struct sn_error *err);
/* Steps until one fails. */
SN_MUST_CHECK enum sn_status sn_lambda_run(struct sn_lambda *lambda, struct sn_error *err);

#endif
