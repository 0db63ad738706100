/* SPDX-License-Identifier: MIT */
/* Addresses and lists of prefixes from their texts. */
#ifndef FFFA_TESTS_UNIT_ENRICH_ADDR_H
#define FFFA_TESTS_UNIT_ENRICH_ADDR_H

#include <string.h>

#include "agent/enrich/imds/imds_data.h"
#include "tests/stubs/cmocka_all.h"

static inline void addr_of(const char *text, uint8_t out[16])
{
	struct fffa_cidr c;

	assert_int_equal(fffa_cidr_parse(text, &c, NULL), 0);
	memcpy(out, c.addr, 16);
}

static inline void list_add(struct fffa_imds_list *l, const char *text)
{
	assert_true(l->n < FFFA_IMDS_LIST_MAX);
	assert_int_equal(fffa_cidr_parse(text, &l->v[l->n++], NULL), 0);
}

#endif
