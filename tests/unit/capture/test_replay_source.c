// SPDX-License-Identifier: MIT
/* What a replay hands over, when, and what it counts and logs of the rest. */
#include "agent/capture/replay/replay.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "agent/base/log.h"
#include "agent/capture/replay/tunnels.h"
#include "tests/stubs/files.h"
#include "tests/unit/capture/capture_text.h"
#include "tests/unit/capture/frame_fixture.h"
#include "tests/stubs/cmocka_all.h"

#define T0	   UINT64_C(1700000000)
#define SOON_MS	   60000
#define PATHS_MAX  3
#define RECLAIM_MS 250 /* ids are looked through at most so often, by the captures' time */

void __wrap_fffa_log(enum fffa_log_level level, const char *tag, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static char logged[4096];

void __wrap_fffa_log(enum fffa_log_level level, const char *tag, const char *fmt, ...)
{
	size_t len = strlen(logged);
	va_list ap;

	assert_string_equal(tag, "replay");
	len += (size_t)snprintf(logged + len, sizeof(logged) - len, "%c ", "EWID"[level]);
	va_start(ap, fmt);
	len += (size_t)vsnprintf(logged + len, sizeof(logged) - len, fmt, ap);
	va_end(ap);
	assert_true(len + 2 < sizeof(logged));
	memcpy(logged + len, "\n", 2);
}

struct fixture {
	uv_loop_t loop;
	struct fffa_replay *r;
	struct fffa_ledger ledger;
	struct fffa_capture_conf capture;
	struct fffa_replay_conf conf;
	char path[PATHS_MAX][64];
	const char *paths[PATHS_MAX];
	struct fffa_delta v[64]; /* the last ones */
	size_t n;
	uint64_t time_ns, at_ms[64]; /* when by the loop's clock */
	int ended, error, no_room, asked;
	bool used;
	size_t looked_at; /* ids */
};

static void on_delta(void *arg, const struct fffa_delta *d)
{
	struct fixture *f = arg;

	f->at_ms[f->n % 64] = uv_now(&f->loop);
	f->v[f->n++ % 64] = *d;
}

static void on_time(void *arg, uint64_t unix_ns)
{
	struct fixture *f = arg;

	assert_true(unix_ns >= f->time_ns);
	f->time_ns = unix_ns;
}

static bool on_tunnel_used(void *arg, uint16_t id)
{
	struct fixture *f = arg;

	f->looked_at++;
	return f->used || id == 1;
}

static bool on_has_room(void *arg)
{
	struct fixture *f = arg;

	f->asked++;
	return f->asked > f->no_room;
}

static void on_ended(void *arg, int error)
{
	struct fixture *f = arg;

	f->ended++;
	f->error = error;
}

static int setup(void **state)
{
	static char *all[] = {"geneve", "vxlan"};
	struct fixture *f = test_calloc(1, sizeof(*f));

	logged[0] = '\0';
	f->capture.direction = FFFA_DIR_BOTH;
	f->capture.decapsulate = (struct fffa_strings){.v = all, .n = 2};
	f->capture.geneve_ports = (struct fffa_ints){.v = {6081}, .n = 1};
	f->capture.vxlan_ports = (struct fffa_ints){.v = {4789}, .n = 1};
	for (int i = 0; i < PATHS_MAX; i++) {
		(void)snprintf(f->path[i], sizeof(f->path[i]), "/tmp/fffa-replay-%d-%d",
			       (int)getpid(), i);
		f->paths[i] = f->path[i];
	}
	f->conf = (struct fffa_replay_conf){
		.paths = f->paths, .path_count = 1, .capture = &f->capture};
	assert_int_equal(uv_loop_init(&f->loop), 0);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	if (f->r)
		fffa_replay_close(f->r);
	assert_int_equal(uv_run(&f->loop, UV_RUN_DEFAULT), 0);
	assert_int_equal(uv_loop_close(&f->loop), 0);
	for (int i = 0; i < PATHS_MAX; i++)
		(void)unlink(f->path[i]);
	test_free(f);
	return 0;
}

static void start(uint32_t linktype)
{
	text_start(false);
	text_put32(0xa1b23c4d); /* with nanoseconds */
	text_put16(2);
	text_put16(4);
	text_put64(0);
	text_put32(65535);
	text_put32(linktype);
}

static void put(const struct packet *p, uint64_t ms, size_t captured, size_t wire)
{
	text_put32((uint32_t)(T0 + ms / 1000));
	text_put32((uint32_t)(ms % 1000 * 1000000));
	text_put32((uint32_t)captured);
	text_put32((uint32_t)wire);
	text_put(p->b, captured);
}

static struct packet udp(uint16_t sport)
{
	struct packet p;

	packet_start(&p, "udp");
	packet_eth(&p, V4);
	packet_ipv4(&p, 17, ADDR_A, ADDR_B, 0, 0);
	packet_udp(&p, sport, 53);
	packet_payload(&p, 72);
	packet_finish(&p);
	return p;
}

static void put_udp(uint16_t sport, uint64_t ms)
{
	struct packet p = udp(sport);

	put(&p, ms, p.len, p.len);
}

static int try_open(struct fixture *f, struct fffa_err *err)
{
	const struct fffa_replay_events events = {.delta = on_delta,
						  .time = on_time,
						  .tunnel_used = on_tunnel_used,
						  .has_room = on_has_room,
						  .ended = on_ended,
						  .arg = f};

	return fffa_replay_open(&f->loop, &f->conf, &f->ledger, &events, &f->r, err);
}

/* Replays what was written to the first file. */
static void replay(struct fixture *f)
{
	struct fffa_err err;
	uint64_t begin = uv_hrtime();

	files_write(f->path[0], text.b, text.n);
	assert_int_equal(try_open(f, &err), 0);
	while (!f->ended && uv_hrtime() - begin < SOON_MS * UINT64_C(1000000))
		(void)uv_run(&f->loop, UV_RUN_NOWAIT);
	assert_int_equal(f->ended, 1);
}

static uint16_t sport(const struct fffa_delta *d)
{
	return FFFA_BE16(d->key.sport);
}

static void each_packet_has_its_time(void **state)
{
	struct fixture *f = *state;

	start(1);
	put_udp(1, 5000);
	put_udp(2, 3000); /* an earlier one moves no clock back */
	replay(f);
	assert_int_equal(f->error, 0);
	assert_int_equal(f->n, 2);
	for (int i = 0; i < 2; i++) {
		const struct fffa_delta *d = &f->v[i];

		assert_int_equal(sport(d), i + 1);
		assert_int_equal(d->packets, 1);
		assert_int_equal(d->bytes, 100);
		assert_int_equal(d->first_ns, (T0 + (i ? 3 : 5)) * S);
		assert_int_equal(d->last_ns, d->first_ns);
		assert_true(d->seen_now && !d->untimed);
	}
	assert_int_equal(f->time_ns, (T0 + 5) * S);
	assert_int_equal(f->ledger.seen[0].packets, 2);
	assert_int_equal(f->ledger.seen[0].bytes, 200);
	assert_string_equal(logged, "");
	assert_non_null(strstr(fffa_replay_library(), "libpcap"));
}

/* At so many times real time: none comes sooner. Packets from before the first come at once. */
static void a_replay_has_a_speed(void **state)
{
	struct fixture *f = *state;

	f->conf.speed = 10;
	start(1);
	put_udp(1, 2000);
	put_udp(2, 1000);
	put_udp(3, 3000);
	put_udp(4, 3500);
	replay(f);
	assert_int_equal(f->n, 4);
	assert_true(f->at_ms[2] - f->at_ms[0] >= 100);
	assert_true(f->at_ms[3] - f->at_ms[0] >= 150);
}

static void it_waits_for_room(void **state)
{
	struct fixture *f = *state;

	f->no_room = 3;
	start(1);
	put_udp(1, 0);
	replay(f);
	assert_int_equal(f->n, 1);
	assert_true(f->asked >= 4);
	f->ended = 0;
}

/* What is read in one turn of the loop is bounded; a stop ends it after that, without an error. */
static void it_can_be_stopped(void **state)
{
	struct fixture *f = *state;
	struct fffa_err err;

	start(113);
	for (int i = 0; i < 5000; i++) { /* of two bytes: truncated, which is counted */
		struct packet p = {.b = {0}};

		put(&p, 0, 2, 100);
	}
	files_write(f->path[0], text.b, text.n);
	assert_int_equal(try_open(f, &err), 0);
	(void)uv_run(&f->loop, UV_RUN_NOWAIT);
	assert_int_equal(f->ledger.lost[FFFA_PL_TRUNCATED].packets, 4096);
	fffa_replay_stop(f->r);
	while (!f->ended)
		(void)uv_run(&f->loop, UV_RUN_ONCE);
	assert_int_equal(f->error, 0);
	(void)uv_run(&f->loop, UV_RUN_NOWAIT);
	assert_int_equal(f->ledger.lost[FFFA_PL_TRUNCATED].packets, 4096);
	assert_int_equal(f->ledger.lost[FFFA_PL_TRUNCATED].bytes, 4096 * (100 - 16));
	assert_int_equal(f->ended, 1);
}

static void what_is_not_recorded_is_counted(void **state)
{
	struct packet good = udp(1), bad = udp(2), arp;
	struct fixture *f = *state;

	packet_start(&arp, "arp");
	packet_eth(&arp, 0x0806);
	packet_payload(&arp, 46);
	bad.b[14] = 0x44;
	start(1);
	put(&good, 0, 20, good.len);
	put(&bad, 0, bad.len, bad.len);
	put(&bad, 0, 10, 10); /* shorter than its link header */
	put(&arp, 0, arp.len, arp.len);
	put(&arp, 0, arp.len, arp.len);
	replay(f);
	assert_int_equal(f->n, 0);
	assert_int_equal(f->ledger.lost[FFFA_PL_TRUNCATED].packets, 2);
	assert_int_equal(f->ledger.lost[FFFA_PL_TRUNCATED].bytes, 100);
	assert_int_equal(f->ledger.lost[FFFA_PL_MALFORMED].packets, 1);
	assert_int_equal(f->ledger.lost[FFFA_PL_MALFORMED].bytes, 100);
	assert_int_equal(f->ledger.seen[0].packets, 3);
	assert_int_equal(f->ledger.seen[0].bytes, 200);
	assert_int_equal(f->ledger.not_ip_frames, 2);
	assert_int_equal(f->ledger.not_ip[0].ether_type, 0x0806);
	assert_int_equal(f->ledger.not_ip[0].frames, 2);
}

/* Which way packets went: into the host or out of the networks that are its own. */
static void one_direction_is_wanted(void **state)
{
	static const int directions[] = {FFFA_DIR_BOTH, FFFA_DIR_INGRESS, FFFA_DIR_EGRESS};
	struct fixture *f = *state;
	struct fffa_cidr own;

	assert_int_equal(fffa_cidr_parse("10.0.0.1/32", &own, NULL), 0);
	f->conf.local = &own;
	f->conf.local_count = 1;
	start(1);
	put_udp(1, 0);
	for (int i = 0; i < 3; i++) {
		f->capture.direction = directions[i];
		f->n = 0;
		f->ended = 0;
		memset(&f->ledger, 0, sizeof(f->ledger));
		replay(f);
		assert_int_equal(f->n, i == 1 ? 0 : 1);
		assert_int_equal(f->ledger.seen[1].packets, i == 1 ? 0 : 1);
		assert_int_equal(f->ledger.seen[0].packets, 0);
		if (f->n)
			assert_int_equal(f->v[0].key.view, FFFA_VIEW_EGRESS);
		fffa_replay_close(f->r);
		f->r = NULL;
		(void)uv_run(&f->loop, UV_RUN_DEFAULT);
	}
}

/* One in a tunnel of its own. */
static void put_tunnelled(uint32_t vni, uint64_t ms)
{
	struct packet p;

	packet_start(&p, "tunnel");
	packet_eth(&p, V4);
	packet_ipv4(&p, 17, ADDR_A, ADDR_B, 0, 0);
	packet_udp(&p, 7, 4789);
	packet_vxlan(&p, vni);
	packet_eth(&p, V4);
	packet_ipv4(&p, 6, 1, 2, 0, 0);
	packet_tcp(&p, 8, 9, 0x10, 0);
	packet_finish(&p);
	put(&p, ms, p.len, p.len);
}

static void tunnels_have_ids(void **state)
{
	static const int views[] = {FFFA_TUNNEL_VIEW_INNER, FFFA_TUNNEL_VIEW_OUTER,
				    FFFA_TUNNEL_VIEW_BOTH};
	struct fixture *f = *state;

	start(1);
	put_tunnelled(5, 0);
	for (int i = 0; i < 3; i++) {
		const struct fffa_delta *inner = &f->v[i == 2];

		f->capture.tunnel_view = views[i];
		f->n = 0;
		f->ended = 0;
		replay(f);
		assert_int_equal(f->n, i == 2 ? 2 : 1);
		if (i) {
			assert_int_equal(sport(&f->v[0]), 7);
			assert_int_equal(f->v[0].key.tunnel, 0);
			assert_int_equal(f->v[0].bytes, 20 + 8 + 8 + 14 + 40);
		}
		if (i != 1) {
			assert_int_equal(sport(inner), 8);
			assert_int_equal(inner->bytes, 40);
			assert_int_equal(fffa_replay_tunnel(f->r, inner->key.tunnel)->vni, 5);
		}
		assert_null(fffa_replay_tunnel(f->r, 2));
		fffa_replay_close(f->r);
		f->r = NULL;
		(void)uv_run(&f->loop, UV_RUN_DEFAULT);
	}
}

/* Ids in a file of their own each: FFFA_TUNNELS_MAX packets do not fit in the text. */
static void put_tunnels(struct fixture *f, uint32_t from, uint32_t to, uint64_t ms)
{
	FILE *out = fopen(f->path[0], from == 1 ? "w" : "a");

	assert_non_null(out);
	if (from == 1)
		start(1);
	else
		text_start(false);
	for (uint32_t vni = from; vni < to; vni++) {
		put_tunnelled(vni, ms);
		assert_int_equal(fwrite(text.b, 1, text.n, out), text.n);
		text_start(false);
	}
	assert_int_equal(fclose(out), 0);
}

/* Without a free id the packet around the tunnel is recorded. Ids that no flow has are free again. */
static void more_tunnels_than_ids(void **state)
{
	struct fixture *f = *state;
	struct fffa_err err;

	for (int used = 1; used >= 0; used--) {
		f->used = used;
		f->n = 0;
		f->ended = 0;
		f->time_ns = 0;
		f->looked_at = 0;
		memset(&f->ledger, 0, sizeof(f->ledger));
		put_tunnels(f, 1, FFFA_TUNNELS_MAX + 1, 1000);
		put_tunnels(f, FFFA_TUNNELS_MAX + 1, FFFA_TUNNELS_MAX + 2, 1000);
		put_tunnels(f, FFFA_TUNNELS_MAX + 2, FFFA_TUNNELS_MAX + 3, 1000 + RECLAIM_MS - 1);
		put_tunnels(f, FFFA_TUNNELS_MAX + 3, FFFA_TUNNELS_MAX + 4, 1000 + RECLAIM_MS);
		assert_int_equal(try_open(f, &err), 0);
		while (!f->ended)
			(void)uv_run(&f->loop, UV_RUN_NOWAIT);
		assert_int_equal(f->n, FFFA_TUNNELS_MAX + 3);
		/* All were looked through in vain, a moment later again; or once. */
		assert_int_equal(f->looked_at, (used ? 2 : 1) * FFFA_TUNNELS_MAX);
		assert_int_equal(f->ledger.no_tunnel_id, used ? 3 : 0);
		assert_int_equal(sport(&f->v[(f->n - 1) % 64]), used ? 7 : 8);
		assert_non_null(fffa_replay_tunnel(f->r, 1));
		fffa_replay_close(f->r);
		f->r = NULL;
		(void)uv_run(&f->loop, UV_RUN_DEFAULT);
	}
}

static void files_follow_each_other(void **state)
{
	struct fixture *f = *state;
	struct fffa_err err;
	char want[256];

	assert_int_equal(try_open(f, &err), -EIO); /* the first must be there */
	assert_non_null(strstr(err.text, "No such file or directory"));
	assert_null(f->r);
	f->conf.path_count = 3;
	start(1);
	put_udp(2, 1000);
	files_write(f->path[1], text.b, text.n);
	start(1);
	put_udp(1, 2000);
	replay(f); /* the third is not there */
	assert_int_equal(f->n, 2);
	assert_int_equal(sport(&f->v[1]), 2);
	assert_int_equal(f->error, -EIO);
	(void)snprintf(want, sizeof(want), "E %s: No such file or directory\n", f->path[2]);
	assert_string_equal(logged, want);
}

static void a_link_type_that_is_not_read(void **state)
{
	struct fixture *f = *state;
	char want[256];

	start(189);
	put_udp(1, 0);
	replay(f);
	assert_int_equal(f->error, -ENOTSUP);
	assert_int_equal(f->n, 0);
	(void)snprintf(want, sizeof(want), "E %s: link type USB_LINUX (189) is not supported\n",
		       f->path[0]);
	assert_string_equal(logged, want);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(each_packet_has_its_time),
		T(a_replay_has_a_speed),
		T(it_waits_for_room),
		T(it_can_be_stopped),
		T(what_is_not_recorded_is_counted),
		T(one_direction_is_wanted),
		T(tunnels_have_ids),
		T(more_tunnels_than_ids),
		T(files_follow_each_other),
		T(a_link_type_that_is_not_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
