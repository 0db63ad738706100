/* SPDX-License-Identifier: MIT */
/* CRC-32C (Castagnoli), as in RFC 3720 appendix B.4. Pure, any thread. */
#ifndef FFFA_AGENT_SPOOL_CRC32C_H
#define FFFA_AGENT_SPOOL_CRC32C_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The CRC of n bytes that follow those whose CRC is crc (0: none). Uses the instruction of the CPU
 * where there is one.
 */
uint32_t fffa_crc32c(uint32_t crc, const void *p, size_t n);
/* The same without that instruction. */
uint32_t fffa_crc32c_plain(uint32_t crc, const void *p, size_t n);

#endif
