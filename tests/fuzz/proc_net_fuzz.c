/* SPDX-License-Identifier: Apache-2.0 */
/*
 * proc_net_fuzz.c - the kernel's table of sockets and a process's stat line: what is found names a socket with an
 * inode.
 */
#include "fuzz.h"
#include "platform/peer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sn_peer_socket found = {0};
    pid_t parent = -1;

    if (sn_proc_net_find(sn_slice_bytes(data, size), 50000, 8080, &found)) {
        FUZZ_CHECK(found.inode != 0);
    }
    if (sn_proc_stat_parent(sn_slice_bytes(data, size), &parent)) {
        FUZZ_CHECK(parent >= 0);
    }
    return 0;
}
