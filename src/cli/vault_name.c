/* SPDX-License-Identifier: Apache-2.0 */
/* cli/vault_name.c - see vault_name.h. */
#include "cli/vault_name.h"

#include <string.h>

#include "base/alloc.h"

bool sn_cli_is_vault_name(int argc, char *const *argv)
{
    const char *name = argc > 0 ? argv[0] : "";
    const char *slash = strrchr(name, '/');

    return strcmp(slash != NULL ? slash + 1 : name, "aws-vault") == 0;
}

char **sn_cli_vault_argv(int argc, char **argv)
{
    static char word[] = "vault";
    char **out = sn_alloc((size_t)argc + 2, sizeof(*out));

    out[0] = argv[0];
    out[1] = word;
    for (int i = 1; i < argc; i++) {
        out[i + 1] = argv[i];
    }
    return out;
}
