/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/tvm_serve.h - the sub-commands of sentinel-tvm.
 */
#ifndef SN_CLI_TVM_SERVE_H
#define SN_CLI_TVM_SERVE_H

#include "cli/command.h"

extern const struct sn_cmd sn_cmd_tvm_serve, sn_cmd_tvm_config, sn_cmd_tvm_check, sn_cmd_tvm_openapi, sn_cmd_tvm_sweep;

#endif
