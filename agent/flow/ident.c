/* SPDX-License-Identifier: MIT */
#include <stddef.h>

#include "agent/flow/ident.h"

/* FNV-1a, 64 bits, without a key: only the host itself chooses its identities. */
static uint64_t mix(uint64_t h, const void *bytes, size_t n)
{
	const uint8_t *b = bytes;

	for (size_t i = 0; i < n; i++)
		h = (h ^ b[i]) * UINT64_C(0x100000001b3);
	return h;
}

void fffa_ident_stamp(struct fffa_ident *i)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);

	h = mix(h, i->host, sizeof(*i->host));
	h = mix(h, &i->ifindex,
		offsetof(struct fffa_ident, stamp) - offsetof(struct fffa_ident, ifindex));
	i->stamp = h ? h : 1; /* 0 means none */
}
