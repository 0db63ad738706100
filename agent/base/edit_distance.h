/* SPDX-License-Identifier: MIT */
/* How alike two short words are, for "did you mean". Pure. */
#ifndef FFFA_AGENT_BASE_EDIT_DISTANCE_H
#define FFFA_AGENT_BASE_EDIT_DISTANCE_H

#include <stddef.h>

#define FFFA_EDIT_DISTANCE_BYTES_MAX 64 /* of each word; what is beyond does not count */

/*
 * The edits that make b of a: insert, delete or replace a byte, swap two neighbours (optimal string
 * alignment). The words need no NUL.
 */
size_t fffa_edit_distance(const char *a, size_t a_len, const char *b, size_t b_len);

#endif
