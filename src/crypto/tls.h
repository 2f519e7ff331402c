/* SPDX-License-Identifier: Apache-2.0 */
/*
 * crypto/tls.h - TLS for the listener: server side only, TLS 1.2 (ECDHE, AEAD) and 1.3, ALPN http/1.1.
 *
 * A context is immutable after loading and counted, so that a reload can swap it while connections go on under the old
 * one. Sessions work on non-blocking sockets.
 */
#ifndef SN_CRYPTO_TLS_H
#define SN_CRYPTO_TLS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"

struct sn_tls_context;
struct sn_tls_session;

/* Reads chain and key (key file: not readable by others, not writable by the group) and checks that they match. */
SN_MUST_CHECK enum sn_status sn_tls_context_load(
    const char *cert_file, const char *key_file, struct sn_tls_context **out_context, struct sn_error *err);
struct sn_tls_context *sn_tls_context_ref(struct sn_tls_context *context);
void sn_tls_context_unref(struct sn_tls_context *context);
/* End of validity of the leaf certificate. */
int64_t sn_tls_context_not_after_unix_s(const struct sn_tls_context *context);

enum sn_tls_wait { SN_TLS_DONE, SN_TLS_WANT_READ, SN_TLS_WANT_WRITE, SN_TLS_CLOSED, SN_TLS_FAILED };

struct sn_tls_session *sn_tls_session_new(struct sn_tls_context *context, int fd);
void sn_tls_session_free(struct sn_tls_session *session); /* sends close_notify once, without waiting */
enum sn_tls_wait sn_tls_handshake(struct sn_tls_session *session);
/* On SN_TLS_DONE *out_len bytes were moved. */
enum sn_tls_wait sn_tls_read(struct sn_tls_session *session, void *bytes, size_t len, size_t *out_len);
enum sn_tls_wait sn_tls_write(struct sn_tls_session *session, const void *bytes, size_t len, size_t *out_len);

#endif
