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

/* seed hides from callers which keys share a chain. not_before: an instant that has passed already; 0: none is known.
 */
struct sn_replay *sn_replay_new(size_t max_entries, uint64_t seed, int64_t not_before_unix_s);
void sn_replay_free(struct sn_replay *replay);
/*
 * Enters the key as running. A proof that ended at or before an instant that was ever given as now counts as seen: it
 * may have been used and forgotten before the clock stepped back.
 */
enum sn_replay_answer sn_replay_begin(
    struct sn_replay *replay, const unsigned char key[SN_PROOF_KEY_LEN], int64_t expires_unix_s, int64_t now_unix_s);
/* STS refused the proof: it may be sent again. */
void sn_replay_forget(struct sn_replay *replay, const unsigned char key[SN_PROOF_KEY_LEN]);
size_t sn_replay_count(struct sn_replay *replay);

#endif
