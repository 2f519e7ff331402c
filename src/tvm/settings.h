/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tvm/settings.h - every setting of the server, from one table.
 *
 * The table (settings_table.c) drives parsing, `sentinel-tvm config` and docs/reference/settings.md. Settings are read
 * once at start, from an environment given as a table, and never change afterwards; they may be shared between threads.
 * A wrong value is an error that names the variable and what it accepts; so is the name of a setting that is gone.
 */
#ifndef SN_TVM_SETTINGS_H
#define SN_TVM_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/env.h"
#include "base/error.h"
#include "base/secret.h"
#include "base/slice.h"

enum sn_tvm_form { SN_TVM_FORM_SERVE, SN_TVM_FORM_LAMBDA };

/* Parts of a list setting, in order, without empty ones. */
struct sn_tvm_list {
    const struct sn_slice *items;
    size_t count;
};

enum { SN_TVM_SETTINGS_MAX = 96 };

/*
 * Texts are NUL-terminated and "" when absent; numbers are within the range of their row. Rows that are reserved (their
 * feature is not part of this version) have no member: only their default is accepted.
 */
struct sn_tvm_settings {
    struct sn_arena arena;
    enum sn_tvm_form form;
    const char *values[SN_TVM_SETTINGS_MAX];    /* by row: the effective text; NULL for a secret or none */
    bool from_environment[SN_TVM_SETTINGS_MAX]; /* by row: given, not the default */

    struct sn_tvm_list listen, public_urls;
    const char *metrics_listen;
    const char *tls_cert_file, *tls_key_file;
    int64_t unix_socket_mode;
    int64_t workers, max_connections, drain_s;

    const char *region; /* SENTINEL_STS_REGION, else AWS_REGION, else AWS_DEFAULT_REGION; never empty */
    const char *sts_region, *aws_region, *aws_default_region; /* as given */
    int64_t replay_entries, ticket_s;

    const char *store, *store_path;
    struct sn_secret state_signing_key; /* absent: the key file */
    const char *state_signing_key_file; /* from the secret reference file:PATH, else state.key beside the database */
    const char *state_signing_key_secret_id, *state_signing_key_id;

    /* Exactly one source: the directory, or "" and the names in Parameter Store, each "" when not given. */
    const char *policy_dir;
    const char *policy_parameter, *policy_root, *catalog_path;
    const char *approval_parameter, *breakglass_parameter, *ratelimit_parameter;
    const char *zoneinfo_dir;
    int64_t policy_cache_ttl_s, policy_stale_grace_s;
    struct sn_tvm_list policy_signing_keys; /* ed25519:BASE64, file:/ABSOLUTE/PATH or a key in KMS */
    const char *enforce_policy_signing;     /* "true", "false" or "" */
    bool allow_unbound_signatures;
    int64_t policy_min_serial;

    const char *role_prefix;
    int64_t default_duration_s, override_session_max_s;
    const char *session_table;
    int64_t record_retention_days;
    struct sn_tvm_list operators;

    int64_t rate_limit_requests, rate_limit_window_s;
    bool require_device;

    struct sn_tvm_list allowed_accounts, vouching_roles, trusted_callers;
    const char *allowed_org_id;
    bool allow_root;

    const char *audit_file, *audit_anchor_file; /* "none": no file */
    int64_t audit_rotate_bytes, audit_rotate_s, audit_anchor_s;
    struct sn_secret log_signing_key; /* absent: the key file */
    const char *log_signing_key_file, *log_signing_key_id;
    const char *log_signing_key_secret_id, *log_signing_key_parameter; /* Lambda form: one of them, or the key */
    const char *cloudwatch_log_group, *cloudwatch_stream;              /* Lambda form; stream "": the function's name */
};

/* Reads and checks all of them. Fails with SN_USAGE, INVALID_SETTING; the message begins with the variable's name. */
SN_MUST_CHECK enum sn_status sn_tvm_settings_load(
    const struct sn_env *env, enum sn_tvm_form form, struct sn_tvm_settings *out_settings, struct sn_error *err);
void sn_tvm_settings_clear(struct sn_tvm_settings *settings);
/*
 * Refuses names beginning with SENTINEL_ that no setting has, so that a misspelt or removed one is not ignored in
 * silence. environment: "NAME=value" texts, NULL-terminated. Variables of the client programs are left alone.
 */
SN_MUST_CHECK enum sn_status sn_tvm_settings_check_names(const char *const *environment, struct sn_error *err);

/* --- The table, for those who show it. --- */
enum sn_setting_kind {
    SN_SETTING_TEXT,
    SN_SETTING_INT,
    SN_SETTING_OCTAL,
    SN_SETTING_BOOL,
    SN_SETTING_LIST,   /* comma list */
    SN_SETTING_WORDS,  /* list separated by blanks */
    SN_SETTING_SECRET, /* hexadecimal; never shown */
};
enum sn_setting_form { SN_SETTING_BOTH, SN_SETTING_SERVE_ONLY, SN_SETTING_LAMBDA_ONLY };

struct sn_setting {
    const char *name;
    enum sn_setting_kind kind;
    enum sn_setting_form form;
    size_t offset;
    int64_t min, max;           /* numbers */
    const char *const *choices; /* NULL-terminated; text only */
    const char *fallback_serve; /* default as text; NULL: none */
    const char *fallback_lambda;
    bool reserved;       /* known, but what it turns on is not part of this version: only the default is accepted */
    const char *meaning; /* one sentence without full stop */
    enum sn_status (*check)(
        const char *value, struct sn_error *err); /* form of a text, or of one list item; NULL: any */
    const char *accepts;                          /* for people: what check accepts */
};
extern const struct sn_setting sn_settings[];
extern const size_t sn_settings_count;

/* The effective values with their sources: "NAME=value  # source", secrets masked; as JSON with json. */
void sn_tvm_settings_print(const struct sn_tvm_settings *settings, bool json, struct sn_buf *out_text);
/* docs/reference/settings.md. */
void sn_settings_reference(struct sn_buf *out_text);

#endif
