/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base/banned.h - functions that this project does not use; naming one is a compile error.
 *
 * Force-included into every translation unit by the build, after the system headers that declare these names, so that
 * only our own use of them fails. Replacements: sn_parse_* for numbers, sn_buf_* for text, sn_env_get for the
 * environment, sn_time_* for calendars, sn_secret_eq for comparing secrets, sn_random for random bytes.
 */
#ifndef SN_BASE_BANNED_H
#define SN_BASE_BANNED_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Some C libraries define a few of these as macros, which clang would warn of when they are poisoned. */
#undef strtok_r
#undef strncpy
#undef strcat
#undef strcpy
#undef strncat
#undef sprintf
#undef vsprintf
#undef gets
#undef atoi
#undef atol

#pragma GCC poison atoi atol atoll strtol strtoul strtoll strtoull strtod sscanf fscanf scanf
#pragma GCC poison strcpy strcat strncpy strncat sprintf vsprintf strtok strtok_r gets
#pragma GCC poison system popen
#pragma GCC poison localtime localtime_r mktime gmtime ctime asctime tmpnam tempnam mktemp

/* Names that headers of libraries use for parameters cannot be poisoned; calling them is the error (and a lint's). */
#ifndef __clang__
int rand(void) __attribute__((error("use sn_random")));
void srand(unsigned int seed) __attribute__((error("use sn_random")));
long random(void) __attribute__((error("use sn_random")));
void srandom(unsigned int seed) __attribute__((error("use sn_random")));
double drand48(void) __attribute__((error("use sn_random")));
#endif

#endif
