// SPDX-License-Identifier: MIT
/* Every reader of IMDS bodies over the same bytes. What they let through must be fit for a record.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "agent/enrich/imds_parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_text(const char *s, size_t cap)
{
	size_t len = strnlen(s, cap);

	if (len == cap)
		abort();
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)s[i];

		if (c <= 0x20 || c >= 0x7f || c == '"' || c == '\'' || c == '\\')
			abort();
	}
}

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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *body = (const char *)data;
	char token[FFFA_IMDS_TOKEN_MAX_BYTES + 1], value[32];

	check_document(body, size);
	check_macs(body, size);
	(void)fffa_imds_parse_value(body, size, value, sizeof(value));
	check_text(value, sizeof(value));
	if (fffa_imds_parse_token(body, size, token) == 0 &&
	    (!token[0] || strpbrk(token, " \t\r\n")))
		abort();
	return 0;
}
