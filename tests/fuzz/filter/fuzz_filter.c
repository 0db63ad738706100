// SPDX-License-Identifier: MIT
/*
 * Filters: any text is taken or refused with a reason, in a bounded time, and what is taken answers
 * for any flow without reading beyond it.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "agent/filter/filter.h"

#define COMPILE_S_MAX 10 /* CPU time; with sanitizers and coverage it is far slower than it is */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A flow whose bytes come from the text itself. */
static void run_on_flows(const struct fffa_filter *f, const uint8_t *data, size_t size)
{
	static const uint8_t protocols[] = {6, 17, 1, 58, 132, 47, 0, 255};
	struct fffa_key key;
	unsigned int passed = 0;

	for (unsigned int i = 0; i < 4 * sizeof(protocols); i++) {
		uint8_t *bytes = (uint8_t *)&key;

		for (size_t k = 0; k < sizeof(key); k++)
			bytes[k] = size ? data[(k + i) % size] : 0;
		key.proto = protocols[i / 4];
		if (i & 1) {
			memset(key.src, 0, 10);
			memset(key.dst, 0, 10);
			memset(key.src + 10, 0xff, 2);
			memset(key.dst + 10, 0xff, 2);
		}
		key.view = i & 2 ? FFFA_VIEW_IPV6 : 0;
		passed += fffa_filter_passes(f, &key, (uint16_t)(i * 37));
	}
	if (!f && passed != 4 * sizeof(protocols))
		abort(); /* a filter without words leaves out nothing */
	(void)fffa_filter_reads_flags(f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);
	struct fffa_filter *f = NULL;
	struct fffa_err err = {""};
	clock_t begin = clock();
	int rc;

	if (!text)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	rc = fffa_filter_new(text, &f, &err);
	if ((rc != 0) != (err.text[0] != '\0') || (rc && f) ||
	    (strlen(text) > FFFA_FILTER_BYTES_MAX && !rc) ||
	    clock() - begin > COMPILE_S_MAX * CLOCKS_PER_SEC)
		abort();
	if (!rc)
		run_on_flows(f, data, size);
	fffa_filter_free(f);
	free(text);
	return 0;
}
