/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lab/call.h - one call of an AWS API inside the lab, from the verified signature to the recorded answer.
 *
 * Private to src/lab. An operation reads call->params, writes its result element into call->result and what CloudTrail
 * shows into call->parameters and call->elements (JSON, without secrets), or fails with AWS's code and words in err.
 */
#ifndef SN_LAB_CALL_H
#define SN_LAB_CALL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"
#include "codec/json.h"
#include "codec/uri.h"
#include "lab/config.h"
#include "lab/directory.h"
#include "lab/event.h"
#include "lab/fault.h"
#include "lab/identity_center.h"
#include "lab/lab.h"
#include "lab/policy.h"
#include "net/message.h"

enum {
    SN_LAB_ID_TEXT_MAX = 37,
    SN_LAB_MAX_PARAMS = 320,
    SN_LAB_TOKEN_TEXT_LEN = 32,
};

struct sn_lab_call;
struct sn_lab_route;
typedef enum sn_status (*sn_lab_operation_fn)(struct sn_lab_call *call, struct sn_error *err);

struct sn_lab_operation {
    const char *service; /* "sts" */
    const char *action;
    const char *version; /* of the query protocol; NULL: JSON 1.1 */
    bool read_only;
    sn_lab_operation_fn run;
};
extern const struct sn_lab_operation sn_lab_sts_operations[];
extern const struct sn_lab_operation sn_lab_iam_operations[];
extern const struct sn_lab_operation sn_lab_cloudtrail_operations[];

struct sn_lab_call {
    struct sn_lab *lab;
    struct sn_lab_directory *directory;
    const struct sn_lab_config *config;
    struct sn_lab_events *events;
    struct sn_lab_faults *faults;
    struct sn_lab_center *center; /* NULL: none */
    struct sn_slice base_url;     /* of the lab, without a slash at the end */
    const struct sn_random *random_source;
    const struct sn_request *request;
    struct sn_arena arena;
    struct sn_query query;  /* of the URL */
    struct sn_query params; /* of the call */
    struct sn_slice service, action, region;
    const struct sn_lab_operation *operation; /* NULL until known */
    const struct sn_lab_route *route;         /* of a call of Identity Center; NULL for all others */
    struct sn_slice location;                 /* of a page that sends the browser on; empty: none */
    struct sn_lab_key *caller;                /* NULL until the signature has been verified; counted */
    struct sn_lab_who who;
    struct sn_lab_fault fault;
    int64_t now_unix_ms; /* the lab's clock */
    char request_id[SN_LAB_ID_TEXT_MAX];
    char event_id[SN_LAB_ID_TEXT_MAX];
    struct sn_buf result;     /* XML inside <ActionResult>, or the whole JSON answer */
    struct sn_buf parameters; /* JSON object or empty */
    struct sn_buf elements;   /* JSON object or empty */
    struct sn_lab_resource resources[SN_LAB_EVENT_RESOURCES];
    size_t resource_count;
};

int64_t sn_lab_call_now_s(const struct sn_lab_call *call);
void sn_lab_call_resource(struct sn_lab_call *call, const char *type, struct sn_slice name);
/* <name>escaped text</name> */
void sn_lab_xml_element(struct sn_buf *buf, const char *name, struct sn_slice text);
void sn_lab_xml_time(struct sn_buf *buf, const char *name, int64_t unix_s);

/* --- access.c --- */

/* Condition keys that hold for every call of this caller. */
void sn_lab_access_facts(struct sn_lab_call *call, struct sn_lab_facts *out_facts);
/*
 * May the caller do this? role is the role whose trust policy decides (AssumeRole and its companions) or NULL. Fails
 * with AccessDenied in AWS's words.
 */
SN_MUST_CHECK enum sn_status sn_lab_access_check(struct sn_lab_call *call, const char *action, struct sn_slice resource,
    const struct sn_lab_role *role, const struct sn_lab_facts *facts, struct sn_error *err);

/* --- center_call.c --- */

/* The operation of IAM Identity Center at that method and path, or NULL. */
const struct sn_lab_route *sn_lab_center_route(const struct sn_request *request);
SN_MUST_CHECK enum sn_status sn_lab_center_run(struct sn_lab_call *call, struct sn_error *err);
/* code NULL: the call succeeded. */
int sn_lab_center_status(const struct sn_lab_call *call, const char *code);
void sn_lab_center_answer(struct sn_lab_call *call, const struct sn_error *err, struct sn_response *response);

/* --- answer.c --- */

/* Writes the answer (result or error) of a call, and applies faults of its form. */
void sn_lab_answer(struct sn_lab_call *call, const struct sn_error *err, struct sn_response *response);
/* HTTP status of one of AWS's error codes. */
int sn_lab_error_status(struct sn_slice service, const char *code);

/* --- record.c --- */

/* Journal line, and the CloudTrail event if the caller is known. err NULL: the call succeeded. */
void sn_lab_record(struct sn_lab_call *call, const struct sn_error *err, int status);

/* --- control.c --- */

bool sn_lab_is_control(const struct sn_request *request);
void sn_lab_control(struct sn_lab *lab, const struct sn_request *request, struct sn_response *response);

#endif
