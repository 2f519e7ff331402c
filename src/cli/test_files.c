/* SPDX-License-Identifier: Apache-2.0 */
/* cli/test_files.c - see test_files.h. */
#include "cli/test_files.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/buf.h"

void sn_test_paths_clear(struct sn_test_paths *paths)
{
    sn_free(paths->items);
    sn_arena_clear(&paths->arena);
    *paths = (struct sn_test_paths){0};
}

static enum sn_status add(struct sn_test_paths *paths, const char *path, struct sn_error *err)
{
    if (paths->count == SN_TEST_FILES_MAX) {
        return sn_fail(err, SN_LIMIT, "TOO_MANY_FILES", "more than %d test files", SN_TEST_FILES_MAX);
    }
    if (paths->count == paths->capacity) {
        paths->capacity = paths->capacity == 0 ? 16 : paths->capacity * 2;
        paths->items = sn_realloc(paths->items, paths->capacity, sizeof(*paths->items));
    }
    paths->items[paths->count++] = sn_arena_str(&paths->arena, sn_slice_str(path));
    return SN_OK;
}

static int visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static enum sn_status add_folder(struct sn_test_paths *paths, const char *folder, unsigned depth, struct sn_error *err)
{
    struct dirent **entries = NULL;
    enum sn_status status = SN_OK;

    if (depth == SN_TEST_FOLDER_DEPTH_MAX) {
        return sn_fail(err, SN_LIMIT, "TOO_MANY_FILES", "'%s' lies too deep", folder);
    }
    int count = scandir(folder, &entries, visible, alphasort);
    if (count < 0) {
        return sn_fail(err, SN_INVALID, "FILE_UNREADABLE", "cannot read '%s': %s", folder, strerrordesc_np(errno));
    }
    for (int i = 0; i < count; i++) {
        SN_AUTO(sn_buf_clear) struct sn_buf path = {0};
        struct stat about;
        sn_buf_addf(&path, "%s/%s", folder, entries[i]->d_name);
        bool is_known = status == SN_OK && lstat(sn_buf_str(&path), &about) == 0;
        if (is_known && S_ISDIR(about.st_mode)) {
            status = add_folder(paths, sn_buf_str(&path), depth + 1, err);
        } else if (is_known && sn_slice_has_suffix(sn_buf_slice(&path), SN_S(".test.yaml"))) {
            status = add(paths, sn_buf_str(&path), err);
        }
        free(entries[i]); /* scandir's own memory */
    }
    free(entries);
    return status;
}

enum sn_status sn_test_paths_add(struct sn_test_paths *paths, const char *operand, struct sn_error *err)
{
    struct stat about;
    size_t before = paths->count;

    if (stat(operand, &about) != 0) {
        return sn_fail(err, SN_INVALID, "FILE_UNREADABLE", "cannot read '%s': %s", operand, strerrordesc_np(errno));
    }
    if (!S_ISDIR(about.st_mode)) {
        return add(paths, operand, err);
    }
    SN_TRY(add_folder(paths, operand, 0, err));
    if (paths->count == before) {
        sn_fail(err, SN_INVALID, "NO_TESTS", "'%s' holds no test file", operand);
        return sn_suggest(err, "a test file is named like its policy, with '.test.yaml'");
    }
    return SN_OK;
}

enum sn_status sn_path_beside(
    const char *path, struct sn_slice name, struct sn_arena *arena, const char **out_path, struct sn_error *err)
{
    const char *slash = strrchr(path, '/');
    struct sn_slice folder = slash != NULL ? sn_slice_bytes(path, (size_t)(slash - path) + 1) : SN_S("");

    if (name.len == 0 || sn_slice_has_byte(name, '\0')) {
        return sn_fail(err, SN_INVALID, "FILE_UNREADABLE", "'%s' names a file without a name", path);
    }
    if (name.ptr[0] == '/') {
        folder = SN_S("");
    }
    *out_path = sn_arena_printf(arena, "%.*s%.*s", SN_PRI(folder), SN_PRI(name)).ptr;
    return SN_OK;
}

enum sn_status sn_path_of_tested(const char *path, struct sn_arena *arena, const char **out_path, struct sn_error *err)
{
    struct sn_slice name = sn_slice_str(path), suffix = SN_S(".test.yaml");

    if (!sn_slice_has_suffix(name, suffix)) {
        sn_fail(err, SN_INVALID, "NO_POLICY", "'%s' does not say which policy it tests", path);
        return sn_suggest(err, "add 'policy: FILE', or name it NAME.test.yaml beside NAME.yaml");
    }
    *out_path = sn_arena_printf(arena, "%.*s.yaml", (int)(name.len - suffix.len), path).ptr;
    return SN_OK;
}
