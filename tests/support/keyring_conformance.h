/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/support/keyring_conformance.h - what every keyring backend does; one suite for all of them.
 */
#ifndef SN_TESTS_SUPPORT_KEYRING_CONFORMANCE_H
#define SN_TESTS_SUPPORT_KEYRING_CONFORMANCE_H

#include "keyring/keyring.h"

/* Options that open the same, at first empty store each time. Leaves it empty again. Fails the running cmocka test. */
void keyring_conformance(const struct sn_keyring_options *options);

#endif
