/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store/key_file.h - the key files of the server: audit.key and state.key.
 *
 * Lines "key_id:hex", or one bare hex key; 0600, owned by the user of the process or root. A file made here holds one
 * line with id k1 and 32 random bytes.
 */
#ifndef SN_STORE_KEY_FILE_H
#define SN_STORE_KEY_FILE_H

#include <stdbool.h>

#include "base/error.h"
#include "base/random.h"
#include "core/audit/chain.h"
#include "core/session/seal.h"

/*
 * Reads the audit keys; the last line signs. A missing file is made when maker is not NULL, else SN_NOT_FOUND. Others:
 * FILE_PERMISSIONS, INVALID_AUDIT_KEY with the path as context.
 */
SN_MUST_CHECK enum sn_status sn_audit_key_file_load(const char *path, const char *bare_id,
    const struct sn_random *maker, struct sn_audit_keys *out_keys, struct sn_error *err);
/*
 * A ring of sealing keys out of the same lines: the last one seals and comes first. The keys are moved. SN_LIMIT,
 * INVALID_STATE_KEY.
 */
SN_MUST_CHECK enum sn_status sn_seal_keys_from(
    struct sn_audit_keys *keys, struct sn_seal_keys *out_keys, struct sn_error *err);
/* The same for record seals: the last line seals and comes first in the ring, the others only verify. */
SN_MUST_CHECK enum sn_status sn_seal_key_file_load(const char *path, const char *bare_id, const struct sn_random *maker,
    struct sn_seal_keys *out_keys, struct sn_error *err);
/*
 * The sealing keys of the database at db_path: made on the first start, but never for a database that holds rows, whose
 * seals nobody could check any more (STATE_KEY_LOST).
 */
SN_MUST_CHECK enum sn_status sn_seal_key_file_load_for(const char *path, const char *bare_id, const char *db_path,
    const struct sn_random *maker, struct sn_seal_keys *out_keys, struct sn_error *err);

#endif
