/* SPDX-License-Identifier: MIT */
/*
 * Whether bytes that were found in a file were written by this program, and whether the last record
 * is torn. The answer rests on the bytes alone, so it errs on the side of "foreign".
 */
#ifndef FFFA_AGENT_ENCODE_RECOGNIZE_H
#define FFFA_AGENT_ENCODE_RECOGNIZE_H

#include "agent/encode/encoder.h"

/*
 * Judges the n bytes at p, which begin where a record or a header line may begin. encoder is the
 * struct fffa_encoder of the sink. *len gets the length of the record with its newline if the
 * answer is FFFA_FOUND_RECORD, else 0. The bytes may be anything.
 */
enum fffa_found fffa_recognize(const void *encoder, const uint8_t *p, size_t n, size_t *len);

#endif
