/* SPDX-License-Identifier: Apache-2.0 */
/* vault/device_id.c - the identifier of this machine; see device_id.h. */
#include "vault/device_id.h"

#include <stdio.h>

#include "base/buf.h"
#include "base/fs.h"
#include "base/secret.h"
#include "crypto/hash.h"

enum { MACHINE_ID_LEN = 32, FILE_MAX = 256 };

static const char *const machine_id_files[] = {"/var/lib/dbus/machine-id", "/etc/machine-id"};

static bool is_machine_id(struct sn_slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'))) {
            return false;
        }
    }
    return text.len == MACHINE_ID_LEN;
}

enum sn_status sn_device_id_of(struct sn_slice machine_id, char out_id[SN_DEVICE_ID_LEN + 1], struct sn_error *err)
{
    unsigned char hash[SN_SHA256_LEN];

    out_id[0] = '\0';
    while (machine_id.len > 0 && sn_slice_has_byte(SN_S(" \t\r\n"), machine_id.ptr[machine_id.len - 1])) {
        machine_id.len--;
    }
    while (machine_id.len > 0 && sn_slice_has_byte(SN_S(" \t\r\n"), machine_id.ptr[0])) {
        machine_id = sn_slice_sub(machine_id, 1, machine_id.len);
    }
    if (!is_machine_id(machine_id)) {
        return sn_fail(err, SN_UNAVAILABLE, "DEVICE_ID_UNAVAILABLE", "the machine id is not 32 hexadecimal digits");
    }
    sn_hmac_sha256(machine_id, SN_S("sentinel-device-posture"), hash);
    for (size_t i = 0; i < sizeof(hash); i++) {
        snprintf(out_id + 2 * i, 3, "%02x", hash[i]);
    }
    return SN_OK;
}

enum sn_status sn_device_id(char out_id[SN_DEVICE_ID_LEN + 1], struct sn_error *err)
{
    out_id[0] = '\0';
    for (size_t i = 0; i < SN_LEN(machine_id_files); i++) {
        SN_AUTO(sn_buf_clear) struct sn_buf text = {0};
        struct sn_error unread = {0};
        if (sn_fs_read(machine_id_files[i], FILE_MAX, &text, &unread) == SN_OK) {
            enum sn_status status = sn_device_id_of(sn_buf_slice(&text), out_id, err);
            sn_wipe(text.ptr, text.len);
            return status;
        }
    }
    return sn_fail(err, SN_UNAVAILABLE, "DEVICE_ID_UNAVAILABLE", "this machine has no machine id");
}
