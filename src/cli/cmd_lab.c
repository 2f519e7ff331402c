/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/cmd_lab.c - lab: replaced by the program sentinel-lab, which lies beside this one.
 */
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "cli/tvm_access.h"

static enum sn_status find_lab(char out[PATH_MAX], struct sn_error *err)
{
    char self[PATH_MAX];
    ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);

    if (len <= 0) {
        return sn_fail_errno(err, "LAB_NOT_FOUND", errno, "cannot tell where this program lies");
    }
    self[len] = '\0';
    *strrchr(self, '/') = '\0';
    if (snprintf(out, PATH_MAX, "%s/sentinel-lab", self) >= PATH_MAX) {
        return sn_fail(err, SN_LIMIT, "LAB_NOT_FOUND", "the path of this program is too long");
    }
    return SN_OK;
}

static enum sn_status run_lab(struct sn_app *app, void *args, struct sn_error *err)
{
    const struct sn_client_context *context = app->context;
    char path[PATH_MAX];
    const char **argv = sn_alloc(app->operand_count + 2, sizeof(*argv));
    (void)args;

    argv[0] = "sentinel-lab";
    for (size_t i = 0; i < app->operand_count; i++) {
        argv[i + 1] = app->operands[i];
    }
    enum sn_status status = find_lab(path, err);
    if (status == SN_OK) {
        umask(context->umask);
        execv(path, (char *const *)(uintptr_t)argv); /* the C library only reads the array */
    }
    sn_free(argv);
    SN_TRY(status);
    sn_fail_errno(err, "LAB_NOT_FOUND", errno, "cannot start '%s'", path);
    return sn_suggest(err, "sentinel-lab is installed beside sentinel; in a build directory, build it too");
}

static const struct sn_example lab_examples[] = {
    {"sentinel lab --dir /tmp/lab", "a stand-in AWS on a free port; prints 'ready http://...'"},
    {"sentinel lab --help", "all of its commands and options"},
    {0},
};

const struct sn_cmd sn_cmd_lab = {
    .name = "lab",
    .group = SN_GROUP_OTHER,
    .summary = "run a stand-in for AWS on this machine, to try Sentinel and its policies",
    .description =
        "Starts sentinel-lab with the same words. It knows STS, IAM roles and trust policies, and CloudTrail, "
        "listens on loopback only, and marks its keys with LAB.",
    .operands = "[WORDS...]",
    .max_operands = SIZE_MAX,
    .passes_words = true,
    .examples = lab_examples,
    .args_size = 1,
    .run = run_lab,
};
