/* SPDX-License-Identifier: MIT */
/* Bytes of a file or of standard input, plain or compressed with gzip or zstd. Blocking. */
#ifndef FFFA_AGENT_CAPTURE_REPLAY_INPUT_H
#define FFFA_AGENT_CAPTURE_REPLAY_INPUT_H

#include <stddef.h>
#include <sys/types.h>

#include "agent/base/err.h"

struct fffa_input;

/* "-" is standard input, which stays open. The first bytes tell the compression. On failure *out is
 * untouched and err names path and reason. Free with fffa_input_close. */
int fffa_input_open(const char *path, struct fffa_input **out, struct fffa_err *err);
/* NULL is allowed. */
void fffa_input_close(struct fffa_input *in);

/*
 * Reads n bytes into dst, fewer only at the end. Returns how many; -errno with err for a file that
 * cannot be read or decompressed. dst NULL: skips them.
 */
ssize_t fffa_input_read(struct fffa_input *in, void *dst, size_t n, struct fffa_err *err);

#endif
