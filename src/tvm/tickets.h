/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tvm/tickets.h - tickets that save further proofs on one connection.
 *
 * A ticket is good on the very connection it was given on, until its end. One a connection: a new one replaces it. Only
 * the hash of a ticket is kept. Thread-safe.
 */
#ifndef SN_TVM_TICKETS_H
#define SN_TVM_TICKETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "aws/sts.h"
#include "base/error.h"
#include "base/random.h"
#include "base/slice.h"

struct sn_tickets;

enum { SN_TICKET_TEXT_LEN = 43 };

struct sn_tickets *sn_tickets_new(void);
void sn_tickets_free(struct sn_tickets *tickets);
/* Fails when the random source does. False in *out_given when there is no room. */
SN_MUST_CHECK enum sn_status sn_tickets_give(struct sn_tickets *tickets, const struct sn_random *random_source,
    uint64_t connection_id, const struct sn_caller *caller, int64_t now_mono_ns, int64_t seconds,
    char out_text[SN_TICKET_TEXT_LEN + 1], bool *out_given, struct sn_error *err);
/* True, with the caller, if the text is the connection's ticket and has not ended. */
bool sn_tickets_use(struct sn_tickets *tickets, struct sn_slice text, uint64_t connection_id, int64_t now_mono_ns,
    struct sn_caller *out_caller);
size_t sn_tickets_count(struct sn_tickets *tickets);

#endif
