/* SPDX-License-Identifier: Apache-2.0 */
/*
 * aws/json_client.h - calls to the services that speak AWS's JSON 1.0 and 1.1 protocols (DynamoDB, SSM, KMS).
 *
 * A call is signed, sent and tried again on network faults, throttling and 5xx, as often as its service says (three
 * times), with jittered waits in between; all of it ends SN_JSON_CALL_MS after its begin. The answer is read strictly.
 * Thread-safe: connections are kept warm in a stack, each used by one call at a time.
 */
#ifndef SN_AWS_JSON_CLIENT_H
#define SN_AWS_JSON_CLIENT_H

#include "aws/credentials.h"
#include "aws/transport.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/random.h"
#include "codec/json.h"

enum { SN_JSON_CALL_CONNECT_MS = 2000, SN_JSON_CALL_MS = 5000, SN_JSON_CALL_TRIES = 3, SN_AWS_CODE_MAX = 64 };

struct sn_json_client;

struct sn_json_client_options {
    const char *endpoint; /* from sn_endpoint_url */
    const char *region;
    const struct sn_credential_source *source;
    const struct sn_clock *clock;          /* NULL: the system's */
    const struct sn_random *random_source; /* of the waits; NULL: the system's */
    const char *ca_file;                   /* as in net/client.h */
    const struct sn_transport *transport;  /* NULL: net/client.h and the system's sleep; else used as it is */
};

/* What differs between services. Constants. */
struct sn_json_service {
    const char *label;        /* "SSM", for messages */
    const char *name;         /* "ssm", as it is signed */
    const char *prefix;       /* "AmazonSSM": the target's */
    const char *content_type; /* NULL: application/x-amz-json-1.1 */
    /* The longest wait before each further try; what is waited lies between half of it and all of it. NULL: the usual.
     */
    const int *retry_wait_ms;
    size_t retry_count;
    /* Adds to err (AWS_REFUSED) what the body of a refusal says beside its code, and may make it retryable; or NULL. */
    void (*on_refusal)(const char *code, const struct sn_json *body, struct sn_error *err);
};

/* options->source, clock and random_source outlive it. INVALID_ENDPOINT. */
SN_MUST_CHECK enum sn_status sn_json_client_new(const struct sn_json_service *service,
    const struct sn_json_client_options *options, struct sn_json_client **out_client, struct sn_error *err);
void sn_json_client_free(struct sn_json_client *client);

/*
 * One call. Codes: AWS_REFUSED (the service said no: detail "aws_code"), AWS_THROTTLED, AWS_UNAVAILABLE, AWS_TIMEOUT,
 * AWS_ANSWER_INVALID; what the credential source says is passed on. The detail "effect" of a failure is "unknown" when
 * some try may have been carried out (its answer was lost or was no answer of the service), else "none". *out_doc holds
 * an object; NULL for an action that answers with nothing.
 */
SN_MUST_CHECK enum sn_status sn_json_client_call(struct sn_json_client *client, const char *action,
    struct sn_slice body, size_t max_bytes, struct sn_json_doc **out_doc, struct sn_error *err);
/* The same for a caller with less time than SN_JSON_CALL_MS: all tries end within timeout_ms. */
SN_MUST_CHECK enum sn_status sn_json_client_call_within(struct sn_json_client *client, const char *action,
    struct sn_slice body, size_t max_bytes, int timeout_ms, struct sn_json_doc **out_doc, struct sn_error *err);

/* --- Pure parts, for their tests. --- */
struct sn_json_answer {
    int status;
    struct sn_slice content_type, error_type; /* the headers Content-Type and X-Amzn-ErrorType */
    struct sn_slice body;
};
struct sn_json_fault {
    char code[SN_AWS_CODE_MAX + 1]; /* "" when the answer is no error of the service */
    char message[301];              /* made printable; "" where it may repeat what was signed */
};
void sn_json_parse_fault(const struct sn_json_answer *answer, struct sn_json_fault *out_fault);
/* SN_PROTOCOL, AWS_ANSWER_INVALID for everything but a 200 that holds one object. */
SN_MUST_CHECK enum sn_status sn_json_parse_answer(
    const struct sn_json_answer *answer, size_t max_bytes, struct sn_json_doc **out_doc, struct sn_error *err);
bool sn_json_code_is_throttle(const char *code);

#endif
