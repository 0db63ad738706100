/* SPDX-License-Identifier: MIT */
/* Percent-encoding, as VPC Flow Logs encodes the values of tags. Pure. */
#ifndef FFFA_AGENT_BASE_PERCENT_H
#define FFFA_AGENT_BASE_PERCENT_H

#include <stddef.h>

/*
 * Encodes len bytes of UTF-8 into dst (cap bytes, NUL included). Letters, digits and "._~" stay
 * as they are and every other byte becomes %XX. That includes "-", which stands for an absent
 * value in the records of AWS. 0; -EINVAL when src is not UTF-8 (RFC 3629); -ENAMETOOLONG. On
 * failure dst is empty.
 */
int fffa_percent_encode(char *dst, size_t cap, const char *src, size_t len);

#endif
