/* SPDX-License-Identifier: Apache-2.0 */
/*
 * platform/process_tree.h - ends a process with everything below it.
 *
 * A process group would be simpler, but a program in a group of its own cannot ask on the terminal. Processes whose
 * parent has ended are below nobody any more and are not found.
 */
#ifndef SN_PLATFORM_PROCESS_TREE_H
#define SN_PLATFORM_PROCESS_TREE_H

#include <sys/types.h>

/* Kills root, which must be a child of the caller that has not been waited for, and all its descendants. */
void sn_process_tree_kill(pid_t root);

#endif
