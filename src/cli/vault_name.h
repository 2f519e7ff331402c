/* SPDX-License-Identifier: Apache-2.0 */
/* cli/vault_name.h - a program that is called as aws-vault is 'sentinel vault', so that scripts keep working. */
#ifndef SN_CLI_VAULT_NAME_H
#define SN_CLI_VAULT_NAME_H

#include <stdbool.h>

/* True if the last part of argv[0] is aws-vault. */
bool sn_cli_is_vault_name(int argc, char *const *argv);
/* argv with "vault" behind argv[0], one word longer; its strings are those of argv. Release with sn_free. */
char **sn_cli_vault_argv(int argc, char **argv);

#endif
