// SPDX-License-Identifier: MIT
/*
 * ip-ranges.json: whatever it says, every look-up gives a service or none, and special addresses
 * have none.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "agent/enrich/services/aws_service.h"
#include "agent/enrich/services/ip_ranges_parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_table(const struct fffa_ip_table *t, const uint8_t *data, size_t size)
{
	static const uint8_t nobodys[][16] = {
		{[10] = 0xff, 0xff, 10, 1, 2, 3},	 {[10] = 0xff, 0xff, 100, 64, 0, 1},
		{[10] = 0xff, 0xff, 169, 254, 169, 254}, {[0] = 0xfd, [15] = 1},
		{[0] = 0xfe, [1] = 0x80, [15] = 1},
	};
	uint8_t addr[16] = {0};

	for (size_t i = 0; i < sizeof(nobodys) / sizeof(nobodys[0]); i++) {
		if (fffa_ip_table_find(t, nobodys[i]) != FFFA_AWS_NONE)
			abort();
	}
	for (size_t i = 0; i + 16 <= size; i += 4) {
		memcpy(addr, data + i, 16);
		if (fffa_ip_table_find(t, addr) >= FFFA_AWS_SERVICES)
			abort();
		memset(addr, 0, 10);
		memset(addr + 10, 0xff, 2);
		if (fffa_ip_table_find(t, addr) >= FFFA_AWS_SERVICES)
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fffa_ip_ranges_facts facts;
	struct fffa_ip_table *t = NULL;
	struct fffa_err err = {""};
	int rc = fffa_ip_ranges_parse((const char *)data, size, &t, &facts, &err);

	if ((rc == 0) != (t != NULL) || (rc != 0) != (err.text[0] != '\0'))
		abort();
	if (t)
		check_table(t, data, size);
	fffa_ip_table_free(t);
	return 0;
}
