// SPDX-License-Identifier: MIT
/*
 * What passed while nobody counted: the text of the devices' counters, the checkpoint as text, and
 * the difference.
 */
#include "tests/stubs/cmocka_all.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/capture/unattended/checkpoint_state.h"

static const char proc_text[] =
	"Inter-|   Receive                                                |  Transmit\n"
	" face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs "
	"drop fifo colls carrier compressed\n"
	"    lo:     100       1    0    0    0     0          0         0      100       1    0 "
	"   0    0     0       0          0\n"
	"  eth0: 123456789012  987654 3 4    5     6          7         8 210987654321  456789   "
	" 9   10   11    12      13         14\n"
	"a:b:c:    1500      10    0    0    0     0          0         0     3000      20    0 "
	"   0    0     0       0          0\n";

static void finds_a_device(void **state)
{
	struct fffa_dev_counters p;

	(void)state;
	assert_int_equal(fffa_dev_counters_find(proc_text, "eth0", &p), 0);
	assert_int_equal(p.dir[0].bytes, 123456789012);
	assert_int_equal(p.dir[0].packets, 987654);
	assert_int_equal(p.dir[1].bytes, 210987654321);
	assert_int_equal(p.dir[1].packets, 456789);
	assert_int_equal(fffa_dev_counters_find(proc_text, "a:b:c", &p), 0);
	assert_int_equal(p.dir[1].packets, 20);
	assert_int_equal(fffa_dev_counters_find(proc_text, "eth", &p), -ENODEV);
	assert_int_equal(fffa_dev_counters_find(proc_text, "th0", &p), -ENODEV);
	assert_int_equal(fffa_dev_counters_find(proc_text, "a", &p), -ENODEV);
	assert_int_equal(fffa_dev_counters_find("", "eth0", &p), -ENODEV);
	assert_int_equal(fffa_dev_counters_find("eth0: 1 2 3\n", "eth0", &p), -ENODEV);
	assert_int_equal(p.dir[1].packets, 20); /* as it was */
}

static void reads_this_namespace(void **state)
{
	char *text = fffa_dev_counters_read(), boot[40];
	struct fffa_dev_counters p;

	(void)state;
	assert_non_null(text);
	assert_int_equal(fffa_dev_counters_find(text, "lo", &p), 0);
	free(text);
	fffa_dev_counters_boot_id(boot);
	assert_int_equal(strlen(boot), 36);
}

static struct fffa_checkpoint_state sample(void)
{
	struct fffa_checkpoint_state m = {.boot_id = "6f0c6c9e-1111-2222-3333-444455556666",
					  .netns = UINT64_MAX,
					  .unix_ms = 1700000000123,
					  .held = {7, 700},
					  .n = FFFA_DEVICES_MAX};

	for (uint32_t i = 0; i < m.n; i++) {
		m.v[i] = (struct fffa_checkpoint_device){.name = "abcdefghijklmn:",
							 .mac = {2, 0, 0, 0xfe, 0xff, (uint8_t)i},
							 .ifindex = UINT32_MAX - i,
							 .dirs = {i % 2, i % 3 == 0}};
		m.v[i].passed.dir[0] = (struct fffa_amount){UINT64_MAX, UINT64_MAX};
		m.v[i].passed.dir[1] = (struct fffa_amount){UINT64_MAX, UINT64_MAX - i};
	}
	return m;
}

static void a_checkpoint_survives_as_text(void **state)
{
	struct fffa_checkpoint_state m = sample(), back;
	char text[FFFA_CHECKPOINT_TEXT_MAX];
	size_t len = fffa_checkpoint_state_format(&m, text);

	(void)state;
	assert_true(len < sizeof(text) - 1);
	assert_int_equal(fffa_checkpoint_state_parse(text, &back), 0);
	assert_memory_equal(&m, &back, sizeof(m));
}

/* A checkpoint that a crash or a disk damaged is refused. */
static void a_truncated_checkpoint_is_refused(void **state)
{
	struct fffa_checkpoint_state m = sample(), back;
	char text[FFFA_CHECKPOINT_TEXT_MAX];

	(void)state;
	m.n = 2;
	for (size_t len = fffa_checkpoint_state_format(&m, text); len--;) {
		text[len] = '\0';
		assert_int_equal(fffa_checkpoint_state_parse(text, &back), -EINVAL);
	}
	assert_int_equal(fffa_checkpoint_state_parse(
				 "fffa-capture-mark 1\nboot x netns 1\ntime_ms 1 held 1 1 "
				 "devices 65\nend\n",
				 &back),
			 -EINVAL);
}

static struct fffa_checkpoint_state two_devices(void)
{
	struct fffa_checkpoint_state m = sample();

	m.n = 2;
	for (size_t i = 0; i < 2; i++) {
		m.v[i].dirs[0] = m.v[i].dirs[1] = true;
		m.v[i].passed.dir[0] = (struct fffa_amount){1000, 100000};
		m.v[i].passed.dir[1] = (struct fffa_amount){2000, 200000};
	}
	return m;
}

static void assert_gap(const struct fffa_checkpoint_state *a, const struct fffa_checkpoint_state *b,
		       uint64_t packets, uint64_t bytes)
{
	struct fffa_amount gap = fffa_checkpoint_state_between(a, b);

	assert_int_equal(gap.packets, packets);
	assert_int_equal(gap.bytes, bytes);
}

static void counts_what_passed_between_checkpoints(void **state)
{
	struct fffa_checkpoint_state a = two_devices(), b = two_devices();

	(void)state;
	assert_gap(&a, &b, 7, 700); /* only what was held */
	b.v[0].passed.dir[0] = (struct fffa_amount){1010, 100000 + 10 * 98};
	b.v[1].passed.dir[1] = (struct fffa_amount){2001, 200000 + 60};
	assert_gap(&a, &b, 7 + 10 + 1, 700 + 10 * 84 + 46);
	b.v[1].dirs[1] = false; /* not captured any more */
	assert_gap(&a, &b, 7 + 10, 700 + 10 * 84);
	b.v[1].dirs[1] = true;
	a.v[1].dirs[1] = false; /* not captured before */
	assert_gap(&a, &b, 7 + 10, 700 + 10 * 84);
	b.v[0].passed.dir[0].bytes = 100000 + 10 * 14 - 1; /* less than their headers */
	assert_gap(&a, &b, 7 + 10, 700);
}

static void counters_that_cannot_be_compared_are_not_counted(void **state)
{
	struct fffa_checkpoint_state a = two_devices(), b = two_devices(), c;

	(void)state;
	b.v[0].passed.dir[0] = (struct fffa_amount){1010, 200000};
	b.v[1].passed.dir[0] = (struct fffa_amount){999, 200000}; /* made anew */
	c = a; /* only one of the two fell, in whichever direction: also made anew */
	for (int way = 0; way < 2; way++) {
		struct fffa_amount *one = &c.v[0].passed.dir[way];

		*one = (struct fffa_amount){one->packets + 50, one->bytes - 1};
		assert_gap(&a, &c, 7, 700);
		*one = (struct fffa_amount){one->packets - 51, one->bytes + 5001};
		assert_gap(&a, &c, 7, 700);
		*one = a.v[0].passed.dir[way];
	}
	c = b;
	c.boot_id[0] = '0';
	assert_gap(&a, &c, 7, 700);
	c = b;
	c.netns = 1;
	assert_gap(&a, &c, 7, 700);
	c = b;
	c.v[0].mac[5]++;
	assert_gap(&a, &c, 7, 700);
	c = b;
	c.v[0].ifindex++;
	assert_gap(&a, &c, 7, 700);
	a.netns = b.netns = 0; /* a kernel without netns cookies */
	assert_gap(&a, &b, 7, 700);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_a_device),
		cmocka_unit_test(reads_this_namespace),
		cmocka_unit_test(a_checkpoint_survives_as_text),
		cmocka_unit_test(a_truncated_checkpoint_is_refused),
		cmocka_unit_test(counts_what_passed_between_checkpoints),
		cmocka_unit_test(counters_that_cannot_be_compared_are_not_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
