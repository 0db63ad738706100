/* SPDX-License-Identifier: MIT */
/* The last bytes of a gzip file whose deflate stream ends at a byte border. */
#ifndef FFFA_SINKS_FILE_AWS_GZIP_END_H
#define FFFA_SINKS_FILE_AWS_GZIP_END_H

#include <stdint.h>

#define FFFA_GZIP_END_BYTES 10

/* RFC 1951: a last block without content. RFC 1952: CRC32 and size, low byte first. */
static inline void fffa_gzip_end_write(uint32_t crc, uint32_t size,
				       uint8_t out[FFFA_GZIP_END_BYTES])
{
	out[0] = 3;
	out[1] = 0;
	for (int i = 0; i < 4; i++) {
		out[2 + i] = (uint8_t)(crc >> (8 * i));
		out[6 + i] = (uint8_t)(size >> (8 * i));
	}
}

#endif
