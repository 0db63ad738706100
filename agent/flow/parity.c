// SPDX-License-Identifier: MIT
#include "agent/flow/parity.h"

#include <arpa/inet.h>
#include <stdint.h>
#include <string.h>

static bool is_service(const uint8_t addr[16])
{
	static const uint8_t v4[14] = {[10] = 0xff, [11] = 0xff, [12] = 169, [13] = 254};
	static const uint8_t v6[14] = {0xfd, 0x00, 0x0e, 0xc2};
	uint16_t tail = (uint16_t)(addr[14] << 8 | addr[15]);

	if (!memcmp(addr, v4, sizeof(v4))) {
		switch (tail) {
		case 169 << 8 | 123: /* time */
		case 169 << 8 | 250: /* Windows activation */
		case 169 << 8 | 251:
		case 169 << 8 | 253: /* resolver */
		case 169 << 8 | 254: /* metadata */
			return true;
		default:
			return false;
		}
	}
	/* The same services, the decimal number written as hexadecimal digits. */
	return !memcmp(addr, v6, sizeof(v6)) &&
	       (tail == 0x123 || tail == 0x250 || tail == 0x251 || tail == 0x253 || tail == 0x254);
}

static bool is_dhcp(const struct fffa_key *k)
{
	uint16_t s = ntohs(k->sport), d = ntohs(k->dport);

	if (k->proto != 17)
		return false;
	return (s == 67 && d == 68) || (s == 68 && d == 67) || (s == 546 && d == 547) ||
	       (s == 547 && d == 546);
}

bool fffa_parity_leaves_out(const struct fffa_key *k, const uint8_t (*resolvers)[16], size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (!memcmp(k->src, resolvers[i], 16) || !memcmp(k->dst, resolvers[i], 16))
			return true;
	}
	return is_service(k->src) || is_service(k->dst) || is_dhcp(k);
}
