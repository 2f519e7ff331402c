/* SPDX-License-Identifier: Apache-2.0 */
/*
 * codec/url.c - the address of a Token Vending Machine in its one canonical form.
 *
 * Client and server compare these texts bytewise, so each address has exactly one. What merely looks different (case, a
 * default port, one trailing '/') is put right; what could be read in two ways (user information, escapes, dots in the
 * path, numbers as hosts) is refused.
 */
#include "codec/uri.h"

#include <arpa/inet.h>
#include <string.h>
#include <sys/un.h>

#include "base/parse.h"

enum {
    URL_MAX_BYTES = 512, /* the audience header of a proof holds no more */
    HOST_MAX_BYTES = 253,
    LABEL_MAX_BYTES = 63,
    HTTP_PORT = 80,
    HTTPS_PORT = 443,
};

static enum sn_status fail_url(struct sn_error *err, const char *why)
{
    sn_fail(err, SN_INVALID, "INVALID_URL", "invalid URL: %s", why);
    return sn_suggest(err, "write it as https://HOST[:PORT][/PATH], http://127.0.0.1:PORT or unix:/PATH");
}

static struct sn_slice lower(struct sn_arena *arena, struct sn_slice text)
{
    char *copy = sn_arena_str(arena, text);
    for (size_t i = 0; i < text.len; i++) {
        copy[i] = copy[i] >= 'A' && copy[i] <= 'Z' ? (char)(copy[i] - 'A' + 'a') : copy[i];
    }
    return (struct sn_slice){copy, text.len};
}

/* --- hosts --- */

/* RFC 5952: lower case, no leading zeros, the first of the longest runs of two or more zero groups as "::". */
static struct sn_slice format_ipv6(struct sn_arena *arena, const unsigned char address[16])
{
    unsigned groups[8];
    for (size_t i = 0; i < 8; i++) {
        groups[i] = (unsigned)address[2 * i] << 8 | address[2 * i + 1];
    }
    static const unsigned char mapped[12] = {[10] = 0xff, [11] = 0xff};
    if (memcmp(address, mapped, sizeof mapped) == 0) {
        return sn_arena_printf(arena, "::ffff:%u.%u.%u.%u", address[12], address[13], address[14], address[15]);
    }
    size_t best = 8;
    size_t best_len = 1;
    for (size_t i = 0; i < 8; i++) {
        size_t len = 0;
        while (i + len < 8 && groups[i + len] == 0) {
            len++;
        }
        if (len > best_len) {
            best = i;
            best_len = len;
        }
    }
    struct sn_slice text = SN_S("");
    for (size_t i = 0; i < 8; i++) {
        if (i == best) {
            text = sn_arena_printf(arena, "%.*s::", SN_PRI(text));
            i += best_len - 1;
            continue;
        }
        bool needs_colon = text.len > 0 && text.ptr[text.len - 1] != ':';
        text = sn_arena_printf(arena, "%.*s%s%x", SN_PRI(text), needs_colon ? ":" : "", groups[i]);
    }
    return text;
}

static enum sn_status read_ipv6(struct sn_slice text, struct sn_arena *arena, struct sn_url *url, struct sn_error *err)
{
    static const unsigned char loopback[16] = {[15] = 1};
    unsigned char address[16];
    if (sn_slice_has_byte(text, '\0') || inet_pton(AF_INET6, sn_arena_str(arena, text), address) != 1) {
        return fail_url(err, "the text in brackets is no IPv6 address");
    }
    url->host = format_ipv6(arena, address);
    url->is_loopback = memcmp(address, loopback, sizeof loopback) == 0;
    return SN_OK;
}

static bool is_label(struct sn_slice label)
{
    return label.len > 0 && label.len <= LABEL_MAX_BYTES && label.ptr[0] != '-' && label.ptr[label.len - 1] != '-' &&
           sn_slice_is_alnum_or(label, "-");
}

static bool is_number(struct sn_slice label)
{
    if (sn_slice_has_prefix(label, SN_S("0x"))) {
        return true;
    }
    for (size_t i = 0; i < label.len; i++) {
        if (label.ptr[i] < '0' || label.ptr[i] > '9') {
            return false;
        }
    }
    return true;
}

static enum sn_status read_host(struct sn_slice text, struct sn_arena *arena, struct sn_url *url, struct sn_error *err)
{
    if (text.len == 0) {
        return fail_url(err, "the host is missing");
    }
    if (text.len > HOST_MAX_BYTES) {
        return fail_url(err, "the host is too long");
    }
    struct sn_slice host = lower(arena, text);
    struct sn_slice label = {0};
    for (struct sn_slice rest = host; sn_slice_next(&rest, '.', &label);) {
        if (!is_label(label)) {
            return fail_url(err, "the host is no name of letters, digits and '-' with dots between");
        }
    }
    if (host.ptr[host.len - 1] == '.') {
        return fail_url(err, "the host ends in a dot");
    }
    url->host = host;
    /* A host whose last label is a number is an IPv4 address to somebody; only the one common form is accepted. */
    if (is_number(label)) {
        unsigned char address[4];
        if (inet_pton(AF_INET, host.ptr, address) != 1) {
            return fail_url(err, "the host is a number but no IPv4 address of four decimal numbers");
        }
        url->is_loopback = address[0] == 127;
        return SN_OK;
    }
    url->is_loopback = sn_slice_eq_str(host, "localhost");
    return SN_OK;
}

/* --- the parts --- */

static enum sn_status read_port(struct sn_slice text, struct sn_url *url, struct sn_error *err)
{
    struct sn_error ignored;
    int64_t port = 0;
    if (sn_parse_int(text, 1, 65535, &port, &ignored) != SN_OK) {
        return fail_url(err, "the port is no number from 1 to 65535");
    }
    url->port = (uint16_t)port;
    return SN_OK;
}

static enum sn_status read_authority(
    struct sn_slice text, struct sn_arena *arena, struct sn_url *url, struct sn_error *err)
{
    if (sn_slice_has_byte(text, '@')) {
        return fail_url(err, "it names a user");
    }
    uint16_t default_port = sn_slice_eq_str(url->scheme, "https") ? HTTPS_PORT : HTTP_PORT;
    url->port = default_port;
    bool is_ipv6 = sn_slice_has_prefix(text, SN_S("["));
    struct sn_slice host = text;
    struct sn_slice port = {0};
    bool has_port = false;
    if (is_ipv6) {
        struct sn_slice rest;
        if (!sn_slice_cut(sn_slice_sub(text, 1, SIZE_MAX), ']', &host, &rest)) {
            return fail_url(err, "a ']' is missing");
        }
        has_port = sn_slice_has_prefix(rest, SN_S(":"));
        if (rest.len > 0 && !has_port) {
            return fail_url(err, "text stands between ']' and the port");
        }
        port = sn_slice_sub(rest, 1, SIZE_MAX);
        SN_TRY(read_ipv6(host, arena, url, err));
    } else {
        has_port = sn_slice_cut(text, ':', &host, &port);
        SN_TRY(read_host(host, arena, url, err));
    }
    if (has_port) {
        SN_TRY(read_port(port, url, err));
    }
    const char *open = is_ipv6 ? "[" : "";
    const char *close = is_ipv6 ? "]" : "";
    url->authority = url->port == default_port
                         ? sn_arena_printf(arena, "%s%.*s%s", open, SN_PRI(url->host), close)
                         : sn_arena_printf(arena, "%s%.*s%s:%u", open, SN_PRI(url->host), close, (unsigned)url->port);
    return SN_OK;
}

static enum sn_status check_segments(struct sn_slice path, struct sn_error *err)
{
    struct sn_slice rest = sn_slice_sub(path, 1, SIZE_MAX);
    for (bool more = path.len > 0; more;) {
        struct sn_slice segment;
        more = sn_slice_cut(rest, '/', &segment, &rest);
        bool is_dots = sn_slice_eq_str(segment, ".") || sn_slice_eq_str(segment, "..");
        if (segment.len == 0 || is_dots || !sn_slice_is_alnum_or(segment, "._~-")) {
            return fail_url(err, "a part of the path is empty, '.', '..' or not of A-Z a-z 0-9 . _ ~ -");
        }
    }
    return SN_OK;
}

static enum sn_status read_path(struct sn_slice text, struct sn_arena *arena, struct sn_url *url, struct sn_error *err)
{
    struct sn_slice path = sn_slice_has_suffix(text, SN_S("/")) ? sn_slice_sub(text, 0, text.len - 1) : text;
    SN_TRY(check_segments(path, err));
    url->path = sn_arena_dup(arena, path);
    return SN_OK;
}

static enum sn_status read_unix(struct sn_slice path, struct sn_arena *arena, struct sn_url *url, struct sn_error *err)
{
    if (!sn_slice_has_prefix(path, SN_S("/"))) {
        return fail_url(err, "the path of the socket is not absolute");
    }
    if (path.len >= sizeof(((struct sockaddr_un *)NULL)->sun_path)) {
        return fail_url(err, "the path of the socket is too long");
    }
    SN_TRY(check_segments(path, err));
    url->scheme = SN_S("unix");
    url->host = SN_S("");
    url->path = sn_arena_dup(arena, path);
    url->authority = SN_S("localhost");
    url->canonical = sn_arena_printf(arena, "unix:%.*s", SN_PRI(path));
    url->is_loopback = true;
    return SN_OK;
}

static enum sn_status read_scheme(
    struct sn_slice text, struct sn_url *url, struct sn_slice *out_rest, struct sn_error *err)
{
    static const struct sn_slice schemes[] = {SN_S_INIT("https"), SN_S_INIT("http")};
    struct sn_slice scheme, rest;
    bool has_scheme = sn_slice_cut(text, ':', &scheme, &rest) && sn_slice_has_prefix(rest, SN_S("//"));
    for (size_t i = 0; i < SN_LEN(schemes) && has_scheme; i++) {
        if (sn_slice_eq_nocase(scheme, schemes[i])) {
            url->scheme = schemes[i];
            *out_rest = sn_slice_sub(rest, 2, SIZE_MAX);
            return SN_OK;
        }
    }
    return fail_url(err, "it does not begin with https://, http:// or unix:/");
}

enum sn_status sn_url_parse(struct sn_slice text, struct sn_arena *arena, struct sn_url *out_url, struct sn_error *err)
{
    struct sn_url url = {0};
    if (text.len > URL_MAX_BYTES) {
        return fail_url(err, "it is too long");
    }
    if (text.len >= 5 && sn_slice_eq_nocase(sn_slice_sub(text, 0, 5), SN_S("unix:"))) {
        SN_TRY(read_unix(sn_slice_sub(text, 5, SIZE_MAX), arena, &url, err));
        *out_url = url;
        return SN_OK;
    }
    struct sn_slice rest;
    SN_TRY(read_scheme(text, &url, &rest, err));
    if (sn_slice_has_byte(rest, '?') || sn_slice_has_byte(rest, '#')) {
        return fail_url(err, "it has a query or a fragment");
    }
    const char *slash = rest.len > 0 ? memchr(rest.ptr, '/', rest.len) : NULL;
    size_t authority_len = slash != NULL ? (size_t)(slash - rest.ptr) : rest.len;
    SN_TRY(read_authority(sn_slice_sub(rest, 0, authority_len), arena, &url, err));
    SN_TRY(read_path(sn_slice_sub(rest, authority_len, SIZE_MAX), arena, &url, err));
    if (sn_slice_eq_str(url.scheme, "http") && !url.is_loopback) {
        return fail_url(err, "plain http is for loopback addresses only");
    }
    url.canonical =
        sn_arena_printf(arena, "%.*s://%.*s%.*s", SN_PRI(url.scheme), SN_PRI(url.authority), SN_PRI(url.path));
    *out_url = url;
    return SN_OK;
}
