/* SPDX-License-Identifier: MIT */
/* Times in the names of files: 20260511T101500Z, in UTC. */
#ifndef FFFA_SINKS_FILE_LAYOUT_STAMP_H
#define FFFA_SINKS_FILE_LAYOUT_STAMP_H

#include <stdbool.h>
#include <stdint.h>

#define FFFA_STAMP_BYTES 17 /* with the terminating zero */

/* time_s: Unix time; years before 1970 and after 9999 become the nearest time between them. */
void fffa_stamp_write(int64_t time_s, char out[FFFA_STAMP_BYTES]);

/*
 * Whether text begins with form, in which d stands for a digit and anything else for itself
 * ("ddddddddTddddZ"). text may be shorter than form.
 */
bool fffa_stamp_matches(const char *text, const char *form);

#endif
