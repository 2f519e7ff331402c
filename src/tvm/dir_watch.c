/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tvm/dir_watch.c - change notification over the document directory.
 */
#include "tvm/dir_watch.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdalign.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fs.h"

enum { WATCH_DEPTH_MAX = 16, WATCH_FOLDERS_MAX = 1024, WATCH_PATH_MAX = 4096, EVENTS_BYTES = 8192 };

struct sn_dir_watch {
    pthread_rwlock_t lock;
    char *dir;
    int fd; /* -1: not watching */
    uint64_t generation;
};

static void add_folder(int fd, const char *path, unsigned depth, size_t *count)
{
    const uint32_t mask = IN_CREATE | IN_DELETE | IN_MODIFY | IN_MOVED_FROM | IN_MOVED_TO | IN_ATTRIB | IN_DELETE_SELF |
                          IN_MOVE_SELF | IN_ONLYDIR;
    char inner[WATCH_PATH_MAX];
    DIR *stream = NULL;

    if (depth > WATCH_DEPTH_MAX || ++*count > WATCH_FOLDERS_MAX || inotify_add_watch(fd, path, mask) < 0) {
        return;
    }
    stream = opendir(path);
    if (stream == NULL) {
        return;
    }
    for (struct dirent *entry = readdir(stream); entry != NULL; entry = readdir(stream)) {
        struct stat st;
        int len = snprintf(inner, sizeof(inner), "%s/%s", path, entry->d_name);
        if (entry->d_name[0] != '.' && len > 0 && len < (int)sizeof(inner) && stat(inner, &st) == 0 &&
            S_ISDIR(st.st_mode)) {
            add_folder(fd, inner, depth + 1, count);
        }
    }
    closedir(stream);
}

/* A new set of watches, so that folders made since are seen too. */
static void rewatch(struct sn_dir_watch *watch)
{
    size_t count = 0;

    sn_fd_close(&watch->fd);
    watch->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (watch->fd >= 0) {
        add_folder(watch->fd, watch->dir, 0, &count);
    }
}

struct sn_dir_watch *sn_dir_watch_new(const char *dir)
{
    struct sn_dir_watch *watch = sn_alloc(1, sizeof(*watch));

    pthread_rwlock_init(&watch->lock, NULL);
    watch->dir = sn_strdup(sn_slice_str(dir));
    watch->fd = -1;
    rewatch(watch);
    return watch;
}

void sn_dir_watch_free(struct sn_dir_watch *watch)
{
    if (watch == NULL) {
        return;
    }
    sn_fd_close(&watch->fd);
    sn_free(watch->dir);
    pthread_rwlock_destroy(&watch->lock);
    sn_free(watch);
}

static bool has_events(const struct sn_dir_watch *watch)
{
    struct pollfd poll_fd = {.fd = watch->fd, .events = POLLIN};

    return watch->fd >= 0 && poll(&poll_fd, 1, 0) > 0;
}

static void drain(struct sn_dir_watch *watch)
{
    alignas(struct inotify_event) char events[EVENTS_BYTES];
    ssize_t got = 0;

    do {
        got = read(watch->fd, events, sizeof(events));
    } while (got > 0 || (got < 0 && errno == EINTR));
}

uint64_t sn_dir_watch_generation(struct sn_dir_watch *watch)
{
    pthread_rwlock_rdlock(&watch->lock);
    bool changed = has_events(watch);
    uint64_t generation = watch->generation;
    pthread_rwlock_unlock(&watch->lock);
    if (!changed) {
        return generation;
    }
    pthread_rwlock_wrlock(&watch->lock);
    if (has_events(watch)) { /* unless another thread was first */
        drain(watch);
        rewatch(watch); /* before anything is read again, so that a change after this one is not lost */
        watch->generation++;
    }
    generation = watch->generation;
    pthread_rwlock_unlock(&watch->lock);
    return generation;
}
