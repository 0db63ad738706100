// SPDX-License-Identifier: MIT
#include "agent/capture/unattended/checkpoint_state.h"

#include <errno.h>
#include <inttypes.h>
#include <net/ethernet.h>
#include <stdio.h>
#include <string.h>

#define HEAD "fffa-capture-mark 1"

size_t fffa_checkpoint_state_format(const struct fffa_checkpoint_state *m,
				    char dst[FFFA_CHECKPOINT_TEXT_MAX])
{
	size_t n = (size_t)snprintf(dst, FFFA_CHECKPOINT_TEXT_MAX,
				    HEAD "\nboot %s netns %" PRIu64 "\ntime_ms %" PRId64
					 " held %" PRIu64 " %" PRIu64 " devices %zu\n",
				    m->boot_id, m->netns, m->unix_ms, m->held.packets,
				    m->held.bytes, m->n);

	for (size_t i = 0; i < m->n; i++) {
		const struct fffa_checkpoint_device *d = &m->v[i];
		const struct fffa_amount *rx = &d->passed.dir[0], *tx = &d->passed.dir[1];

		/*
		 * The name last: any byte but slash and white space may be in it (dev_valid_name).
		 */
		n += (size_t)snprintf(dst + n, FFFA_CHECKPOINT_TEXT_MAX - n,
				      "%" PRIu32 " %02x:%02x:%02x:%02x:%02x:%02x %d %d %" PRIu64
				      " %" PRIu64 " %" PRIu64 " %" PRIu64 " %s\n",
				      d->ifindex, d->mac[0], d->mac[1], d->mac[2], d->mac[3],
				      d->mac[4], d->mac[5], d->dirs[0], d->dirs[1], rx->packets,
				      rx->bytes, tx->packets, tx->bytes, d->name);
	}
	return n + (size_t)snprintf(dst + n, FFFA_CHECKPOINT_TEXT_MAX - n, "end\n");
}

static int parse_device(const char *line, struct fffa_checkpoint_device *d, int *used)
{
	int dirs[2];
	struct fffa_amount *rx = &d->passed.dir[0], *tx = &d->passed.dir[1];
	int got = sscanf(line,
			 "%" SCNu32 " %2" SCNx8 ":%2" SCNx8 ":%2" SCNx8 ":%2" SCNx8 ":%2" SCNx8
			 ":%2" SCNx8 " %d %d %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64
			 " %15s\n%n",
			 &d->ifindex, &d->mac[0], &d->mac[1], &d->mac[2], &d->mac[3], &d->mac[4],
			 &d->mac[5], &dirs[0], &dirs[1], &rx->packets, &rx->bytes, &tx->packets,
			 &tx->bytes, d->name, used);

	if (got != 14)
		return -EINVAL;
	d->dirs[0] = dirs[0];
	d->dirs[1] = dirs[1];
	return 0;
}

int fffa_checkpoint_state_parse(const char *text, struct fffa_checkpoint_state *m)
{
	int used = 0;

	memset(m, 0, sizeof(*m));
	if (sscanf(text,
		   HEAD " boot %39s netns %" SCNu64 " time_ms %" SCNd64 " held %" SCNu64 " %" SCNu64
			" devices %zu\n%n",
		   m->boot_id, &m->netns, &m->unix_ms, &m->held.packets, &m->held.bytes, &m->n,
		   &used) != 6 ||
	    m->n > FFFA_DEVICES_MAX || !used)
		return -EINVAL;
	text += used;
	for (size_t i = 0; i < m->n; i++) {
		used = 0;
		if (parse_device(text, &m->v[i], &used) || !used)
			return -EINVAL;
		text += used;
	}
	return strcmp(text, "end\n") ? -EINVAL : 0;
}

static const struct fffa_checkpoint_device *find_device(const struct fffa_checkpoint_state *m,
							const struct fffa_checkpoint_device *like)
{
	for (size_t i = 0; i < m->n; i++) {
		if (m->v[i].ifindex == like->ifindex && !memcmp(m->v[i].mac, like->mac, 6))
			return &m->v[i];
	}
	return NULL;
}

static void add_difference(struct fffa_amount *sum, const struct fffa_amount *before,
			   const struct fffa_amount *now)
{
	uint64_t packets, bytes;

	if (now->packets < before->packets || now->bytes < before->bytes)
		return; /* counters that went back: not the same device */
	packets = now->packets - before->packets;
	bytes = now->bytes - before->bytes;
	fffa_amount_add(sum, packets,
			bytes > packets * ETHER_HDR_LEN ? bytes - packets * ETHER_HDR_LEN : 0);
}

struct fffa_amount fffa_checkpoint_state_between(const struct fffa_checkpoint_state *before,
						 const struct fffa_checkpoint_state *now)
{
	struct fffa_amount sum = before->held;

	if (strcmp(before->boot_id, now->boot_id) != 0 || before->netns != now->netns ||
	    !now->netns)
		return sum;
	for (size_t i = 0; i < now->n; i++) {
		const struct fffa_checkpoint_device *was = find_device(before, &now->v[i]);

		for (int way = 0; was && way < 2; way++) {
			if (was->dirs[way] && now->v[i].dirs[way])
				add_difference(&sum, &was->passed.dir[way],
					       &now->v[i].passed.dir[way]);
		}
	}
	return sum;
}
