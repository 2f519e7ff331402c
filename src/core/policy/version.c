/* SPDX-License-Identifier: Apache-2.0 */
/* core/policy/version.c - see version.h. */
#include "core/policy/version.h"

#include "core/policy/limits.h"

static bool is_separator(char c)
{
    return c == '.' || c == '-' || c == '+';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Value of the next part, taken off rest; 0 when none is left. */
static uint32_t next_part(struct sn_slice *rest, bool *out_fits)
{
    size_t i = 0;
    uint64_t value = 0;
    size_t digits = 0;
    while (i < rest->len && is_separator(rest->ptr[i])) {
        i++;
    }
    for (; i < rest->len && is_digit(rest->ptr[i]); i++) {
        digits++;
        value = digits <= SN_POLICY_MAX_VERSION_DIGITS ? value * 10 + (uint64_t)(rest->ptr[i] - '0') : value;
    }
    while (i < rest->len && !is_separator(rest->ptr[i])) {
        i++;
    }
    *rest = (struct sn_slice){rest->ptr + i, rest->len - i};
    *out_fits = digits <= SN_POLICY_MAX_VERSION_DIGITS;
    return (uint32_t)value;
}

bool sn_version_is_comparable(struct sn_slice version)
{
    bool fits = true;
    while (version.len > 0 && fits) {
        (void)next_part(&version, &fits);
    }
    return fits;
}

bool sn_version_is_requirement(struct sn_slice version)
{
    bool has_digit = false;
    for (size_t i = 0; i < version.len; i++) {
        has_digit = has_digit || is_digit(version.ptr[i]);
    }
    return has_digit && sn_slice_is_alnum_or(version, ".+-") && sn_version_is_comparable(version);
}

int sn_version_cmp(struct sn_slice a, struct sn_slice b)
{
    while (a.len > 0 || b.len > 0) {
        bool fits;
        uint32_t left = next_part(&a, &fits), right = next_part(&b, &fits);
        if (left != right) {
            return left < right ? -1 : 1;
        }
    }
    return 0;
}

bool sn_version_read_head(struct sn_slice version, uint64_t *out_head)
{
    enum { PARTS = 3, PART_BITS = 21 };
    static const uint64_t most = (1u << PART_BITS) - 1;
    uint64_t head = 0, more = 0;
    bool fits = true;
    int count = 0;
    for (; version.len > 0; count++) {
        bool part_fits;
        uint64_t part = next_part(&version, &part_fits);
        fits &= part_fits;
        more |= count < PARTS ? part >= most : part != 0;
        if (count < PARTS) {
            head = head << PART_BITS | (more != 0 ? most : part); /* behind a part too large the rest cannot tell */
        }
    }
    for (; count < PARTS; count++) {
        head = head << PART_BITS | (more != 0 ? most : 0);
    }
    *out_head = head << 1 | (more != 0 ? SN_VERSION_HAS_MORE : 0);
    return fits;
}
