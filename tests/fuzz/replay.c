/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/fuzz/replay.c - runs a fuzz target over every file of its corpus, as an ordinary test with any compiler.
 *
 * replay DIRECTORY|FILE...
 */
#include <dirent.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/fs.h"
#include "fuzz.h"

enum { INPUT_MAX_BYTES = 16 * 1024 * 1024 };

static bool run_file(const char *path)
{
    struct sn_error err;
    SN_AUTO(sn_buf_clear) struct sn_buf bytes = {0};
    if (sn_fs_read(path, INPUT_MAX_BYTES, &bytes, &err) != SN_OK) {
        fprintf(stderr, "%s\n", err.message);
        return false;
    }
    /* An exact copy, so that a sanitizer sees a read behind the last byte; the buffer has room there. */
    uint8_t *exact = sn_alloc(bytes.len, 1);
    for (size_t i = 0; i < bytes.len; i++) {
        exact[i] = (uint8_t)bytes.ptr[i];
    }
    LLVMFuzzerTestOneInput(exact, bytes.len);
    sn_free(exact);
    return true;
}

/* How many inputs were run; -1 when one could not be read. */
static int run_directory(const char *path)
{
    DIR *dir = opendir(path);
    if (dir == NULL) {
        fprintf(stderr, "%s: cannot be opened\n", path);
        return -1;
    }
    int count = 0;
    const struct dirent *entry;
    while (count >= 0 && (entry = readdir(dir)) != NULL) {
        if (entry->d_name[0] == '.') {
            continue;
        }
        char file[4096];
        struct sn_error err;
        if (sn_path_join(file, sizeof file, path, entry->d_name, &err) != SN_OK || !run_file(file)) {
            count = -1;
        } else {
            count++;
        }
    }
    closedir(dir);
    return count;
}

int main(int argc, char **argv)
{
    int total = 0;
    for (int i = 1; i < argc; i++) {
        struct stat st;
        bool is_dir = stat(argv[i], &st) == 0 && S_ISDIR(st.st_mode);
        int count = is_dir ? run_directory(argv[i]) : run_file(argv[i]) ? 1 : -1;
        if (count < 0) {
            return 1;
        }
        total += count;
    }
    LLVMFuzzerTestOneInput((const uint8_t *)"", 0);
    printf("%d inputs\n", total);
    return total > 0 ? 0 : 1; /* a corpus that is not found must not look like one that passes */
}
