/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base/env.h - the environment, read in one place.
 */
#ifndef SN_BASE_ENV_H
#define SN_BASE_ENV_H

#include <stdbool.h>

#include "base/slice.h"

/* The value of a variable, or NULL when it is absent or empty. Borrowed; main alone changes the environment. */
const char *sn_env_get(const char *name);
/* An environment as a table, so that settings can be read from a scripted one. */
struct sn_env {
    const char *(*get)(void *ctx, const char *name); /* NULL when absent or empty */
    void *ctx;
};
const struct sn_env *sn_env_system(void);

#endif
