// SPDX-License-Identifier: MIT
/* Segments of super-packets in tunnels that are not opened, and of what only looks like one. */
#include "tests/stubs/cmocka_all.h"

#include <string.h>

#include "bpf/segments.h"
#include "tests/stubs/super_packets.h"
#include "tests/unit/capture/frame_fixture.h"

#define SUPERS_MAX 64

/* The packet as the hook counts it, with no tunnel opened. segs: as the kernel says. */
static struct fffa_packet count(const struct super_packet *s, uint32_t segs)
{
	struct fffa_frame f = {.gso_bytes = SUPER_SEGMENT, .gso_segs = segs};
	struct fffa_frame_conf c = frame_conf();
	struct parsed parsed;

	memset(c.geneve_ports, 0, sizeof(c.geneve_ports));
	memset(c.vxlan_ports, 0, sizeof(c.vxlan_ports));
	parsed = frame_parse(&c, s->p.b, s->p.len, s->p.len);
	assert_int_equal(parsed.result, FFFA_PARSE_OK);
	fffa_count_segments(&f, &parsed.p);
	fffa_segments_count(s->p.b, &f, &parsed.p);
	return parsed.p;
}

static void expect(const struct super_packet *s, const struct fffa_packet *p)
{
	uint64_t bytes = s->p.len - 14 + (uint64_t)(s->segs - 1) * s->headers;

	if (p->packets != s->segs || p->bytes != bytes)
		fail_msg("%s: %u packets, %llu bytes, not %u, %llu", s->p.name, p->packets,
			 (unsigned long long)p->bytes, s->segs, (unsigned long long)bytes);
}

static void each_segment_repeats_all_headers(void **state)
{
	static struct super_packet all[SUPERS_MAX];
	size_t n = super_packets(all, SUPERS_MAX);

	(void)state;
	assert_true(n > 25);
	for (size_t i = 0; i < n; i++) {
		struct fffa_packet p = count(&all[i], all[i].segs);

		expect(&all[i], &p);
	}
}

/* Of GRE and IP in IP nothing has to be guessed, so the number of segments may be missing. */
static void the_kernel_may_not_say_how_many(void **state)
{
	static struct super_packet all[SUPERS_MAX];
	size_t n = super_packets(all, SUPERS_MAX);

	(void)state;
	for (size_t i = 0; i < n; i++) {
		struct fffa_packet p;

		if (strstr(all[i].p.name, "do not fit"))
			continue; /* then it is a tunnel */
		p = count(&all[i], 0);
		expect(&all[i], &p);
	}
}

static void other_packets_count_as_one(void **state)
{
	static struct super_packet all[SUPERS_MAX];
	size_t n = super_packets(all, SUPERS_MAX);

	(void)state;
	for (size_t i = 0; i < n; i++) {
		struct fffa_packet p = count(&all[i], 1);

		assert_int_equal(p.packets, 1);
		assert_int_equal(p.bytes, all[i].p.len - 14);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_segment_repeats_all_headers),
		cmocka_unit_test(the_kernel_may_not_say_how_many),
		cmocka_unit_test(other_packets_count_as_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
