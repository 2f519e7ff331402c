/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/credential_options.c - the tables of credential_options.h. Refers to no command.
 */
#include "cli/credential_options.h"

const char *const sn_tvm_auth_choices[] = {"auto", "iam", "proof", NULL};
const char *const sn_sso_flow_choices[] = {"auto", "pkce", "device", NULL};

/* clang-format off */
const struct sn_opt sn_credential_process_opts[] = {
    SN_CREDENTIALS_OPTS,
    {.name = "force-stdout", .kind = SN_OPT_FLAG, .field = offsetof(struct sn_credentials_args, force_stdout),
     .help = "print them even if stdout is a terminal"},
    {.name = "policy-parameter", .flags = SN_OPT_REMOVED, .help = "use --tvm-url URL: the TVM holds the policy"},
    {0},
};
/* clang-format on */
