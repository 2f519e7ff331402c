/* SPDX-License-Identifier: Apache-2.0 */
/*
 * platform/peer.h - which process is at the other end of a local connection.
 *
 * For TCP the kernel tells no peer credentials. The connecting socket's owner and inode stand in /proc/net/tcp (or
 * tcp6, for dual-stack sockets), its holders are found through /proc/<pid>/fd. What cannot be resolved is refused.
 */
#ifndef SN_PLATFORM_PEER_H
#define SN_PLATFORM_PEER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "base/slice.h"

enum {
    SN_PROC_NET_MAX_BYTES = 16 * 1024 * 1024, /* about 100,000 sockets */
    SN_PROC_MAX_DEPTH = 512,                  /* of a chain of parents */
};

/* The socket whose own end is 127.0.0.1:port and whose other end is 127.0.0.1:local_port. */
struct sn_peer_socket {
    uid_t uid;
    uint64_t inode;
};

/*
 * Searches the text of /proc/net/tcp or tcp6 (v4-mapped addresses). Only established connections count. False when the
 * socket is absent, stands there twice, or has no inode any more.
 */
bool sn_proc_net_find(struct sn_slice table, uint16_t port, uint16_t local_port, struct sn_peer_socket *out_socket);

/* Parent of a process from the text of /proc/<pid>/stat; false when it is not of that form. */
bool sn_proc_stat_parent(struct sn_slice stat, pid_t *out_parent);

/* True if pid is a child, grandchild, ... of ancestor (not ancestor itself). False when that cannot be read. */
bool sn_process_descends(pid_t pid, pid_t ancestor);

/*
 * Checks the client of a loopback TCP connection: the socket belongs to uid, at least one process holds it, and every
 * process that can be seen to hold it descends from ancestor. SN_DENIED, PEER_REFUSED with the reason otherwise.
 */
SN_MUST_CHECK enum sn_status sn_peer_check_tcp(
    uint16_t port, uint16_t local_port, uid_t uid, pid_t ancestor, struct sn_error *err);
/* The same for a Unix socket (SO_PEERCRED of fd). */
SN_MUST_CHECK enum sn_status sn_peer_check_unix(int fd, uid_t uid, pid_t ancestor, struct sn_error *err);

#endif
