/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base/defs.h - the few macros everything else is written with.
 *
 * Nothing here allocates or performs I/O. SN_TRY is the only macro in the project that returns.
 */
#ifndef SN_BASE_DEFS_H
#define SN_BASE_DEFS_H

#include <stddef.h>

#define SN_LEN(array) (sizeof(array) / sizeof((array)[0]))

#define SN_MUST_CHECK __attribute__((warn_unused_result))
#define SN_PRINTF(format_index, first_argument) __attribute__((format(printf, format_index, first_argument)))
#define SN_NORETURN __attribute__((noreturn))
#define SN_UNUSED __attribute__((unused))

/* Runs clear_fn(&variable) when the variable leaves its scope. */
#define SN_AUTO(clear_fn) __attribute__((cleanup(clear_fn)))

/* Moves a pointer out of a variable that cleans itself up, leaving NULL behind. */
#define SN_TAKE(pointer)                                                                                               \
    ({                                                                                                                 \
        __auto_type sn_take_p = (pointer);                                                                             \
        (pointer) = NULL;                                                                                              \
        sn_take_p;                                                                                                     \
    })

/* Leaves the function with the status of a call that failed. */
#define SN_TRY(call)                                                                                                   \
    do {                                                                                                               \
        enum sn_status sn_try_status = (call);                                                                         \
        if (sn_try_status != SN_OK) {                                                                                  \
            return sn_try_status;                                                                                      \
        }                                                                                                              \
    } while (0)

/* An invariant of our own code, checked in every build. Prints no data. Never used on outside input. */
#define SN_ASSERT(condition)                                                                                           \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            sn_assert_failed(__FILE__, __LINE__);                                                                      \
        }                                                                                                              \
    } while (0)

SN_NORETURN void sn_assert_failed(const char *file, int line);

#endif
