/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tvm/replay.h - proofs that are running or spent.
 *
 * A proof is entered before STS is asked and stays until its end when STS accepted it. When the cache is full a new
 * proof is refused; nothing is ever evicted. Thread-safe.
 */
#ifndef SN_TVM_REPLAY_H
#define SN_TVM_REPLAY_H

#include <stddef.h>
#include <stdint.h>

#include "base/random.h"
#include "core/session/session.h"

struct sn_replay;

enum sn_replay_answer { SN_REPLAY_NEW, SN_REPLAY_SEEN, SN_REPLAY_FULL };

/* seed hides from callers which keys share a chain. */
struct sn_replay *sn_replay_new(size_t max_entries, uint64_t seed);
void sn_replay_free(struct sn_replay *replay);
/* Enters the key as running. */
enum sn_replay_answer sn_replay_begin(
    struct sn_replay *replay, const unsigned char key[SN_PROOF_KEY_LEN], int64_t expires_unix_s, int64_t now_unix_s);
/* STS refused the proof: it may be sent again. */
void sn_replay_forget(struct sn_replay *replay, const unsigned char key[SN_PROOF_KEY_LEN]);
size_t sn_replay_count(struct sn_replay *replay);

#endif
