// SPDX-License-Identifier: MIT
/*
 * metadata.networks: whatever the file says, every look-up gives one of its networks or none, and
 * what a network says may enter a record.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/utf8.h"
#include "agent/enrich/networks/networks_parse.h"
#include "agent/enrich/services/ip_table.h"
#include "tests/fuzz/enrich/check_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_name(const char name[FFFA_NETWORK_NAME_BYTES])
{
	size_t len = strnlen(name, FFFA_NETWORK_NAME_BYTES), n;

	if (len == FFFA_NETWORK_NAME_BYTES)
		abort();
	for (size_t i = 0; i < len; i += n) {
		n = fffa_utf8_length((const uint8_t *)name + i, len - i);
		if (!n || (uint8_t)name[i] < ' ')
			abort();
	}
}

static void check_networks(const struct fffa_networks *n)
{
	for (size_t i = 0; i < n->n; i++) {
		check_name(n->v[i].name);
		check_text(n->v[i].az_id, sizeof(n->v[i].az_id));
		check_text(n->v[i].subnet_id, sizeof(n->v[i].subnet_id));
		check_text(n->v[i].vpc_id, sizeof(n->v[i].vpc_id));
		check_text(n->v[i].account_id, sizeof(n->v[i].account_id));
		if (n->v[i].traffic_path > 8)
			abort();
	}
}

static void check_table(const struct fffa_networks *n, const uint8_t *data, size_t size)
{
	uint8_t addr[16] = {0};

	for (size_t i = 0; i + 16 <= size; i += 4) {
		memcpy(addr, data + i, 16);
		if (fffa_ip_table_find(n->table, addr) > n->n)
			abort();
		memset(addr, 0, 10);
		memset(addr + 10, 0xff, 2);
		if (fffa_ip_table_find(n->table, addr) > n->n)
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fffa_networks *n = NULL;
	struct fffa_err err = {""};
	int rc = fffa_networks_parse((const char *)data, size, &n, &err);

	if ((rc == 0) != (n != NULL) || (rc != 0) != (err.text[0] != '\0'))
		abort();
	if (n) {
		check_networks(n);
		check_table(n, data, size);
	}
	fffa_networks_parse_free(n);
	return 0;
}
