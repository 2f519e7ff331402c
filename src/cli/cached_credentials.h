/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/cached_credentials.h - 'credential-process' answered from credentials that are held already; ADR 0026.
 *
 * Loads no library beyond those of the C library and YAML, reads no AWS file, opens no connection.
 */
#ifndef SN_CLI_CACHED_CREDENTIALS_H
#define SN_CLI_CACHED_CREDENTIALS_H

/*
 * The exit code, or -1 when this is another command, a wrong one, or one that has to be answered by asking: then
 * nothing was written and the whole program is to run.
 */
int sn_cli_cached_credentials(const char *program, int argc, char **argv);

#endif
