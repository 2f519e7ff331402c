/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/policy_target.h - which stored document a command means, and reading and writing it where it is: Parameter Store,
 * or a document directory (POL 9, 14).
 */
#ifndef SN_CLI_POLICY_TARGET_H
#define SN_CLI_POLICY_TARGET_H

#include "cli/aws_access.h"
#include "cli/document_set.h"
#include "core/policy/document_name.h"

struct sn_policy_path_args {
    const char *type, *policy_root, *policy_parameter, *policy_dir, *catalog_path;
};

/* Rows of an option table whose argument struct holds a struct sn_policy_path_args called member. */
/* clang-format off */
#define SN_POLICY_PATH_OPTS(type_of_args, member)                                                                     \
    {.name = "type", .metavar = "TYPE", .kind = SN_OPT_CHOICE, .choices = sn_document_type_choices,                   \
     .fallback = "policy", .field = offsetof(type_of_args, member.type), .help = "what the document is"},             \
    {.name = "policy-root", .metavar = "PATH", .kind = SN_OPT_STRING, .fallback = SN_POLICY_ROOT,                     \
     .field = offsetof(type_of_args, member.policy_root),                                                             \
     .help = "path in Parameter Store below which the policies of profiles lie"},                                     \
    {.name = "catalog-path", .metavar = "PATH", .kind = SN_OPT_STRING, .fallback = SN_CATALOG_PATH,                   \
     .field = offsetof(type_of_args, member.catalog_path),                                                            \
     .help = "path in Parameter Store below which the catalogue lies"},                                               \
    {.name = "policy-parameter", .metavar = "NAME", .kind = SN_OPT_STRING,                                            \
     .field = offsetof(type_of_args, member.policy_parameter),                                                        \
     .help = "the document's full name, instead of root and profile"},                                                \
    {.name = "policy-dir", .metavar = "DIR", .kind = SN_OPT_STRING, .words = SN_WORDS_FILES,                          \
     .field = offsetof(type_of_args, member.policy_dir),                                                              \
     .help = "a document directory, instead of Parameter Store; AWS is not called"}
/* clang-format on */

enum { SN_TARGET_PATH_MAX = 4096 };

struct sn_policy_target {
    enum sn_document_kind kind;
    char name[SN_DOCUMENT_NAME_MAX + 1];           /* the document's */
    char signature_name[SN_DOCUMENT_NAME_MAX + 1]; /* of its parameter */
    bool is_file;                                  /* in a directory; else in Parameter Store */
    char path[SN_TARGET_PATH_MAX], signature_path[SN_TARGET_PATH_MAX];
    char catalog_place[SN_TARGET_PATH_MAX]; /* the path or directory of the whole catalogue */
};

/* True when the document is named by an operand: a profile, or the name of a catalogue document. */
bool sn_policy_target_takes_name(const struct sn_policy_path_args *args);
/* operand: that name; NULL when there is none. Checks everything before AWS is asked. */
SN_MUST_CHECK enum sn_status sn_policy_target_resolve(const struct sn_policy_path_args *args, const char *operand,
    struct sn_policy_target *out_target, struct sn_error *err);
/* Where it is, for people. */
const char *sn_policy_target_place(const struct sn_policy_target *target);

/* What is stored. A zeroed struct is nothing. */
struct sn_policy_stored {
    bool is_found, has_signature;
    struct sn_buf text, signature;
    char version[24];                  /* the parameter's, or the beginning of the hash of a file */
    char type[16], signature_type[16]; /* of the parameters */
};
void sn_policy_stored_clear(struct sn_policy_stored *stored);
/* A missing document or signature is no error. */
SN_MUST_CHECK enum sn_status sn_policy_target_read(struct sn_aws_access *access, const struct sn_policy_target *target,
    struct sn_policy_stored *out_stored, struct sn_error *err);
/* Puts a document back to "not found" as an error: SSM_PARAMETER_NOT_FOUND or FILE_NOT_FOUND, with what helps. */
enum sn_status sn_policy_target_missing(const struct sn_policy_target *target, struct sn_error *err);

/* Writes one of the two; before: what is there now, whose type is kept. *out_version is the new one. */
SN_MUST_CHECK enum sn_status sn_policy_target_write(struct sn_aws_access *access, const struct sn_policy_target *target,
    const struct sn_policy_stored *before, const char *tier, struct sn_slice text, char out_version[24],
    struct sn_error *err);
SN_MUST_CHECK enum sn_status sn_policy_target_write_signature(struct sn_aws_access *access,
    const struct sn_policy_target *target, const struct sn_policy_stored *before, struct sn_slice text,
    struct sn_error *err);
/* Puts back the signature that was there before, or none. */
SN_MUST_CHECK enum sn_status sn_policy_target_restore_signature(struct sn_aws_access *access,
    const struct sn_policy_target *target, const struct sn_policy_stored *before, struct sn_error *err);

#endif
