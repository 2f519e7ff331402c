/* SPDX-License-Identifier: Apache-2.0 */
/* cli/policy_commands.h - the commands that check, try, sign and store documents. */
#ifndef SN_CLI_POLICY_COMMANDS_H
#define SN_CLI_POLICY_COMMANDS_H

#include "cli/command.h"

extern const struct sn_cmd sn_cmd_policy_validate, sn_cmd_policy_lint, sn_cmd_policy_eval, sn_cmd_policy_test,
    sn_cmd_policy_simulate, sn_cmd_policy_analyze, sn_cmd_policy_sign, sn_cmd_policy_verify, sn_cmd_policy_pull,
    sn_cmd_policy_push, sn_cmd_policy_diff, sn_cmd_config_validate, sn_cmd_config_generate;

#endif
