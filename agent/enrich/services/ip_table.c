// SPDX-License-Identifier: MIT
#include "agent/enrich/services/ip_table.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "agent/enrich/services/aws_service.h"
#include "agent/enrich/services/ip_flatten.h"

#define ROOT_BITS 16
#define ROOTS	  (1u << ROOT_BITS)
#define BLOCK	  16

/* Range i ends where the next one starts. What lies before the first has no value. */
struct fffa_ip_table {
	uint32_t n4;
	uint32_t n6;
	uint64_t *coarse6; /* every BLOCK-th of start6: these few stay in the cache */
	uint64_t *start6;  /* the upper halves */
	uint64_t *low6;
	uint32_t *start4;
	uint16_t *value4;
	uint16_t *value6;
	/* How many ranges start below an address with these upper bits. */
	uint32_t root4[ROOTS + 1];
};

static bool is_v4(fffa_ip_number a)
{
	return a >> 32 == 0xffff;
}

static void index_v4(struct fffa_ip_table *t)
{
	uint32_t i = 0;

	for (uint32_t r = 0; r < ROOTS; r++) {
		while (i < t->n4 && t->start4[i] < r << (32 - ROOT_BITS))
			i++;
		t->root4[r] = i;
	}
	t->root4[ROOTS] = t->n4;
}

/* One allocation, the widest type first, so that each array is aligned. */
static struct fffa_ip_table *allocate_table(size_t n4, size_t n6)
{
	size_t coarse = (n6 + BLOCK - 1) / BLOCK;
	struct fffa_ip_table *t = malloc(sizeof(*t) + (coarse + 2 * n6) * sizeof(uint64_t) +
					 n4 * sizeof(uint32_t) + (n4 + n6) * sizeof(uint16_t));

	if (!t)
		return NULL;
	t->coarse6 = (void *)(t + 1);
	t->start6 = t->coarse6 + coarse;
	t->low6 = t->start6 + n6;
	t->start4 = (void *)(t->low6 + n6);
	t->value4 = (void *)(t->start4 + n4);
	t->value6 = t->value4 + n4;
	t->n4 = t->n6 = 0;
	return t;
}

static struct fffa_ip_table *build_table(const struct fffa_ip_range *v, size_t n)
{
	struct fffa_ip_table *t;
	size_t n4 = 0;

	for (size_t i = 0; i < n; i++)
		n4 += is_v4(v[i].start);
	t = allocate_table(n4, n - n4);
	if (!t)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		if (is_v4(v[i].start)) {
			t->start4[t->n4] = (uint32_t)v[i].start;
			t->value4[t->n4++] = v[i].value;
		} else {
			t->start6[t->n6] = (uint64_t)(v[i].start >> 64);
			t->low6[t->n6] = (uint64_t)v[i].start;
			t->value6[t->n6++] = v[i].value;
		}
	}
	for (uint32_t i = 0; i < t->n6; i += BLOCK)
		t->coarse6[i / BLOCK] = t->start6[i];
	index_v4(t);
	return t;
}

static int new_table(const struct fffa_ip_prefix *v, size_t n, bool services,
		     struct fffa_ip_table **out)
{
	struct fffa_ip_range *ranges;
	struct fffa_ip_table *t;
	size_t count;
	int rc;

	if (n > FFFA_IP_PREFIXES_MAX)
		return -E2BIG;
	rc = fffa_ip_flatten(v, n, services, &ranges, &count);
	if (rc)
		return rc;
	t = build_table(ranges, count);
	free(ranges);
	if (!t)
		return -ENOMEM;
	*out = t;
	return 0;
}

int fffa_ip_table_new(const struct fffa_ip_prefix *v, size_t n, struct fffa_ip_table **out)
{
	return new_table(v, n, true, out);
}

int fffa_ip_table_new_plain(const struct fffa_ip_prefix *v, size_t n, struct fffa_ip_table **out)
{
	return new_table(v, n, false, out);
}

void fffa_ip_table_free(struct fffa_ip_table *t)
{
	free(t);
}

static uint64_t read_be64(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return __builtin_bswap64(v);
}

/* low plus the number of ranges in [low, low + n) that start at key or before. */
static uint32_t count32(const uint32_t *start, uint32_t low, uint32_t n, uint32_t key)
{
	while (n > 0) {
		uint32_t half = (n + 1) / 2;

		low += start[low + half - 1] <= key ? half : 0;
		n -= half;
	}
	return low;
}

static uint32_t count64(const uint64_t *start, uint32_t low, uint32_t n, uint64_t key)
{
	while (n > 0) {
		uint32_t half = (n + 1) / 2;

		low += start[low + half - 1] <= key ? half : 0;
		n -= half;
	}
	return low;
}

static uint16_t find_v4(const struct fffa_ip_table *t, uint32_t a)
{
	uint32_t root = a >> (32 - ROOT_BITS), low = t->root4[root];
	uint32_t n = count32(t->start4, low, t->root4[root + 1] - low, a);

	return n ? t->value4[n - 1] : FFFA_AWS_NONE;
}

static uint16_t find_v6(const struct fffa_ip_table *t, uint64_t high, uint64_t low)
{
	uint32_t blocks = count64(t->coarse6, 0, (t->n6 + BLOCK - 1) / BLOCK, high);
	uint32_t begin, left, n;

	if (!blocks)
		return FFFA_AWS_NONE;
	begin = (blocks - 1) * BLOCK;
	left = t->n6 - begin;
	n = count64(t->start6, begin, left < BLOCK ? left : BLOCK, high);
	/* Rare: several ranges begin within the same /64. */
	if (t->start6[n - 1] == high && t->low6[n - 1] > low) {
		uint32_t first = high ? count64(t->start6, 0, n, high - 1) : 0;

		n = count64(t->low6, first, n - first, low);
	}
	return n ? t->value6[n - 1] : FFFA_AWS_NONE;
}

uint16_t fffa_ip_table_find(const struct fffa_ip_table *t, const uint8_t addr[16])
{
	uint64_t high = read_be64(addr), low = read_be64(addr + 8);

	if (!high && low >> 32 == 0xffff)
		return find_v4(t, (uint32_t)low);
	return find_v6(t, high, low);
}
