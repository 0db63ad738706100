// SPDX-License-Identifier: MIT
#include "agent/status/interfaces.h"

#include <stdio.h>
#include <string.h>

#include "agent/encode/field/text.h"

/* The entry of ifindex, or the free entry where it belongs. */
static size_t find_place(const struct fffa_interfaces *s, uint32_t ifindex)
{
	size_t i = ifindex & (FFFA_INTERFACES_INDEXES - 1);

	while (s->index[i].ifindex && s->index[i].ifindex != ifindex)
		i = (i + 1) & (FFFA_INTERFACES_INDEXES - 1);
	return i;
}

void fffa_interfaces_clear(struct fffa_interfaces *s)
{
	memset(s->index, 0, sizeof(s->index));
	s->known = 0;
}

struct shown_name {
	char text[3 * 16 + FFFA_TEXT_SLACK_BYTES];
};

/* The name as records have it. Two devices with the same one are counted together. */
static struct shown_name show_name(const char *name)
{
	struct shown_name n = {""};

	*fffa_text_utf8((uint8_t *)n.text, name, strnlen(name, 15)) = '\0';
	return n;
}

/* 0: there is none. */
static uint32_t find_name(const struct fffa_interfaces *s, const char *name)
{
	for (uint32_t i = 1; i <= s->n; i++) {
		if (!strncmp(s->v[i].name, name, sizeof(s->v[i].name)))
			return i;
	}
	return 0;
}

static uint32_t find_or_add_name(struct fffa_interfaces *s, const char *name)
{
	uint32_t found = find_name(s, name);

	if (found)
		return found;
	if (s->n == FFFA_INTERFACES_MAX)
		return 0;
	s->n++;
	/* A name of a device has at most 15 bytes, each shown as at most three. */
	(void)snprintf(s->v[s->n].name, sizeof(s->v[s->n].name), "%.*s",
		       (int)sizeof(s->v[s->n].name) - 1, name);
	return (uint32_t)s->n;
}

void fffa_interfaces_name(struct fffa_interfaces *s, uint32_t ifindex, const char *name)
{
	size_t i = find_place(s, ifindex);

	if (!s->index[i].ifindex) {
		if (s->known == FFFA_INTERFACES_INDEXES / 2)
			return; /* it is counted in v[0] */
		s->known++;
		s->index[i].ifindex = ifindex;
	}
	s->index[i].at = find_or_add_name(s, show_name(name).text);
}

void fffa_interfaces_count(struct fffa_interfaces *s, uint32_t ifindex, bool egress,
			   uint64_t packets, uint64_t bytes)
{
	/* at is 0 in a free entry. */
	fffa_amount_add(&s->v[s->index[find_place(s, ifindex)].at].amount[egress], packets, bytes);
}

struct fffa_amount fffa_interfaces_amount(const struct fffa_interfaces *s, const char *name,
					  int dir)
{
	return s->v[find_name(s, show_name(name).text)].amount[dir];
}

const char *fffa_interfaces_find(const struct fffa_interfaces *s, uint32_t ifindex)
{
	uint32_t at = s->index[find_place(s, ifindex)].at;

	return at ? s->v[at].name : "";
}
