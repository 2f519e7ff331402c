/* SPDX-License-Identifier: Apache-2.0 */
/*
 * aws/logs.h - the calls to CloudWatch Logs by which records become durable. Thread-safe.
 *
 * Codes: LOGS_STREAM_NOT_FOUND (SN_NOT_FOUND: the group or the stream is missing), LOGS_ACCESS_DENIED (SN_DENIED),
 * LOGS_THROTTLED (SN_THROTTLED), LOGS_REJECTED (SN_PROTOCOL: events were left out), LOGS_ERROR for everything else.
 * The detail "effect" is "none" where the service certainly kept nothing, else "unknown".
 * https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html
 */
#ifndef SN_AWS_LOGS_H
#define SN_AWS_LOGS_H

#include "aws/json_client.h"

struct sn_logs;

enum {
    SN_LOGS_EVENT_FRAME_BYTES = 26, /* counted beside each message */
    SN_LOGS_BATCH_MAX_BYTES = 1048576,
    SN_LOGS_ANSWER_MAX_BYTES = 16384,
};

struct sn_log_event {
    int64_t unix_ms;
    struct sn_slice message;
};

SN_MUST_CHECK enum sn_status sn_logs_new(
    const struct sn_json_client_options *options, struct sn_logs **out_logs, struct sn_error *err);
void sn_logs_free(struct sn_logs *logs);

/* All events or none, in the order of their times, within the service's size of a batch (asserted) and timeout_ms. */
SN_MUST_CHECK enum sn_status sn_logs_put(struct sn_logs *logs, const char *group, const char *stream,
    const struct sn_log_event *events, size_t count, int timeout_ms, struct sn_error *err);
/* A stream that exists already is fine. */
SN_MUST_CHECK enum sn_status sn_logs_create_stream(
    struct sn_logs *logs, const char *group, const char *stream, int timeout_ms, struct sn_error *err);

#endif
