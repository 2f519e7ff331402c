/* SPDX-License-Identifier: Apache-2.0 */
/*
 * main/sentinel.c - the client and administrator program: its commands, nothing else.
 */
#include "base/log.h"
#include "base/process.h"
#include "cli/command.h"

static const struct sn_cmd *const commands[] = {
    &sn_cmd_completion,
    &sn_cmd_help,
    &sn_cmd_version,
    NULL,
};

int main(int argc, char **argv)
{
    sn_harden_process();
    sn_log_set_enabled(false); /* errors are printed by the command that meets them */
    return sn_cli_main("sentinel", commands, NULL, argc, argv);
}
