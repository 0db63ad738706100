/* SPDX-License-Identifier: MIT */
/* What a file holds before this sink writes to it, and what a crash has left at its end. */
#ifndef FFFA_SINKS_FILE_PLAIN_INSPECT_H
#define FFFA_SINKS_FILE_PLAIN_INSPECT_H

#include "sinks/file/layout/layout.h"
#include "sinks/file/plain/open.h"

/*
 * Looks at the begin and the end of t, which was just opened and is locked, and sets t->before:
 *
 *   empty, or no regular file with a name     the preamble
 *   ends within the preamble                  the rest of it
 *   ends in a line or record that is not ours, or in a record without its newline
 *                                             a newline
 *   ends within a record of this sink         nothing; the torn record is cut off
 *
 * A tail is cut only when it follows a whole record (or the preamble) and is the begin of another.
 * The torn record was never confirmed, so it comes again. Bytes of others stay, always. What was
 * done is logged; t->size follows. Returns true when the file begins with records of another format
 * or other fields of this program: it should be rotated, and nothing was changed. Blocks.
 */
bool fffa_plain_inspect(const struct fffa_file_layout_env *env, struct fffa_plain_target *t);

#endif
