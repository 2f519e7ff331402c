/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base/process.h - hardening of the own process.
 */
#ifndef SN_BASE_PROCESS_H
#define SN_BASE_PROCESS_H

#include <stddef.h>

/*
 * To be called before the first secret is read: not dumpable (no core, no ptrace, /proc/self owned by root), core
 * limit 0, umask 077, SIGPIPE ignored. Failures are ignored: each is a further layer, none is the only one.
 */
void sn_harden_process(void);
/* For a server with many threads, before the first: they share two stores of memory instead of eight a processor. */
void sn_tune_memory(void);
/* Raises the limit of open descriptors to wanted, or as far as the system lets it; returns the limit in force. */
size_t sn_descriptors_raise(size_t wanted);

#endif
