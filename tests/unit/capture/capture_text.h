/* SPDX-License-Identifier: MIT */
/* The text of a capture file, written byte by byte in either byte order, and what is read from it. */
#ifndef FFFA_TESTS_UNIT_CAPTURE_CAPTURE_TEXT_H
#define FFFA_TESTS_UNIT_CAPTURE_CAPTURE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/capture/replay/capture_file.h"

#define MIB16 ((uint32_t)16 * 1024 * 1024)
#define S     UINT64_C(1000000000)
#define FRAME "\x11\x22\x33\x44\x55"

extern struct text {
	uint8_t b[256 * 1024];
	size_t n;
	bool swapped; /* in the byte order of the other kind of host */
} text;

/* For cmocka's groups: the file that text is written to. */
int text_group_setup(void **state);
int text_group_teardown(void **state);

void text_start(bool swapped);
void text_put(const void *bytes, size_t n);
void text_put16(uint16_t v);
void text_put32(uint32_t v);
void text_put64(uint64_t v);

/* Opens a file of text. */
struct fffa_capture_file *text_open(void);
/* There is a packet. */
struct fffa_capture_packet text_next(struct fffa_capture_file *f);
/* There is none any more. Closes f. */
void text_expect_end(struct fffa_capture_file *f);
/* A file of text cannot be opened, or its first packet not be read: what stands behind its path. */
void text_expect_refused(int error, const char *what);
void text_expect_damaged(int error, const char *what);

#endif
