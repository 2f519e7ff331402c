/* SPDX-License-Identifier: Apache-2.0 */
/* keyring/backends.h - the backends of this build. Internal to the folder; its users go through keyring.h. */
#ifndef SN_KEYRING_BACKENDS_H
#define SN_KEYRING_BACKENDS_H

#include "keyring/keyring.h"

extern const struct sn_keyring_backend sn_keyring_file, sn_keyring_kernel;

#endif
