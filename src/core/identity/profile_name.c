/* SPDX-License-Identifier: Apache-2.0 */
/*
 * core/identity/profile_name.c - the syntax of profile names, checked before a name is used for anything.
 */
#include "core/identity/principal.h"

static const char *find_problem(struct sn_slice name)
{
    static const char *const pieces[] = {"..", "//", "./", "/.", "\\"};

    if (name.len == 0) {
        return "is empty";
    }
    if (name.len > SN_PROFILE_NAME_MAX) {
        return "is longer than 256 bytes";
    }
    if (sn_slice_has_byte(name, '\0')) {
        return "holds a NUL byte";
    }
    for (size_t i = 0; i < name.len; i++) {
        unsigned char byte = (unsigned char)name.ptr[i];
        if (byte > 0x7e) {
            return byte == 0x7f ? "holds a control character" : "holds a character that is not ASCII";
        }
        if (byte < 0x20) {
            return "holds a control character";
        }
    }
    for (size_t i = 0; i < SN_LEN(pieces); i++) {
        if (sn_slice_contains(name, sn_slice_str(pieces[i]))) {
            return "holds a path traversal ('..', '//', './', '/.' or a backslash)";
        }
    }
    if (!sn_slice_is_alnum_or(name, "_/:-")) {
        return "holds a character outside [A-Za-z0-9_/:-]";
    }
    if (name.ptr[0] == '-') {
        return "begins with '-'";
    }
    if (name.ptr[name.len - 1] == '/') {
        return "ends with '/'";
    }
    return NULL;
}

bool sn_profile_name_is_valid(struct sn_slice name)
{
    return find_problem(name) == NULL;
}

enum sn_status sn_profile_name_check(struct sn_slice name, struct sn_error *err)
{
    const char *problem = find_problem(name);

    if (problem == NULL) {
        return SN_OK;
    }
    /* The name itself is not repeated: it may be hostile text. */
    sn_fail(err, SN_INVALID, "INVALID_PROFILE", "the profile name %s", problem);
    return sn_suggest(err, "use a name that 'sentinel profiles' lists");
}
