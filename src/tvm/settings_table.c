/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tvm/settings_table.c - the one table of the server's settings.
 *
 * Reserved rows belong to parts that this version does not have; a value other than the default is refused at start,
 * since ignoring it would promise what does not happen.
 */
#include "tvm/settings.h"
#include "tvm/settings_check.h"

#define AT(member) offsetof(struct sn_tvm_settings, member)
#define TEXT(row, member, ...)                                                                                         \
    {                                                                                                                  \
        .name = row, .kind = SN_SETTING_TEXT, .offset = AT(member), __VA_ARGS__                                        \
    }
#define INT(row, member, low, high, ...)                                                                               \
    {                                                                                                                  \
        .name = row, .kind = SN_SETTING_INT, .offset = AT(member), .min = (low), .max = (high), __VA_ARGS__            \
    }
#define BOOL(row, member, ...)                                                                                         \
    {                                                                                                                  \
        .name = row, .kind = SN_SETTING_BOOL, .offset = AT(member), __VA_ARGS__                                        \
    }
#define LIST(row, member, ...)                                                                                         \
    {                                                                                                                  \
        .name = row, .kind = SN_SETTING_LIST, .offset = AT(member), __VA_ARGS__                                        \
    }
#define RESERVED(row, ...)                                                                                             \
    {                                                                                                                  \
        .name = row, .kind = SN_SETTING_TEXT, .reserved = true, __VA_ARGS__                                            \
    }
#define SERVE .form = SN_SETTING_SERVE_ONLY
#define LAMBDA .form = SN_SETTING_LAMBDA_ONLY
#define PARAMETER .check = sn_check_parameter, .accepts = "the name of a parameter, such as /sentinel/policies"
#define BOTH_DEFAULT(text) .fallback_serve = text, .fallback_lambda = text

static const char *const store_choices[] = {"sqlite", "dynamodb", NULL};
static const char *const boolean_choices[] = {"true", "false", NULL};
static const char *const provider_choices[] = {"none", NULL};

/* clang-format off */
const struct sn_setting sn_settings[] = {
    LIST("SENTINEL_LISTEN", listen, SERVE, .fallback_serve = "127.0.0.1:8750", .check = sn_check_address, .max = 8,
        .accepts = "up to 8 of ADDRESS:PORT, [V6]:PORT, unix:/ABSOLUTE/PATH",
        .meaning = "where the server listens; an address that is not loopback needs TLS and SENTINEL_PUBLIC_URL"),
    TEXT("SENTINEL_METRICS_LISTEN", metrics_listen, SERVE, .check = sn_check_address,
        .accepts = "ADDRESS:PORT, [V6]:PORT or unix:/ABSOLUTE/PATH",
        .meaning = "a further plain listener that serves only /healthz, /readyz and /metrics"),
    LIST("SENTINEL_PUBLIC_URL", public_urls, SERVE, .check = sn_check_url, .max = 8,
        .accepts = "up to 8 URLs, https or loopback",
        .meaning = "the URLs by which clients know the server; identity proofs are bound to one of them"),
    TEXT("SENTINEL_TLS_CERT_FILE", tls_cert_file, SERVE, .check = sn_check_absolute_path, .accepts = "an absolute path",
        .meaning = "certificate chain of the listener, PEM"),
    TEXT("SENTINEL_TLS_KEY_FILE", tls_key_file, SERVE, .check = sn_check_absolute_path, .accepts = "an absolute path",
        .meaning = "private key of the listener, PEM, not readable by others"),
    {.name = "SENTINEL_UNIX_SOCKET_MODE", .kind = SN_SETTING_OCTAL, SERVE, .offset = AT(unix_socket_mode), .min = 0600,
        .max = 0777, .fallback_serve = "0660", .meaning = "permission bits of Unix sockets"},
    INT("SENTINEL_WORKERS", workers, 1, 256, SERVE, .fallback_serve = "64", .meaning = "threads that answer requests"),
    INT("SENTINEL_MAX_CONNECTIONS", max_connections, 1, 65536, SERVE, .fallback_serve = "1024",
        .meaning = "open connections at one time"),
    INT("SENTINEL_DRAIN_SECONDS", drain_s, 0, 300, SERVE, .fallback_serve = "25",
        .meaning = "how long running requests may take after SIGTERM"),

    TEXT("AWS_REGION", aws_region, .check = sn_check_region, .accepts = "a region",
        .meaning = "region of the server, used where SENTINEL_STS_REGION is not set"),
    TEXT("AWS_DEFAULT_REGION", aws_default_region, .check = sn_check_region, .accepts = "a region",
        .meaning = "region of the server where neither SENTINEL_STS_REGION nor AWS_REGION is set"),
    TEXT("SENTINEL_STS_REGION", sts_region, .check = sn_check_region, .accepts = "a region",
        .meaning = "region whose STS issues credentials and verifies proofs"),
    INT("SENTINEL_REPLAY_ENTRIES", replay_entries, 1024, 4194304, SERVE, .fallback_serve = "262144",
        .meaning = "spent identity proofs remembered at one time; when full, requests are refused, never forgotten"),
    INT("SENTINEL_TICKET_SECONDS", ticket_s, 0, 60, SERVE, .fallback_serve = "0",
        .meaning = "life of the ticket that saves a client further proofs on one connection; 0 gives none"),

    TEXT("SENTINEL_STORE", store, .choices = store_choices, .fallback_serve = "sqlite", .fallback_lambda = "dynamodb",
        .meaning = "where sessions and spent proofs are kept"),
    TEXT("SENTINEL_STORE_PATH", store_path, SERVE, .fallback_serve = "/var/lib/sentinel-tvm/sentinel.db",
        .check = sn_check_absolute_path, .accepts = "an absolute path",
        .meaning = "the SQLite file; its directory also holds the keys made at the first start"),
    {.name = "SENTINEL_STATE_SIGNING_KEY", .kind = SN_SETTING_SECRET, .offset = AT(state_signing_key), .min = 32,
        .max = 256, .meaning = "key that seals stored records, hexadecimal; a key file is safer than the environment"},
    TEXT("SENTINEL_STATE_SIGNING_KEY_SECRET_ID", state_signing_key_secret_id, .check = sn_check_key_reference,
        .accepts = "file:/ABSOLUTE/PATH; in the Lambda form ssm:/PATH or a secret's name or ARN",
        .meaning = "where the key that seals stored records is kept"),
    TEXT("SENTINEL_STATE_SIGNING_KEY_ID", state_signing_key_id, BOTH_DEFAULT("k1"), .check = sn_check_key_id,
        .accepts = "1 to 64 of letters, digits, '.', '_' and '-'", .meaning = "name of that key in seals"),
    RESERVED("SENTINEL_STATE_SIGNING_KEY_PREVIOUS", .meaning = "older sealing keys that only verify"),

    TEXT("SENTINEL_POLICY_DIR", policy_dir, .fallback_serve = "/etc/sentinel/policy",
        .check = sn_check_absolute_path, .accepts = "an absolute path",
        .meaning = "directory of the catalogue and the policies, instead of Parameter Store"),
    TEXT("SENTINEL_ZONEINFO", zoneinfo_dir, BOTH_DEFAULT("/usr/share/zoneinfo"), .check = sn_check_absolute_path,
        .accepts = "an absolute path", .meaning = "directory of the time zone database"),
    TEXT("SENTINEL_POLICY_PARAMETER", policy_parameter, PARAMETER,
        .meaning = "one access policy for all profiles, in Parameter Store"),
    TEXT("SENTINEL_POLICY_ROOT", policy_root, PARAMETER,
        .meaning = "path of one access policy a profile, in Parameter Store"),
    TEXT("SENTINEL_CATALOG_PATH", catalog_path, BOTH_DEFAULT("/sentinel/catalog"), PARAMETER,
        .meaning = "path whose direct children are the catalogue, in Parameter Store"),
    TEXT("SENTINEL_APPROVAL_POLICY_PARAMETER", approval_parameter, PARAMETER,
        .meaning = "the approval policy in Parameter Store"),
    TEXT("SENTINEL_BREAKGLASS_POLICY_PARAMETER", breakglass_parameter, PARAMETER,
        .meaning = "the break-glass policy in Parameter Store"),
    TEXT("SENTINEL_RATELIMIT_POLICY_PARAMETER", ratelimit_parameter, PARAMETER,
        .meaning = "the rate-limit policy in Parameter Store"),
    INT("SENTINEL_POLICY_CACHE_TTL", policy_cache_ttl_s, 5, 300, BOTH_DEFAULT("30"),
        .meaning = "seconds for which a loaded document is used before it is read again"),
    INT("SENTINEL_POLICY_STALE_GRACE", policy_stale_grace_s, 0, 300, BOTH_DEFAULT("0"),
        .meaning = "seconds past that for which a document serves while Parameter Store does not answer"),
    INT("SENTINEL_POLICY_MIN_SERIAL", policy_min_serial, 0, (INT64_C(1) << 53) - 1, BOTH_DEFAULT("0"),
        .meaning = "least serial of a signed document, so that older ones are refused after a restart too"),
    LIST("SENTINEL_POLICY_SIGNING_KEY", policy_signing_keys, .check = sn_check_public_key, .max = 3,
        .accepts = "up to 3 of ed25519:BASE64, file:/ABSOLUTE/PATH (PEM), a KMS key's id, ARN or alias",
        .meaning = "keys that signatures of documents are verified with; a key in KMS also by its exported public key"),
    TEXT("SENTINEL_ENFORCE_POLICY_SIGNING", enforce_policy_signing, .choices = boolean_choices,
        .meaning = "whether documents without signature are refused; true unless given, where a key is set"),
    BOOL("SENTINEL_ALLOW_UNBOUND_SIGNATURES", allow_unbound_signatures, BOTH_DEFAULT("false"),
        .meaning = "whether signatures without document name and serial are accepted"),

    TEXT("SENTINEL_ROLE_PREFIX", role_prefix, .check = sn_check_role_prefix, .accepts = "the beginning of a role name",
        .meaning = "what the name of every role of the catalogue must begin with"),
    INT("SENTINEL_DEFAULT_DURATION", default_duration_s, 900, 43200, BOTH_DEFAULT("900"),
        .meaning = "seconds of a session when the caller names none"),
    INT("SENTINEL_OVERRIDE_SESSION_MAX_SECONDS", override_session_max_s, 900, 43200, BOTH_DEFAULT("3600"),
        .meaning = "longest session under an approval or break-glass"),

    TEXT("SENTINEL_SESSION_TABLE", session_table, BOTH_DEFAULT("sentinel-sessions"),
        .meaning = "table of sessions in DynamoDB"),
    RESERVED("SENTINEL_REQUEST_TABLE", .meaning = "table of access requests in DynamoDB"),
    RESERVED("SENTINEL_APPROVAL_TABLE", .meaning = "another name of SENTINEL_REQUEST_TABLE"),
    RESERVED("SENTINEL_BREAKGLASS_TABLE", .meaning = "table of break-glass events in DynamoDB"),
    INT("SENTINEL_RECORD_RETENTION_DAYS", record_retention_days, 1, 3650, BOTH_DEFAULT("90"),
        .meaning = "days for which a record is kept after its end"),
    {.name = "SENTINEL_OPERATORS", .kind = SN_SETTING_WORDS, .offset = AT(operators), .max = 256,
        .check = sn_check_list_entry, .accepts = "entries NAME, arn:... or role:ROLENAME, separated by blanks",
        .meaning = "who may see and end what is not their own; nobody when unset"},

    RESERVED("SENTINEL_REVOKE_ISSUED_KEYS", BOTH_DEFAULT("true"),
        .meaning = "whether a revocation also denies keys that are already out"),
    RESERVED("SENTINEL_DENY_POLICY_MAX_CHARS", BOTH_DEFAULT("10240"), .meaning = "longest deny policy on a role"),
    RESERVED("SENTINEL_REVOKER_ROLE_NAME", BOTH_DEFAULT("SentinelRevoker"),
        .meaning = "role in other accounts that may write deny policies"),
    RESERVED("SENTINEL_BREAKGLASS_REQUIRE_MFA", BOTH_DEFAULT("false"), .meaning = "whether break-glass needs a second factor"),
    RESERVED("SENTINEL_MFA_TOTP_SECRETS_PARAM", .meaning = "shared secrets of one-time codes, in Parameter Store"),
    RESERVED("SENTINEL_MFA_SMS_PHONES_PARAM", .meaning = "telephone numbers for codes, in Parameter Store"),

    INT("SENTINEL_RATE_LIMIT_REQUESTS", rate_limit_requests, 0, 1000000, BOTH_DEFAULT("100"),
        .meaning = "requests of one caller in a window; 0 sets no limit"),
    INT("SENTINEL_RATE_LIMIT_WINDOW", rate_limit_window_s, 1, 86400, BOTH_DEFAULT("60"),
        .meaning = "seconds of that window"),
    RESERVED("SENTINEL_RATE_LIMIT_BURST", .meaning = "requests above the limit at the beginning of a window"),
    RESERVED("SENTINEL_RATE_LIMIT_TABLE", .meaning = "table of shared counters in DynamoDB; never with SQLite"),

    RESERVED("SENTINEL_MDM_PROVIDER", BOTH_DEFAULT("none"), .choices = provider_choices,
        .meaning = "device management system that is asked for postures"),
    RESERVED("SENTINEL_MDM_BASE_URL", .meaning = "its address"),
    RESERVED("SENTINEL_MDM_API_SECRET_ID", .meaning = "where its token is kept"),
    RESERVED("SENTINEL_MDM_TENANT_ID", .meaning = "its tenant"),
    RESERVED("SENTINEL_MDM_CACHE_TTL", BOTH_DEFAULT("300"), .meaning = "seconds for which a posture is used"),
    RESERVED("SENTINEL_MDM_MAX_AGE", BOTH_DEFAULT("0"), .meaning = "oldest inventory that counts, in seconds"),
    RESERVED("SENTINEL_MDM_LOGIN_URL", .meaning = "where its tokens come from"),
    RESERVED("SENTINEL_MDM_INTUNE_MATCH", BOTH_DEFAULT("azure_ad_device_id"), .meaning = "how devices are matched"),
    RESERVED("SENTINEL_DEVICE_MAP_TABLE", .meaning = "table of enrolled devices"),
    RESERVED("SENTINEL_DEVICE_MAP_FILE", .meaning = "file of enrolled devices"),
    BOOL("SENTINEL_REQUIRE_DEVICE", require_device, BOTH_DEFAULT("false"),
        .meaning = "whether every issue needs a device that could be verified"),

    LIST("SENTINEL_ALLOWED_ACCOUNTS", allowed_accounts, .check = sn_check_account, .max = 256,
        .accepts = "account ids of 12 digits",
        .meaning = "accounts whose callers are admitted; the server's own account when unset"),
    TEXT("SENTINEL_ALLOWED_ORG_ID", allowed_org_id, LAMBDA,
        .meaning = "organisation that callers must belong to"),
    LIST("SENTINEL_VOUCHING_ROLES", vouching_roles, .check = sn_check_role_glob, .max = 256,
        .accepts = "role names with '*' and '?', not of wildcards alone",
        .meaning = "roles whose session names may be trusted as names of people"),
    RESERVED("SENTINEL_CHECK_SSO_ROLE_PATH", BOTH_DEFAULT("false"),
        .meaning = "whether the path of Identity Center roles is confirmed with IAM"),
    LIST("SENTINEL_TRUSTED_CALLERS", trusted_callers, .check = sn_check_arn_glob, .max = 256,
        .accepts = "caller ARNs with '*'", .meaning = "when set, a caller's ARN must match one of them"),
    BOOL("SENTINEL_ALLOW_ROOT", allow_root, BOTH_DEFAULT("false"),
        .meaning = "whether the root user of an allowed account is admitted"),

    TEXT("SENTINEL_AUDIT_FILE", audit_file, .check = sn_check_absolute_path_or_none,
        .accepts = "an absolute path", .meaning = "the audit log; audit/audit.log beside the database when unset"),
    INT("SENTINEL_AUDIT_ROTATE_BYTES", audit_rotate_bytes, 1048576, INT64_C(1) << 40, BOTH_DEFAULT("268435456"),
        .meaning = "size at which a new log file is begun"),
    INT("SENTINEL_AUDIT_ROTATE_SECONDS", audit_rotate_s, 0, 31536000, BOTH_DEFAULT("86400"),
        .meaning = "age at which a new log file is begun; 0 never, otherwise at least 60"),
    TEXT("SENTINEL_AUDIT_ANCHOR_FILE", audit_anchor_file, .check = sn_check_absolute_path,
        .accepts = "an absolute path",
        .meaning = "the anchor of the audit log; audit.anchor beside it when unset, best on another volume"),
    INT("SENTINEL_AUDIT_ANCHOR_SECONDS", audit_anchor_s, 1, 86400, BOTH_DEFAULT("60"),
        .meaning = "how often the anchor is also written as an operational line"),
    RESERVED("SENTINEL_AUDIT_REMOTE_SYNC", BOTH_DEFAULT("false"),
        .meaning = "whether an answer waits for file and log group"),
    {.name = "SENTINEL_LOG_SIGNING_KEY", .kind = SN_SETTING_SECRET, .offset = AT(log_signing_key), .min = 32, .max = 256,
        .meaning = "key of the audit chain, hexadecimal; a key file is safer than the environment"},
    TEXT("SENTINEL_LOG_SIGNING_KEY_SECRET_ID", log_signing_key_secret_id, LAMBDA, .check = sn_check_secret_id,
        .accepts = "the name or ARN of a secret", .meaning = "that key in Secrets Manager"),
    TEXT("SENTINEL_LOG_SIGNING_KEY_PARAMETER", log_signing_key_parameter, LAMBDA, PARAMETER,
        .meaning = "that key as a SecureString in Parameter Store"),
    TEXT("SENTINEL_LOG_SIGNING_KEY_FILE", log_signing_key_file, .check = sn_check_absolute_path,
        .accepts = "an absolute path",
        .meaning = "file of that key; audit.key beside the database when unset, made at the first start"),
    TEXT("SENTINEL_LOG_SIGNING_KEY_ID", log_signing_key_id, BOTH_DEFAULT("default"), .check = sn_check_key_id,
        .accepts = "1 to 64 of letters, digits, '.', '_' and '-'", .meaning = "name of that key in records"),
    TEXT("SENTINEL_CLOUDWATCH_LOG_GROUP", cloudwatch_log_group, LAMBDA, .check = sn_check_log_name,
        .accepts = "the name of a log group", .meaning = "log group that receives the audit records"),
    TEXT("SENTINEL_CLOUDWATCH_STREAM", cloudwatch_stream, LAMBDA, .check = sn_check_log_name,
        .accepts = "the name of a log stream", .meaning = "stream in that group; the function's name when unset"),
    RESERVED("SENTINEL_DRIFT_CHECK", .meaning = "whether the trust policy of a role is checked before an issue"),
    RESERVED("SENTINEL_LAMBDA_MODE", LAMBDA, .fallback_lambda = "tvm", .meaning = "entry point of the Lambda form"),
};
/* clang-format on */
const size_t sn_settings_count = SN_LEN(sn_settings);
_Static_assert(SN_LEN(sn_settings) <= SN_TVM_SETTINGS_MAX, "SN_TVM_SETTINGS_MAX is too small");
