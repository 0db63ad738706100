/* SPDX-License-Identifier: MIT */
/* Records with all that a record may hold; the device name is plain. */
#ifndef FFFA_TESTS_UNIT_ENCODE_RANDOM_H
#define FFFA_TESTS_UNIT_ENCODE_RANDOM_H

#include "tests/unit/encode/sample.h"

/* Numbers fit into 63 bits, which is what the readers take. */
void random_record(uint64_t *seed, struct sample *s);

#endif
