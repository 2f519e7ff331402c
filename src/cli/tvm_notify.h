/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/tvm_notify.h - the service manager's protocol: readiness messages and sockets handed over (sd_notify,
 * LISTEN_FDS).
 */
#ifndef SN_CLI_TVM_NOTIFY_H
#define SN_CLI_TVM_NOTIFY_H

/* Sends one message to NOTIFY_SOCKET; does nothing without one. */
void sn_notify_ready(void);
void sn_notify_reloading(void);
void sn_notify_stopping(void);

/* Sockets handed over to this very process, from descriptor *out_first on; 0 for none. The variables are consumed. */
int sn_notify_listen_fds(int *out_first);

#endif
