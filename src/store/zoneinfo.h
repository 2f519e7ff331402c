/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store/zoneinfo.h - time zone data from a directory of TZif files.
 *
 * The directory is SENTINEL_ZONEINFO, or /usr/share/zoneinfo. Files are opened beneath it only; names come from
 * documents and are checked before a path is made of them. A zone that is not there is an error, never another zone.
 */
#ifndef SN_STORE_ZONEINFO_H
#define SN_STORE_ZONEINFO_H

#include "base/error.h"
#include "core/policy/tz.h"

#define SN_ZONEINFO_DEFAULT_DIR "/usr/share/zoneinfo"

/* Owned by the caller; one value may serve any number of threads. */
struct sn_zoneinfo {
    int dir_fd; /* -1: the directory could not be opened; every zone is missing then */
    const char *dir;
};

/* dir: a constant string that outlives the value; NULL for the default. */
void sn_zoneinfo_init(struct sn_zoneinfo *zoneinfo, const char *dir);
void sn_zoneinfo_clear(struct sn_zoneinfo *zoneinfo);
/* The table that sn_policy_load takes; borrowed from zoneinfo. */
struct sn_tz_source sn_zoneinfo_source(struct sn_zoneinfo *zoneinfo);

#endif
