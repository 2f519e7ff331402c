/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vault/device_id.h - the identifier by which a device management knows this machine.
 *
 * A keyed hash of the machine id, so that the id itself, which other programs derive secrets from, never leaves the
 * process. It is no credential: whoever knows it can claim it, and the server believes only what the management says.
 */
#ifndef SN_VAULT_DEVICE_ID_H
#define SN_VAULT_DEVICE_ID_H

#include "base/error.h"
#include "base/slice.h"

enum { SN_DEVICE_ID_LEN = 64 };

/* The identifier of a machine id: 32 hexadecimal digits, white space around them ignored. DEVICE_ID_UNAVAILABLE. */
SN_MUST_CHECK enum sn_status sn_device_id_of(
    struct sn_slice machine_id, char out_id[SN_DEVICE_ID_LEN + 1], struct sn_error *err);
/* Of this machine: /var/lib/dbus/machine-id, else /etc/machine-id. There is no substitute where both are missing. */
SN_MUST_CHECK enum sn_status sn_device_id(char out_id[SN_DEVICE_ID_LEN + 1], struct sn_error *err);

#endif
