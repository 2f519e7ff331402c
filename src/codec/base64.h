/* SPDX-License-Identifier: Apache-2.0 */
/*
 * codec/base64.h - base64 and base64url (RFC 4648) and hexadecimal; decoders are strict and canonical.
 */
#ifndef SN_CODEC_BASE64_H
#define SN_CODEC_BASE64_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/slice.h"

void sn_base64_encode(struct sn_buf *buf, const void *bytes, size_t len);    /* with padding */
void sn_base64url_encode(struct sn_buf *buf, const void *bytes, size_t len); /* without padding */
/* Fail with SN_INVALID, INVALID_BASE64: other characters, wrong padding, unused bits that are not 0. */
SN_MUST_CHECK enum sn_status sn_base64_decode(struct sn_slice text, struct sn_buf *out_bytes, struct sn_error *err);
SN_MUST_CHECK enum sn_status sn_base64url_decode(struct sn_slice text, struct sn_buf *out_bytes, struct sn_error *err);
/* Exactly out_len bytes from 2 * out_len digits; upper case only when allow_upper. SN_INVALID, INVALID_HEX. */
SN_MUST_CHECK enum sn_status sn_hex_decode(
    struct sn_slice text, bool allow_upper, void *out_bytes, size_t out_len, struct sn_error *err);

#endif
