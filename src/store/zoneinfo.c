/* SPDX-License-Identifier: Apache-2.0 */
/* store/zoneinfo.c - see zoneinfo.h. */
#include "store/zoneinfo.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fs.h"
#include "core/policy/limits.h"

void sn_zoneinfo_init(struct sn_zoneinfo *zoneinfo, const char *dir)
{
    zoneinfo->dir = dir != NULL ? dir : SN_ZONEINFO_DEFAULT_DIR;
    zoneinfo->dir_fd = open(zoneinfo->dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

void sn_zoneinfo_clear(struct sn_zoneinfo *zoneinfo)
{
    sn_fd_close(&zoneinfo->dir_fd);
}

/* Zone files link to each other, so links are followed; they must not lead out of the directory where the kernel can
 * see to that. */
static int open_beneath(int dir_fd, const char *name)
{
    struct open_how how = {.flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, .resolve = RESOLVE_BENEATH};
    int fd = (int)syscall(SYS_openat2, dir_fd, name, &how, sizeof(how));
    if (fd < 0 && errno == ENOSYS) {
        fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    }
    return fd;
}

static enum sn_status read_all(int fd, struct sn_buf *out_tzif, const char *name, struct sn_error *err)
{
    for (;;) {
        char chunk[4096];
        ssize_t got = read(fd, chunk, sizeof(chunk));
        if (got == 0) {
            return SN_OK;
        }
        if (got < 0 && errno != EINTR) {
            return sn_fail_errno(err, "ZONE_UNREADABLE", errno, "cannot read the time zone '%s'", name);
        }
        if (got > 0) {
            sn_buf_add_bytes(out_tzif, chunk, (size_t)got);
        }
        if (out_tzif->overflow || out_tzif->len > SN_TZ_MAX_BYTES) {
            return sn_fail(err, SN_LIMIT, "ZONE_UNREADABLE", "the time zone '%s' is larger than any zone", name);
        }
    }
}

static enum sn_status read_zone(void *ctx, struct sn_slice name, struct sn_buf *out_tzif, struct sn_error *err)
{
    const struct sn_zoneinfo *zoneinfo = ctx;
    char path[SN_TZ_MAX_NAME + 1];
    struct stat info;
    if (!sn_tz_name_is_valid(name)) { /* the caller's duty as well; no path is ever made of anything else */
        return sn_fail(err, SN_INVALID, "ZONE_NAME", "not the name of a time zone");
    }
    if (zoneinfo->dir_fd < 0) {
        sn_fail(err, SN_NOT_FOUND, "NO_ZONE_DATA", "there is no time zone data in '%s'", zoneinfo->dir);
        return sn_suggest(err, "install the package tzdata");
    }
    memcpy(path, name.ptr, name.len);
    path[name.len] = '\0';
    SN_AUTO(sn_fd_close) int fd = open_beneath(zoneinfo->dir_fd, path);
    if (fd < 0 && (errno == ENOENT || errno == ENOTDIR)) {
        return sn_fail(err, SN_NOT_FOUND, "UNKNOWN_ZONE", "there is no time zone '%s' in '%s'", path, zoneinfo->dir);
    }
    if (fd < 0 || fstat(fd, &info) != 0) {
        return sn_fail_errno(err, "ZONE_UNREADABLE", errno, "cannot open the time zone '%s'", path);
    }
    if (!S_ISREG(info.st_mode)) {
        return sn_fail(err, SN_NOT_FOUND, "UNKNOWN_ZONE", "there is no time zone '%s' in '%s'", path, zoneinfo->dir);
    }
    return read_all(fd, out_tzif, path, err);
}

struct sn_tz_source sn_zoneinfo_source(struct sn_zoneinfo *zoneinfo)
{
    return (struct sn_tz_source){.read = read_zone, .ctx = zoneinfo};
}
