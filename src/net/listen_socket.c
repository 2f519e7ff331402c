/* SPDX-License-Identifier: Apache-2.0 */
/* net/listen_socket.c - listening sockets of addresses and Unix paths. */
#include "net/listen_socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fs.h"
#include "base/parse.h"

enum { BACKLOG = 1024 };

union address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    struct sockaddr_un local;
    struct sockaddr_storage storage;
};

static bool is_loopback_address(const union address *address)
{
    if (address->any.sa_family == AF_INET) {
        return (ntohl(address->v4.sin_addr.s_addr) >> 24) == 127;
    }
    if (address->any.sa_family == AF_INET6) {
        return IN6_IS_ADDR_LOOPBACK(&address->v6.sin6_addr);
    }
    return address->any.sa_family == AF_UNIX;
}

static enum sn_status fail_not_loopback(const char *text, struct sn_error *err)
{
    (void)sn_fail(
        err, SN_INVALID, "LISTEN_ADDRESS", "'%s' is not a loopback address and would be served without TLS", text);
    return sn_suggest(err, "set a certificate and key, or listen on 127.0.0.1 behind a proxy on the same host");
}

/* --- TCP --- */

static enum sn_status parse_tcp(const char *text, union address *out_address, socklen_t *out_len, struct sn_error *err)
{
    struct sn_slice whole = sn_slice_str(text), host, port_text;
    char host_text[INET6_ADDRSTRLEN + 1] = "";
    int64_t port = 0;
    struct sn_error ignored;
    bool is_v6 = sn_slice_has_prefix(whole, SN_S("["));
    bool is_good =
        sn_slice_cut_last(whole, ':', &host, &port_text) && sn_parse_int(port_text, 0, 65535, &port, &ignored) == SN_OK;
    if (is_good && is_v6) {
        is_good = sn_slice_has_suffix(host, SN_S("]"));
        host = sn_slice_sub(host, 1, host.len >= 2 ? host.len - 2 : 0);
    }
    if (is_good && host.len < sizeof(host_text)) {
        memcpy(host_text, host.ptr, host.len);
        memset(out_address, 0, sizeof(*out_address));
        if (is_v6 && inet_pton(AF_INET6, host_text, &out_address->v6.sin6_addr) == 1) {
            out_address->v6.sin6_family = AF_INET6;
            out_address->v6.sin6_port = htons((uint16_t)port);
            *out_len = sizeof(out_address->v6);
            return SN_OK;
        }
        if (!is_v6 && inet_pton(AF_INET, host_text, &out_address->v4.sin_addr) == 1) {
            out_address->v4.sin_family = AF_INET;
            out_address->v4.sin_port = htons((uint16_t)port);
            *out_len = sizeof(out_address->v4);
            return SN_OK;
        }
    }
    (void)sn_fail(err, SN_INVALID, "LISTEN_ADDRESS", "'%s' is no address to listen on", text);
    return sn_suggest(err, "write ADDRESS:PORT, [IPV6]:PORT or unix:/absolute/path");
}

static enum sn_status fail_bind(int error_number, const char *text, struct sn_error *err)
{
    if (error_number == EADDRINUSE) {
        (void)sn_fail(err, SN_CONFLICT, "LISTEN_IN_USE", "'%s' is in use", text);
        return sn_suggest(err, "stop the program that listens there, or choose another address");
    }
    return sn_fail_errno(err, "LISTEN_ADDRESS", error_number, "cannot listen on '%s'", text);
}

static enum sn_status open_tcp(
    const char *text, bool needs_loopback, struct sn_listen_socket *out_socket, struct sn_error *err)
{
    union address address;
    socklen_t len = 0;
    const int on = 1;
    SN_TRY(parse_tcp(text, &address, &len, err));
    if (needs_loopback && !is_loopback_address(&address)) {
        return fail_not_loopback(text, err);
    }
    SN_AUTO(sn_fd_close) int fd = socket(address.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) {
        return sn_fail_errno(err, "LISTEN_ADDRESS", errno, "cannot make a socket for '%s'", text);
    }
    /* TCP_NODELAY passes on to accepted connections. V6ONLY: no IPv4 peer comes in disguise. */
    bool is_set =
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0 &&
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) == 0 &&
        (address.any.sa_family != AF_INET6 || setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) == 0);
    if (!is_set || bind(fd, &address.any, len) != 0 || listen(fd, BACKLOG) != 0 ||
        getsockname(fd, &address.any, &len) != 0) {
        return fail_bind(errno, text, err);
    }
    out_socket->port = ntohs(address.any.sa_family == AF_INET6 ? address.v6.sin6_port : address.v4.sin_port);
    out_socket->is_open = !is_loopback_address(&address);
    out_socket->fd = fd;
    fd = -1;
    return SN_OK;
}

/* --- Unix sockets --- */

static enum sn_status check_directory(const char *path, struct sn_error *err)
{
    struct sn_slice parent, name;
    struct stat info;
    (void)sn_slice_cut_last(sn_slice_str(path), '/', &parent, &name);
    SN_AUTO(sn_free_p) char *directory = sn_strdup(parent.len > 0 ? parent : SN_S("/"));
    if (stat(directory, &info) != 0) {
        return sn_fail_errno(err, "LISTEN_SOCKET", errno, "cannot look at the socket's directory '%s'", directory);
    }
    if (!S_ISDIR(info.st_mode) || (info.st_uid != geteuid() && info.st_uid != 0) || (info.st_mode & S_IWOTH) != 0) {
        (void)sn_fail(err, SN_DENIED, "LISTEN_SOCKET",
            "directory '%s' is not safe for a socket: it must belong to this user or root and not be writable by "
            "others",
            directory);
        return sn_suggest(err, "use a directory of the service's own, such as /run/sentinel");
    }
    return SN_OK;
}

static bool is_answered(const struct sockaddr_un *address)
{
    SN_AUTO(sn_fd_close) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    /* Only a refusal proves that nobody listens; a full backlog (EAGAIN) or any other doubt counts as alive. */
    return fd < 0 || connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0 || errno != ECONNREFUSED;
}

static enum sn_status remove_stale(const struct sockaddr_un *address, struct sn_error *err)
{
    struct stat info;
    const char *path = address->sun_path;
    if (lstat(path, &info) != 0) {
        return errno == ENOENT ? SN_OK : sn_fail_errno(err, "LISTEN_SOCKET", errno, "cannot look at '%s'", path);
    }
    if (!S_ISSOCK(info.st_mode) || info.st_uid != geteuid()) {
        (void)sn_fail(err, SN_CONFLICT, "LISTEN_SOCKET", "'%s' exists and is no socket of this user", path);
        return sn_suggest(err, "look at what it is and remove it by hand, or choose another path");
    }
    if (is_answered(address)) {
        (void)sn_fail(err, SN_CONFLICT, "LISTEN_IN_USE", "another program answers on '%s'", path);
        return sn_suggest(err, "stop it, or choose another path");
    }
    if (unlink(path) != 0) {
        return sn_fail_errno(err, "LISTEN_SOCKET", errno, "cannot remove the stale socket '%s'", path);
    }
    return SN_OK;
}

static enum sn_status open_unix(
    const char *path, mode_t mode, struct sn_listen_socket *out_socket, struct sn_error *err)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct stat info;
    size_t len = strlen(path);
    if (path[0] != '/' || len >= sizeof(address.sun_path) || path[len - 1] == '/') {
        (void)sn_fail(err, SN_INVALID, "LISTEN_ADDRESS", "'unix:%s' is no path for a socket", path);
        return sn_suggest(err, "write an absolute path of at most %zu bytes", sizeof(address.sun_path) - 1);
    }
    memcpy(address.sun_path, path, len);
    SN_TRY(check_directory(path, err));
    SN_TRY(remove_stale(&address, err));
    SN_AUTO(sn_fd_close) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) {
        return sn_fail_errno(err, "LISTEN_SOCKET", errno, "cannot make a Unix socket");
    }
    mode_t old_mask = umask(0777 & ~mode); /* the mode is right from the first moment */
    int result = bind(fd, (const struct sockaddr *)&address, sizeof(address));
    int error_number = errno;
    (void)umask(old_mask);
    if (result != 0 || listen(fd, BACKLOG) != 0 || lstat(path, &info) != 0) {
        return fail_bind(result != 0 ? error_number : errno, path, err);
    }
    out_socket->is_unix = true;
    out_socket->unix_path = sn_strdup(sn_slice_str(path));
    out_socket->unix_device = info.st_dev;
    out_socket->unix_inode = info.st_ino;
    out_socket->fd = fd;
    fd = -1;
    return SN_OK;
}

/* --- Any --- */

enum sn_status sn_listen_socket_open(const char *text, bool is_metrics, bool needs_loopback, mode_t unix_mode,
    struct sn_listen_socket *out_socket, struct sn_error *err)
{
    struct sn_listen_socket result = {.kind = SN_SOURCE_SOCKET, .fd = -1, .is_metrics = is_metrics};
    if (sn_slice_has_prefix(sn_slice_str(text), SN_S("unix:"))) {
        SN_TRY(open_unix(text + 5, unix_mode, &result, err));
    } else {
        SN_TRY(open_tcp(text, needs_loopback, &result, err));
    }
    *out_socket = result;
    return SN_OK;
}

enum sn_status sn_listen_socket_adopt(
    int fd, bool needs_loopback, struct sn_listen_socket *out_socket, struct sn_error *err)
{
    union address address;
    socklen_t len = sizeof(address);
    int is_listening = 0, type = 0;
    socklen_t int_len = sizeof(int), type_len = sizeof(int);
    char text[32];
    (void)snprintf(text, sizeof(text), "inherited socket %d", fd);
    memset(&address, 0, sizeof(address));
    if (getsockname(fd, &address.any, &len) != 0 ||
        getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &is_listening, &int_len) != 0 ||
        getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &type_len) != 0 || is_listening == 0 || type != SOCK_STREAM) {
        return sn_fail(err, SN_INVALID, "LISTEN_ADDRESS", "%s is no listening stream socket", text);
    }
    if (needs_loopback && !is_loopback_address(&address)) {
        return fail_not_loopback(text, err);
    }
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0 || fcntl(fd, F_SETFD, FD_CLOEXEC) != 0) {
        return sn_fail_errno(err, "LISTEN_ADDRESS", errno, "cannot prepare %s", text);
    }
    bool is_unix = address.any.sa_family == AF_UNIX;
    if (!is_unix) {
        const int on = 1;
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    }
    *out_socket = (struct sn_listen_socket){
        .kind = SN_SOURCE_SOCKET,
        .fd = fd,
        .is_unix = is_unix,
        .port = is_unix ? 0 : ntohs(address.any.sa_family == AF_INET6 ? address.v6.sin6_port : address.v4.sin_port),
    };
    return SN_OK;
}

void sn_listen_socket_close(struct sn_listen_socket *listen_socket)
{
    struct stat info;
    sn_fd_close(&listen_socket->fd);
    if (listen_socket->unix_path != NULL) {
        if (lstat(listen_socket->unix_path, &info) == 0 && info.st_dev == listen_socket->unix_device &&
            info.st_ino == listen_socket->unix_inode) {
            (void)unlink(listen_socket->unix_path);
        }
        sn_free(listen_socket->unix_path);
        listen_socket->unix_path = NULL;
    }
}

void sn_peer_fill(const struct sn_listen_socket *listen_socket, int fd, const struct sockaddr_storage *address,
    struct sn_peer *out_peer)
{
    union address from = {.storage = *address};
    struct sn_peer peer = {.fd = fd, .uid = (uid_t)-1, .local_port = listen_socket->port};
    if (listen_socket->is_unix) {
        struct ucred credentials;
        socklen_t len = sizeof(credentials);
        peer.is_unix = true;
        peer.is_loopback = true;
        memcpy(peer.address, "unix", sizeof("unix"));
        if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &len) == 0) {
            peer.uid = credentials.uid;
            peer.pid = credentials.pid;
        }
    } else {
        bool is_v6 = from.any.sa_family == AF_INET6;
        peer.is_loopback = is_loopback_address(&from);
        peer.port = ntohs(is_v6 ? from.v6.sin6_port : from.v4.sin_port);
        if (inet_ntop(from.any.sa_family, is_v6 ? (const void *)&from.v6.sin6_addr : (const void *)&from.v4.sin_addr,
                peer.address, sizeof(peer.address)) == NULL) {
            peer.is_loopback = false;
        }
    }
    *out_peer = peer;
}
