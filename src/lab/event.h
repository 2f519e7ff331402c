/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lab/event.h - what happened: CloudTrail's memory and the journal file.
 *
 * Events are kept in a ring of SN_LAB_MAX_EVENTS; older ones are forgotten. The journal gets one line of JSON a call,
 * written before the answer leaves and never fsynced. Thread-safe.
 */
#ifndef SN_LAB_EVENT_H
#define SN_LAB_EVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/slice.h"

enum { SN_LAB_MAX_EVENTS = 65536, SN_LAB_EVENT_RESOURCES = 3 };

struct sn_lab_resource {
    struct sn_slice type, name; /* "AWS::IAM::Role", ARN */
};

struct sn_lab_event {
    int64_t unix_s;
    bool read_only;
    struct sn_slice id, name, source, username, access_key, json;
    struct sn_lab_resource resources[SN_LAB_EVENT_RESOURCES];
    size_t resource_count;
};

enum sn_lab_attribute {
    SN_LAB_BY_NOTHING,
    SN_LAB_BY_EVENT_ID,
    SN_LAB_BY_EVENT_NAME,
    SN_LAB_BY_READ_ONLY,
    SN_LAB_BY_USERNAME,
    SN_LAB_BY_RESOURCE_TYPE,
    SN_LAB_BY_RESOURCE_NAME,
    SN_LAB_BY_EVENT_SOURCE,
    SN_LAB_BY_ACCESS_KEY,
};

struct sn_lab_lookup {
    enum sn_lab_attribute attribute;
    struct sn_slice value;
    int64_t from_unix_s, to_unix_s; /* both included */
    uint64_t below;                 /* only events with a smaller number; UINT64_MAX: all */
    size_t max;
};

struct sn_lab_events;

struct sn_lab_events *sn_lab_events_new(void);
void sn_lab_events_free(struct sn_lab_events *events);
/* Opens the journal for appending; without it only the ring is kept. */
SN_MUST_CHECK enum sn_status sn_lab_events_open_journal(
    struct sn_lab_events *events, const char *path, struct sn_error *err);
void sn_lab_events_add(struct sn_lab_events *events, const struct sn_lab_event *event);
/* line ends with a newline. A journal that cannot be written is reported once on the log. */
void sn_lab_events_journal(struct sn_lab_events *events, struct sn_slice line);
/*
 * Appends the matching events, newest first, as the elements of a JSON array (commas, no brackets). Returns the number
 * of the last one when more follow, else 0.
 */
uint64_t sn_lab_events_lookup(struct sn_lab_events *events, const struct sn_lab_lookup *lookup, struct sn_buf *out);

#endif
