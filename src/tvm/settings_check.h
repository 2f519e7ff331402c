/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tvm/settings_check.h - the forms that texts of the settings table may have.
 *
 * Each fails with SN_INVALID, INVALID_VALUE; the caller adds the name of the setting.
 */
#ifndef SN_TVM_SETTINGS_CHECK_H
#define SN_TVM_SETTINGS_CHECK_H

#include <stdbool.h>

#include "base/error.h"
#include "base/slice.h"

SN_MUST_CHECK enum sn_status sn_check_address(const char *value, struct sn_error *err);
SN_MUST_CHECK enum sn_status sn_check_url(const char *value, struct sn_error *err);
SN_MUST_CHECK enum sn_status sn_check_absolute_path(const char *value, struct sn_error *err);
SN_MUST_CHECK enum sn_status sn_check_absolute_path_or_none(const char *value, struct sn_error *err);
SN_MUST_CHECK enum sn_status sn_check_region(const char *value, struct sn_error *err);
SN_MUST_CHECK enum sn_status sn_check_key_id(const char *value, struct sn_error *err);
SN_MUST_CHECK enum sn_status sn_check_key_reference(const char *value, struct sn_error *err);
SN_MUST_CHECK enum sn_status sn_check_secret_id(const char *value, struct sn_error *err);
SN_MUST_CHECK enum sn_status sn_check_log_name(const char *value, struct sn_error *err);
SN_MUST_CHECK enum sn_status sn_check_account(const char *value, struct sn_error *err);
SN_MUST_CHECK enum sn_status sn_check_role_glob(const char *value, struct sn_error *err);
SN_MUST_CHECK enum sn_status sn_check_arn_glob(const char *value, struct sn_error *err);
SN_MUST_CHECK enum sn_status sn_check_list_entry(const char *value, struct sn_error *err);
SN_MUST_CHECK enum sn_status sn_check_public_key(const char *value, struct sn_error *err);
SN_MUST_CHECK enum sn_status sn_check_parameter(const char *value, struct sn_error *err);
enum sn_status sn_check_role_prefix(const char *value, struct sn_error *err);

/* True for "127.x.y.z:PORT", "[::1]:PORT" and "unix:/PATH". */
bool sn_address_is_loopback(struct sn_slice address);

#endif
