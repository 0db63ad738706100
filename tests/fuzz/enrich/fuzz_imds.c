// SPDX-License-Identifier: MIT
/* All readers of IMDS bodies over the same bytes. What they pass must be fit for a record. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "agent/enrich/imds/imds_parse.h"
#include "tests/fuzz/enrich/check_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_document(const char *body, size_t size)
{
	struct fffa_imds_host host;
	uint32_t rejected = 0;

	memset(&host, 0xa5, sizeof(host));
	(void)fffa_imds_parse_document(body, size, &host, &rejected);
	check_text(host.account_id, sizeof(host.account_id));
	check_text(host.instance_id, sizeof(host.instance_id));
	check_text(host.region, sizeof(host.region));
	check_text(host.az, sizeof(host.az));
	check_text(host.az_id, sizeof(host.az_id));
	if (rejected > 4)
		abort();
}

static void check_macs(const char *body, size_t size)
{
	struct fffa_imds_iface ifaces[FFFA_IMDS_IFACES_MAX];
	uint32_t rejected = 0;
	size_t n = SIZE_MAX;

	(void)fffa_imds_parse_macs(body, size, ifaces, FFFA_IMDS_IFACES_MAX, &n, &rejected);
	if (n > FFFA_IMDS_IFACES_MAX || rejected > size)
		abort();
	for (size_t i = 0; i < n; i++) {
		if (ifaces[i].interface_id[0] || ifaces[i].owner_id[0])
			abort();
		for (size_t k = 0; k < i; k++) {
			if (memcmp(ifaces[i].mac, ifaces[k].mac, 6) == 0)
				abort();
		}
	}
}

static void check_list(const char *body, size_t size, enum fffa_imds_list_kind kind)
{
	bool ipv4 = kind == FFFA_IL_IPV4 || kind == FFFA_IL_IPV4_PREFIX;
	bool lone = kind == FFFA_IL_IPV4 || kind == FFFA_IL_IPV6;
	struct fffa_imds_list l;
	uint32_t rejected = 0;

	memset(&l, 0xa5, sizeof(l));
	(void)fffa_imds_parse_list(body, size, kind, &l, &rejected);
	if (l.n > FFFA_IMDS_LIST_MAX || rejected > size || (l.unusable && l.n))
		abort();
	for (size_t i = 0; i < l.n; i++) {
		if (l.v[i].bits > 128 || (lone && l.v[i].bits != 128) ||
		    fffa_addr_is_ipv4(l.v[i].addr) != ipv4)
			abort();
	}
}

static void check_tag(const char *body, size_t size)
{
	char tag[FFFA_IDENT_TAG_BYTES];

	(void)fffa_imds_parse_tag(body, size, tag);
	check_text(tag, sizeof(tag));
	if (strpbrk(tag, "-:/=+"))
		abort();
	(void)fffa_imds_parse_has_line(body, size, "Name");
}

static void check_outpost(const char *body, size_t size)
{
	char id[64];

	if (fffa_imds_parse_outpost(body, size, id, sizeof(id)) == 0 && id[0] &&
	    strncmp(id, "op-", 3) != 0)
		abort();
	check_text(id, sizeof(id));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *body = (const char *)data;
	char token[FFFA_IMDS_TOKEN_MAX_BYTES + 1], value[32];

	check_document(body, size);
	check_macs(body, size);
	check_list(body, size, FFFA_IL_IPV4);
	check_list(body, size, FFFA_IL_IPV6);
	check_list(body, size, FFFA_IL_IPV4_PREFIX);
	check_list(body, size, FFFA_IL_IPV6_PREFIX);
	check_tag(body, size);
	check_outpost(body, size);
	(void)fffa_imds_parse_value(body, size, value, sizeof(value));
	check_text(value, sizeof(value));
	if (fffa_imds_parse_token(body, size, token) == 0 &&
	    (!token[0] || strpbrk(token, " \t\r\n")))
		abort();
	return 0;
}
