/* SPDX-License-Identifier: Apache-2.0 */
/*
 * platform/peer.c - peers of local connections, through /proc (Linux).
 */
#include "platform/peer.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fs.h"
#include "base/parse.h"

enum { READ_PIECE = 64 * 1024, STAT_MAX_BYTES = 4096, PROC_PATH_SIZE = 64 };
enum { COLUMN_LOCAL = 1, COLUMN_REMOTE = 2, COLUMN_STATE = 3, COLUMN_UID = 7, COLUMN_INODE = 9, COLUMNS = 10 };

/* Reads a file of /proc, whose size is not known before. */
static bool read_proc(const char *path, size_t max_bytes, struct sn_buf *out)
{
    SN_AUTO(sn_fd_close) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

    out->max = max_bytes + READ_PIECE;
    while (fd >= 0) {
        char *room = sn_buf_reserve(out, READ_PIECE);
        if (room == NULL) {
            return false;
        }
        ssize_t got = read(fd, room, READ_PIECE);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            return got == 0;
        }
        out->len += (size_t)got;
    }
    return false;
}

/* --- /proc/net/tcp --- */

/* The next part between blanks. */
static bool next_column(struct sn_slice *rest, struct sn_slice *out)
{
    do {
        if (!sn_slice_next(rest, ' ', out)) {
            return false;
        }
    } while (out->len == 0);
    return true;
}

/* True for the address column of 127.0.0.1:port, as the kernel prints it on this machine (network order bytes as a
 * native word), also v4-mapped in tcp6. */
static bool is_loopback_port(struct sn_slice column, uint16_t port)
{
    static const unsigned char address[4] = {127, 0, 0, 1};
    static const unsigned char mapped[4] = {0, 0, 0xff, 0xff};
    uint32_t word;
    uint32_t mapped_word;
    char v4[16];
    char v6[48];

    memcpy(&word, address, sizeof(word));
    memcpy(&mapped_word, mapped, sizeof(mapped_word));
    snprintf(v4, sizeof(v4), "%08X:%04X", word, port);
    snprintf(v6, sizeof(v6), "0000000000000000%08X%08X:%04X", mapped_word, word, port);
    return sn_slice_eq_str(column, v4) || sn_slice_eq_str(column, v6);
}

static bool read_row(struct sn_slice line, struct sn_slice columns[COLUMNS])
{
    for (int i = 0; i < COLUMNS; i++) {
        if (!next_column(&line, &columns[i])) {
            return false;
        }
    }
    return true;
}

bool sn_proc_net_find(struct sn_slice table, uint16_t port, uint16_t local_port, struct sn_peer_socket *out_socket)
{
    struct sn_slice line;
    struct sn_error ignored;
    bool found = false;

    while (sn_slice_next(&table, '\n', &line)) {
        struct sn_slice columns[COLUMNS];
        int64_t uid;
        int64_t inode;
        if (!read_row(line, columns) || !is_loopback_port(columns[COLUMN_LOCAL], port) ||
            !is_loopback_port(columns[COLUMN_REMOTE], local_port) || !sn_slice_eq_str(columns[COLUMN_STATE], "01")) {
            continue;
        }
        if (found || sn_parse_int(columns[COLUMN_UID], 0, UINT32_MAX, &uid, &ignored) != SN_OK ||
            sn_parse_int(columns[COLUMN_INODE], 1, INT64_MAX, &inode, &ignored) != SN_OK) {
            return false;
        }
        found = true;
        out_socket->uid = (uid_t)uid;
        out_socket->inode = (uint64_t)inode;
    }
    return found;
}

/* --- Processes --- */

bool sn_proc_stat_parent(struct sn_slice stat, pid_t *out_parent)
{
    struct sn_slice before;
    struct sn_slice rest;
    struct sn_slice column;
    struct sn_error ignored;
    int64_t parent;

    /* "pid (name) state ppid ..."; the name may hold blanks and brackets, so the last bracket counts. */
    if (!sn_slice_cut_last(stat, ')', &before, &rest) || !next_column(&rest, &column) || !next_column(&rest, &column) ||
        sn_parse_int(column, 0, INT32_MAX, &parent, &ignored) != SN_OK) {
        return false;
    }
    *out_parent = (pid_t)parent;
    return true;
}

static bool parent_of(pid_t pid, pid_t *out_parent)
{
    SN_AUTO(sn_buf_clear) struct sn_buf text = {0};
    char path[PROC_PATH_SIZE];

    snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    return read_proc(path, STAT_MAX_BYTES, &text) && sn_proc_stat_parent(sn_buf_slice(&text), out_parent);
}

bool sn_process_descends(pid_t pid, pid_t ancestor)
{
    for (int depth = 0; depth < SN_PROC_MAX_DEPTH && pid > 1 && pid != ancestor; depth++) {
        if (!parent_of(pid, &pid)) {
            return false;
        }
        if (pid == ancestor) {
            return true;
        }
    }
    return false;
}

/* True if the process holds a socket of that inode; false also when its descriptors may not be read. */
static bool holds_socket(const char *pid_text, const char *link_text)
{
    char path[PROC_PATH_SIZE];
    bool found = false;

    snprintf(path, sizeof(path), "/proc/%.20s/fd", pid_text);
    int dir_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir_fd < 0) {
        return false;
    }
    DIR *dir = fdopendir(dir_fd);
    if (dir == NULL) {
        close(dir_fd);
        return false;
    }
    const struct dirent *entry;
    while (!found && (entry = readdir(dir)) != NULL) {
        char target[PROC_PATH_SIZE];
        ssize_t len = readlinkat(dirfd(dir), entry->d_name, target, sizeof(target) - 1);
        if (len > 0) {
            target[len] = '\0';
            found = strcmp(target, link_text) == 0;
        }
    }
    closedir(dir);
    return found;
}

static enum sn_status refuse(struct sn_error *err, const char *reason)
{
    return sn_fail(err, SN_DENIED, "PEER_REFUSED", "%s", reason);
}

/*
 * Looks at every process that can be looked at. A holder outside the tree refuses the connection although another one
 * is inside: a socket that was handed around could be written by either.
 */
static enum sn_status check_holders(uint64_t inode, pid_t ancestor, struct sn_error *err)
{
    char link_text[PROC_PATH_SIZE];
    bool inside = false;
    bool outside = false;
    DIR *dir = opendir("/proc");

    if (dir == NULL) {
        return refuse(err, "the processes of this machine cannot be listed");
    }
    snprintf(link_text, sizeof(link_text), "socket:[%llu]", (unsigned long long)inode);
    const struct dirent *entry;
    while ((entry = readdir(dir)) != NULL) {
        struct sn_error ignored;
        int64_t pid;
        if (sn_parse_int(sn_slice_str(entry->d_name), 1, INT32_MAX, &pid, &ignored) != SN_OK ||
            !holds_socket(entry->d_name, link_text)) {
            continue;
        }
        if (sn_process_descends((pid_t)pid, ancestor)) {
            inside = true;
        } else {
            outside = true;
        }
    }
    closedir(dir);
    if (outside) {
        return refuse(err, "a process outside the started command holds the connection");
    }
    return inside ? SN_OK : refuse(err, "no process of the started command holds the connection");
}

enum sn_status sn_peer_check_tcp(uint16_t port, uint16_t local_port, uid_t uid, pid_t ancestor, struct sn_error *err)
{
    static const char *const tables[] = {"/proc/self/net/tcp", "/proc/self/net/tcp6"};

    for (size_t i = 0; i < SN_LEN(tables); i++) {
        SN_AUTO(sn_buf_clear) struct sn_buf text = {0};
        struct sn_peer_socket found;
        if (!read_proc(tables[i], SN_PROC_NET_MAX_BYTES, &text) ||
            !sn_proc_net_find(sn_buf_slice(&text), port, local_port, &found)) {
            continue;
        }
        if (found.uid != uid) {
            return refuse(err, "the connection belongs to another user");
        }
        return check_holders(found.inode, ancestor, err);
    }
    return refuse(err, "the owner of the connection cannot be found");
}

enum sn_status sn_peer_check_unix(int fd, uid_t uid, pid_t ancestor, struct sn_error *err)
{
    struct ucred peer;
    socklen_t len = sizeof(peer);

    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) != 0 || len != sizeof(peer) || peer.pid <= 0) {
        return refuse(err, "the owner of the connection cannot be found");
    }
    if (peer.uid != uid) {
        return refuse(err, "the connection belongs to another user");
    }
    if (!sn_process_descends(peer.pid, ancestor)) {
        return refuse(err, "a process outside the started command holds the connection");
    }
    return SN_OK;
}
