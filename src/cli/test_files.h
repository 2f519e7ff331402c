/* SPDX-License-Identifier: Apache-2.0 */
/* cli/test_files.h - which test files an operand stands for, and the files that a test file names. */
#ifndef SN_CLI_TEST_FILES_H
#define SN_CLI_TEST_FILES_H

#include "base/arena.h"
#include "base/error.h"
#include "base/slice.h"

enum { SN_TEST_FILES_MAX = 10000, SN_TEST_FOLDER_DEPTH_MAX = 32 };

struct sn_test_paths {
    struct sn_arena arena;
    const char **items;
    size_t count, capacity;
};
void sn_test_paths_clear(struct sn_test_paths *paths);
/*
 * A file is itself; a folder stands for every *.test.yaml below it, in order of their names. Links to folders are not
 * followed. NO_TESTS, FILE_UNREADABLE.
 */
SN_MUST_CHECK enum sn_status sn_test_paths_add(struct sn_test_paths *paths, const char *operand, struct sn_error *err);

/* A name that stands in the file at path, relative to that file's folder. */
SN_MUST_CHECK enum sn_status sn_path_beside(
    const char *path, struct sn_slice name, struct sn_arena *arena, const char **out_path, struct sn_error *err);
/* "x.yaml" for "x.test.yaml", in the same folder; fails for another name. */
SN_MUST_CHECK enum sn_status sn_path_of_tested(
    const char *path, struct sn_arena *arena, const char **out_path, struct sn_error *err);

#endif
