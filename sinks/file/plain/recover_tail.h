/* SPDX-License-Identifier: MIT */
/* What a crash leaves at the end of a file of lines. */
#ifndef FFFA_SINKS_FILE_PLAIN_RECOVER_TAIL_H
#define FFFA_SINKS_FILE_PLAIN_RECOVER_TAIL_H

#include "sinks/file/plain/open.h"

/*
 * Where t, just opened, ends within a line, cuts it back to the end of the line before: that record
 * was never confirmed and comes again, and the next one would be glued to it. A file without a line
 * end in the length of the longest record is not of lines and stays as it is. Returns the bytes that
 * were cut off, or -errno: the file is as it was. Blocks; before anything is written.
 */
int64_t fffa_plain_recover_tail(struct fffa_plain_target *t);

#endif
