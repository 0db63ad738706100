// SPDX-License-Identifier: MIT
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/spool/store_internal.h"

#define NAME_DIGITS 16

static struct fffa_store_name make_name(uint64_t id, const char *suffix)
{
	struct fffa_store_name n;

	(void)snprintf(n.text, sizeof(n.text), "%016" PRIx64 "%s", id, suffix);
	return n;
}

struct fffa_store_name fffa_store_name(uint64_t id)
{
	return make_name(id, ".seg");
}

struct fffa_store_name fffa_store_name_aside(uint64_t id, unsigned int n)
{
	char suffix[24] = ".aside";

	if (n)
		(void)snprintf(suffix, sizeof(suffix), ".%u.aside", n);
	return make_name(id, suffix);
}

uint64_t fffa_store_name_id(const char *name)
{
	uint64_t id;

	if (strspn(name, "0123456789abcdef") != NAME_DIGITS || strcmp(name + NAME_DIGITS, ".seg"))
		return 0;
	id = strtoull(name, NULL, 16);
	return id < UINT64_MAX / 2 ? id : 0;
}
