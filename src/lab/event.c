/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lab/event.c - CloudTrail's memory and the journal file.
 */
#include "lab/event.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fs.h"
#include "base/log.h"
#include "codec/json.h"

struct sn_lab_events {
    pthread_mutex_t lock;
    pthread_mutex_t journal_lock;
    struct sn_lab_event **ring; /* event number n at n % SN_LAB_MAX_EVENTS; numbers from 1 */
    uint64_t next;
    int journal_fd;
    bool journal_failed;
};

struct sn_lab_events *sn_lab_events_new(void)
{
    struct sn_lab_events *events = sn_alloc(1, sizeof(*events));
    events->ring = sn_alloc(SN_LAB_MAX_EVENTS, sizeof(struct sn_lab_event *));
    events->next = 1;
    events->journal_fd = -1;
    SN_ASSERT(pthread_mutex_init(&events->lock, NULL) == 0);
    SN_ASSERT(pthread_mutex_init(&events->journal_lock, NULL) == 0);
    return events;
}

void sn_lab_events_free(struct sn_lab_events *events)
{
    if (events == NULL) {
        return;
    }
    for (size_t i = 0; i < SN_LAB_MAX_EVENTS && i < events->next; i++) {
        sn_free(events->ring[i]);
    }
    sn_free(events->ring);
    sn_fd_close(&events->journal_fd);
    pthread_mutex_destroy(&events->lock);
    pthread_mutex_destroy(&events->journal_lock);
    sn_free(events);
}

enum sn_status sn_lab_events_open_journal(struct sn_lab_events *events, const char *path, struct sn_error *err)
{
    events->journal_fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (events->journal_fd < 0) {
        return sn_fail_errno(err, "LAB_JOURNAL", errno, "cannot open '%s'", path);
    }
    return SN_OK;
}

void sn_lab_events_journal(struct sn_lab_events *events, struct sn_slice line)
{
    struct sn_error err = {0};
    if (events->journal_fd < 0) {
        return;
    }
    pthread_mutex_lock(&events->journal_lock);
    bool failed = sn_fd_write_all(events->journal_fd, line, &err) != SN_OK;
    bool first = failed && !events->journal_failed;
    events->journal_failed = failed;
    pthread_mutex_unlock(&events->journal_lock);
    if (first) {
        sn_log_error_of(SN_LOG_ERROR, "lab.journal", "the journal cannot be written", &err, NULL);
    }
}

/* All slices of an event, so that one block of memory can hold it with its text. */
enum { EVENT_SLICES = 6 + 2 * SN_LAB_EVENT_RESOURCES };

static void slices_of(struct sn_lab_event *event, struct sn_slice *out[EVENT_SLICES])
{
    size_t n = 0;
    out[n++] = &event->id;
    out[n++] = &event->name;
    out[n++] = &event->source;
    out[n++] = &event->username;
    out[n++] = &event->access_key;
    out[n++] = &event->json;
    for (size_t i = 0; i < SN_LAB_EVENT_RESOURCES; i++) {
        out[n++] = &event->resources[i].type;
        out[n++] = &event->resources[i].name;
    }
}

static struct sn_lab_event *copy_event(const struct sn_lab_event *event)
{
    struct sn_lab_event found = *event;
    struct sn_slice *slices[EVENT_SLICES];
    size_t len = 0;
    slices_of(&found, slices);
    for (size_t i = 0; i < EVENT_SLICES; i++) {
        len += slices[i]->len;
    }
    struct sn_lab_event *copy = sn_alloc(1, sizeof(*copy) + len);
    char *place = (char *)(copy + 1);
    for (size_t i = 0; i < EVENT_SLICES; i++) {
        if (slices[i]->len > 0) {
            memcpy(place, slices[i]->ptr, slices[i]->len);
        }
        slices[i]->ptr = place;
        place += slices[i]->len;
    }
    *copy = found;
    return copy;
}

void sn_lab_events_add(struct sn_lab_events *events, const struct sn_lab_event *event)
{
    struct sn_lab_event *copy = copy_event(event);
    pthread_mutex_lock(&events->lock);
    struct sn_lab_event **place = &events->ring[events->next++ % SN_LAB_MAX_EVENTS];
    struct sn_lab_event *forgotten = *place;
    *place = copy;
    pthread_mutex_unlock(&events->lock);
    sn_free(forgotten);
}

static bool has_resource(const struct sn_lab_event *event, struct sn_slice value, bool by_name)
{
    for (size_t i = 0; i < event->resource_count; i++) {
        if (sn_slice_eq(by_name ? event->resources[i].name : event->resources[i].type, value)) {
            return true;
        }
    }
    return false;
}

static bool matches(const struct sn_lab_event *event, const struct sn_lab_lookup *lookup)
{
    if (event->unix_s < lookup->from_unix_s || event->unix_s > lookup->to_unix_s) {
        return false;
    }
    switch (lookup->attribute) {
    case SN_LAB_BY_NOTHING:
        return true;
    case SN_LAB_BY_EVENT_ID:
        return sn_slice_eq(event->id, lookup->value);
    case SN_LAB_BY_EVENT_NAME:
        return sn_slice_eq(event->name, lookup->value);
    case SN_LAB_BY_READ_ONLY:
        return sn_slice_eq_str(lookup->value, event->read_only ? "true" : "false");
    case SN_LAB_BY_USERNAME:
        return sn_slice_eq(event->username, lookup->value);
    case SN_LAB_BY_RESOURCE_TYPE:
        return has_resource(event, lookup->value, false);
    case SN_LAB_BY_RESOURCE_NAME:
        return has_resource(event, lookup->value, true);
    case SN_LAB_BY_EVENT_SOURCE:
        return sn_slice_eq(event->source, lookup->value);
    case SN_LAB_BY_ACCESS_KEY:
        return sn_slice_eq(event->access_key, lookup->value);
    }
    return false;
}

static void put_event(struct sn_json_writer *w, const struct sn_lab_event *event)
{
    sn_json_begin_object(w);
    sn_json_member_text(w, "EventId", event->id);
    sn_json_member_text(w, "EventName", event->name);
    sn_json_member_str(w, "ReadOnly", event->read_only ? "true" : "false");
    if (event->access_key.len > 0) {
        sn_json_member_text(w, "AccessKeyId", event->access_key);
    }
    sn_json_member_int(w, "EventTime", event->unix_s);
    sn_json_member_text(w, "EventSource", event->source);
    if (event->username.len > 0) {
        sn_json_member_text(w, "Username", event->username);
    }
    sn_json_key(w, "Resources");
    sn_json_begin_array(w);
    for (size_t i = 0; i < event->resource_count; i++) {
        sn_json_begin_object(w);
        sn_json_member_text(w, "ResourceType", event->resources[i].type);
        sn_json_member_text(w, "ResourceName", event->resources[i].name);
        sn_json_end_object(w);
    }
    sn_json_end_array(w);
    sn_json_member_text(w, "CloudTrailEvent", event->json);
    sn_json_end_object(w);
}

uint64_t sn_lab_events_lookup(struct sn_lab_events *events, const struct sn_lab_lookup *lookup, struct sn_buf *out)
{
    uint64_t last = 0;
    size_t count = 0;
    bool more = false;
    pthread_mutex_lock(&events->lock);
    uint64_t newest = events->next - 1;
    uint64_t oldest = newest > SN_LAB_MAX_EVENTS ? newest - SN_LAB_MAX_EVENTS + 1 : 1;
    uint64_t number = lookup->below <= newest ? lookup->below - 1 : newest;
    for (; number >= oldest && number > 0; number--) {
        const struct sn_lab_event *event = events->ring[number % SN_LAB_MAX_EVENTS];
        if (!matches(event, lookup)) {
            continue;
        }
        if (count == lookup->max) {
            more = true;
            break;
        }
        if (count++ > 0) {
            sn_buf_add_byte(out, ',');
        }
        struct sn_json_writer w;
        sn_json_writer_init(&w, out);
        put_event(&w, event);
        last = number;
    }
    pthread_mutex_unlock(&events->lock);
    return more ? last : 0;
}
