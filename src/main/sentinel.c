/* SPDX-License-Identifier: Apache-2.0 */
/*
 * main/sentinel.c - the client and administrator program: its commands, nothing else.
 */
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/log.h"
#include "base/process.h"
#include "cli/cached_credentials.h"
#include "cli/policy_commands.h"
#include "cli/sso_commands.h"
#include "cli/tvm_access.h"
#include "cli/vault_access.h"
#include "cli/vault_name.h"

static const struct sn_cmd *const commands[] = {
    &sn_cmd_exec,
    &sn_cmd_credential_process,
    &sn_cmd_export,
    &sn_cmd_profiles,
    &sn_cmd_explain,
    &sn_cmd_whoami,
    &sn_cmd_sso_login,
    &sn_cmd_sso_logout,
    &sn_cmd_sso_status,
    &sn_cmd_sso_accounts,
    &sn_cmd_sso_roles,
    &sn_cmd_sso_populate,
    &sn_cmd_policy_validate,
    &sn_cmd_policy_lint,
    &sn_cmd_policy_eval,
    &sn_cmd_policy_test,
    &sn_cmd_policy_simulate,
    &sn_cmd_policy_pull,
    &sn_cmd_policy_push,
    &sn_cmd_policy_diff,
    &sn_cmd_policy_analyze,
    &sn_cmd_policy_sign,
    &sn_cmd_policy_verify,
    &sn_cmd_config_validate,
    &sn_cmd_config_generate,
    &sn_cmd_audit_verify_logs,
    &sn_cmd_vault_add,
    &sn_cmd_vault_list,
    &sn_cmd_vault_rotate,
    &sn_cmd_vault_exec,
    &sn_cmd_vault_export,
    &sn_cmd_vault_clear,
    &sn_cmd_vault_remove,
    &sn_cmd_completion,
    &sn_cmd_help,
    &sn_cmd_lab,
    &sn_cmd_version,
    NULL,
};

int main(int argc, char **argv)
{
    struct sn_client_context context = {.umask = umask(077)}; /* given back to children */

    sn_inherited_fds_note(&context.inherited);
    sn_harden_process();
    sn_log_set_enabled(false); /* errors are printed by the command that meets them */
    if (sn_cli_is_vault_name(argc, argv)) {
        char **words = sn_cli_vault_argv(argc, argv);
        int code = sn_cli_main("sentinel", commands, &context, argc + 1, words);
        sn_free(words);
        return code;
    }
    int answered = sn_cli_cached_credentials("sentinel", argc, argv);
    if (answered >= 0) {
        return answered;
    }
    return sn_cli_main("sentinel", commands, &context, argc, argv);
}
