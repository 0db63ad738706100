/* SPDX-License-Identifier: MIT */
/* What a crash has left at the end of a file of lines. */
#ifndef FFFA_SINKS_FILE_PLAIN_RECOVER_TAIL_H
#define FFFA_SINKS_FILE_PLAIN_RECOVER_TAIL_H

#include "sinks/file/plain/open.h"

/*
 * If t ends within a line, cuts it back to the end of the line before. That record was never
 * confirmed and comes again; the next one would be glued to its remains. A file without a line end
 * in its last FFFA_RECORD_BYTES_MAX bytes does not consist of lines and stays as it is.
 *
 * Call it when t was opened and before anything is written. Returns the number of bytes that were
 * cut off; t->size and t->starts_empty follow. -errno: the file is as it was. Blocks.
 */
int64_t fffa_plain_recover_tail(struct fffa_plain_target *t);

#endif
