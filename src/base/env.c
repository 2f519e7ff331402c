/* SPDX-License-Identifier: Apache-2.0 */
/* base/env.c - the only caller of getenv; see env.h. */
#include "base/env.h"

#include <stdlib.h>

const char *sn_env_get(const char *name)
{
    const char *value = getenv(name);

    return value != NULL && value[0] != '\0' ? value : NULL;
}

static const char *system_get(void *ctx, const char *name)
{
    (void)ctx;
    return sn_env_get(name);
}

const struct sn_env *sn_env_system(void)
{
    static const struct sn_env env = {system_get, NULL};

    return &env;
}
