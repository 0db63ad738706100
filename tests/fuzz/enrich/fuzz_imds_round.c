// SPDX-License-Identifier: MIT
/*
 * Two rounds over answers from the input, each two bytes of length + 1 and the body, or 0 for a
 * 404. What the second round lacks comes from the first. Then a snapshot of both fills records.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "agent/enrich/imds/imds_round.h"
#include "agent/enrich/snapshot.h"

#define QUESTIONS_MAX (9 + FFFA_IMDS_IFACES_MAX * 12)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
	const uint8_t *p;
	size_t left;
};

/* NULL: absent. */
static const char *next_body(struct input *in, size_t *len)
{
	const char *body;

	if (in->left < 2)
		return NULL;
	*len = (size_t)in->p[0] << 8 | in->p[1];
	in->p += 2;
	in->left -= 2;
	if (!*len)
		return NULL;
	*len = *len - 1 < in->left ? *len - 1 : in->left;
	body = (const char *)in->p;
	in->p += *len;
	in->left -= *len;
	return body;
}

static void run_round(struct fffa_imds_round *r, struct input *in)
{
	uint32_t rejected = 0, questions = 0;

	for (fffa_imds_round_begin(r); !fffa_imds_round_over(r); fffa_imds_round_next(r)) {
		char path[FFFA_IMDS_PATH_BYTES];
		const char *body;
		size_t len;

		if (++questions > QUESTIONS_MAX || fffa_imds_round_path(r, path) != 0 ||
		    strncmp(path, "/latest/", 8) != 0)
			abort();
		body = next_body(in, &len);
		if (body)
			(void)fffa_imds_round_take(r, body, len, &rejected);
	}
}

static void check_snapshot(const struct fffa_imds_data *d)
{
	struct fffa_static_ident fixed = {0};
	struct fffa_device device = {.ifindex = 2, .name = "eth0", .mac = {2, 0, 0, 0, 0, 1}};
	struct fffa_snapshot_inputs inputs = {.fixed = &fixed,
					      .imds = d,
					      .machine_id = "m",
					      .dmi_instance_id = "",
					      .devices = &device,
					      .n = 1};
	struct fffa_snapshot *s = fffa_snapshot_new(&inputs);
	struct fffa_record r = {.key = {.ifindex = 2, .view = FFFA_VIEW_EGRESS}};

	if (!s)
		return;
	if (d->n)
		memcpy(r.key.dst, d->ifaces[0].vpc_ipv4.v[0].addr, 16);
	fffa_snapshot_enrich(s, &r);
	if (!r.ident || r.traffic_path > 1 || s->resolver_count > FFFA_SNAPSHOT_RESOLVERS_MAX ||
	    (s->host.sublocation_type[0] && s->host.az_id[0]))
		abort();
	free(s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fffa_imds_data *now = calloc(1, sizeof(*now)), *before = calloc(1, sizeof(*before));
	struct fffa_imds_round r = {.tag_keys = {"Name", "team"}, .data = now};
	struct input in = {data, size};

	if (!now || !before)
		abort();
	for (int i = 0; i < 2; i++) {
		run_round(&r, &in);
		fffa_imds_data_fill(now, before);
		fffa_imds_data_copy(before, now);
		check_snapshot(before);
	}
	free(now);
	free(before);
	return 0;
}
