/* SPDX-License-Identifier: Apache-2.0 */
/*
 * net/listen_socket.h - binding of the listener's addresses: TCP, IPv6, Unix sockets and inherited descriptors.
 *
 * Internal to the listener. A Unix socket's directory must belong to the server's user or root and must not be writable
 * by others; what lies at its path is replaced only when it is a dead socket of our own.
 */
#ifndef SN_NET_LISTEN_SOCKET_H
#define SN_NET_LISTEN_SOCKET_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

#include "base/error.h"
#include "net/message.h"

/* What an epoll event points to; first member of each such struct. */
enum sn_source_kind { SN_SOURCE_WAKE, SN_SOURCE_SOCKET, SN_SOURCE_CONN };

struct sn_listen_socket {
    enum sn_source_kind kind;
    int fd; /* -1: closed */
    bool is_metrics, is_unix;
    bool is_open; /* bound to an address off loopback */
    uint16_t port;
    char *unix_path; /* to be unlinked; NULL: none of ours */
    dev_t unix_device;
    ino_t unix_inode;
};

/* Binds and listens. needs_loopback: an address off loopback is refused, since what it carries would be readable. */
SN_MUST_CHECK enum sn_status sn_listen_socket_open(const char *text, bool is_metrics, bool needs_loopback,
    mode_t unix_mode, struct sn_listen_socket *out_socket, struct sn_error *err);
/* Takes a descriptor that somebody else bound. */
SN_MUST_CHECK enum sn_status sn_listen_socket_adopt(
    int fd, bool needs_loopback, struct sn_listen_socket *out_socket, struct sn_error *err);
/* Closes, and unlinks the path if it is still the socket that was bound. */
void sn_listen_socket_close(struct sn_listen_socket *listen_socket);

/* Fills what the kernel knows of the other end of an accepted connection. */
void sn_peer_fill(const struct sn_listen_socket *listen_socket, int fd, const struct sockaddr_storage *address,
    struct sn_peer *out_peer);

#endif
