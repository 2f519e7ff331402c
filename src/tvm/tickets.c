/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tvm/tickets.c - tickets by connection, in hash chains that are cleaned as they are walked.
 */
#include "tvm/tickets.h"

#include <pthread.h>
#include <string.h>

#include "base/alloc.h"
#include "base/secret.h"
#include "codec/base64.h"
#include "crypto/hash.h"

enum { BUCKETS = 1024, TICKETS_MAX = 16384, TICKET_BYTES = 32 };

struct ticket {
    struct ticket *next;
    uint64_t connection_id;
    unsigned char hash[SN_SHA256_LEN];
    int64_t ends_mono_ns;
    struct sn_caller caller;
};

struct sn_tickets {
    pthread_mutex_t lock;
    struct ticket *buckets[BUCKETS];
    size_t count, cursor;
};

struct sn_tickets *sn_tickets_new(void)
{
    struct sn_tickets *tickets = sn_alloc(1, sizeof(*tickets));

    pthread_mutex_init(&tickets->lock, NULL);
    return tickets;
}

/* Drops the tickets of a chain that have ended, and the one of a connection (0: none). */
static void clean(struct sn_tickets *tickets, size_t bucket, uint64_t connection_id, int64_t now_mono_ns)
{
    struct ticket **link = &tickets->buckets[bucket];

    while (*link != NULL) {
        struct ticket *ticket = *link;
        if (ticket->ends_mono_ns > now_mono_ns && ticket->connection_id != connection_id) {
            link = &ticket->next;
            continue;
        }
        *link = ticket->next;
        sn_wipe(ticket, sizeof(*ticket));
        sn_free(ticket);
        tickets->count--;
    }
}

void sn_tickets_free(struct sn_tickets *tickets)
{
    if (tickets == NULL) {
        return;
    }
    for (size_t i = 0; i < BUCKETS; i++) {
        clean(tickets, i, 0, INT64_MAX);
    }
    pthread_mutex_destroy(&tickets->lock);
    sn_free(tickets);
}

enum sn_status sn_tickets_give(struct sn_tickets *tickets, const struct sn_random *random_source,
    uint64_t connection_id, const struct sn_caller *caller, int64_t now_mono_ns, int64_t seconds,
    char out_text[SN_TICKET_TEXT_LEN + 1], bool *out_given, struct sn_error *err)
{
    unsigned char bytes[TICKET_BYTES];
    SN_AUTO(sn_buf_clear) struct sn_buf text = {0};
    size_t bucket = (size_t)(connection_id % BUCKETS);

    SN_TRY(sn_random_fill(random_source, bytes, sizeof(bytes), err));
    sn_base64url_encode(&text, bytes, sizeof(bytes));
    sn_wipe(bytes, sizeof(bytes));
    SN_ASSERT(text.len == SN_TICKET_TEXT_LEN);

    pthread_mutex_lock(&tickets->lock);
    clean(tickets, bucket, connection_id, now_mono_ns);
    tickets->cursor = (tickets->cursor + 1) % BUCKETS;
    clean(tickets, tickets->cursor, 0, now_mono_ns);
    *out_given = tickets->count < TICKETS_MAX;
    if (*out_given) {
        struct ticket *ticket = sn_alloc(1, sizeof(*ticket));
        ticket->connection_id = connection_id;
        sn_sha256(sn_buf_slice(&text), ticket->hash);
        ticket->ends_mono_ns = now_mono_ns + seconds * 1000000000;
        ticket->caller = *caller;
        ticket->next = tickets->buckets[bucket];
        tickets->buckets[bucket] = ticket;
        tickets->count++;
        memcpy(out_text, text.ptr, SN_TICKET_TEXT_LEN + 1);
    }
    pthread_mutex_unlock(&tickets->lock);
    return SN_OK;
}

bool sn_tickets_use(struct sn_tickets *tickets, struct sn_slice text, uint64_t connection_id, int64_t now_mono_ns,
    struct sn_caller *out_caller)
{
    unsigned char hash[SN_SHA256_LEN];
    bool found = false;

    if (text.len != SN_TICKET_TEXT_LEN) {
        return false;
    }
    sn_sha256(text, hash);
    pthread_mutex_lock(&tickets->lock);
    for (struct ticket *t = tickets->buckets[connection_id % BUCKETS]; t != NULL && !found; t = t->next) {
        found = t->connection_id == connection_id && t->ends_mono_ns > now_mono_ns &&
                sn_slice_eq_const_time(sn_slice_bytes(t->hash, sizeof(t->hash)), sn_slice_bytes(hash, sizeof(hash)));
        if (found) {
            *out_caller = t->caller;
        }
    }
    pthread_mutex_unlock(&tickets->lock);
    return found;
}

size_t sn_tickets_count(struct sn_tickets *tickets)
{
    pthread_mutex_lock(&tickets->lock);
    size_t count = tickets->count;
    pthread_mutex_unlock(&tickets->lock);
    return count;
}
