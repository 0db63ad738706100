/* SPDX-License-Identifier: MIT */
/* CRC-32C (Castagnoli), as in RFC 3720 appendix B.4. Pure, any thread. */
#ifndef FFFA_AGENT_SPOOL_CRC32C_H
#define FFFA_AGENT_SPOOL_CRC32C_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Continues the checksum crc (0: a new one) over n bytes at p. Uses the CPU's instruction where
 * there is one.
 */
uint32_t fffa_crc32c(uint32_t crc, const void *p, size_t n);
/* The same without that instruction. */
uint32_t fffa_crc32c_plain(uint32_t crc, const void *p, size_t n);

#endif
