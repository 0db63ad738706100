// SPDX-License-Identifier: MIT
/* A broken invariant in a running agent: the log has the ledgers of packets and of each sink. */
#include "tests/stubs/cmocka_all.h"

#include <string.h>
#include <unistd.h>

#include "agent/daemon/agent.h"
#include "agent/daemon/registry.h"
#include "config/config.h"
#include "tests/stubs/death.h"
#include "tests/stubs/packets.h"
#include "tests/stubs/spy_sink.h"

static void write_u32(FILE *f, uint32_t v)
{
	assert_int_equal(fwrite(&v, sizeof(v), 1, f), 1);
}

/* A classic capture file (pcap-savefile(5)) of one UDP packet. */
static void write_capture(const char *path)
{
	FILE *f = fopen(path, "wb");
	struct packet p;

	assert_non_null(f);
	packet_start(&p, "udp");
	packet_eth(&p, 0x0800);
	packet_ipv4(&p, 17, 0x0a000001, 0x0a000002, 0, 0);
	packet_udp(&p, 1000, 2000);
	packet_payload(&p, 100);
	packet_finish(&p);
	write_u32(f, 0xa1b2c3d4);
	write_u32(f, 2 | 4 << 16); /* version 2.4 */
	write_u32(f, 0);
	write_u32(f, 0);
	write_u32(f, 65535);
	write_u32(f, 1); /* Ethernet */
	write_u32(f, 1700000000);
	write_u32(f, 0);
	write_u32(f, (uint32_t)p.len);
	write_u32(f, (uint32_t)p.len);
	assert_int_equal(fwrite(p.b, p.len, 1, f), 1);
	assert_int_equal(fclose(f), 0);
}

static struct fffa_outcome forget_the_verdict(void *arg, const struct fffa_batch *b)
{
	(void)arg;
	(void)b;
	return (struct fffa_outcome){0};
}

static void on_problem(void *arg, const char *line)
{
	(void)arg;
	fail_msg("%s", line);
}

static void replay(void *path)
{
	const char *const paths[] = {path};
	struct fffa_replay_conf r = {.paths = paths, .path_count = 1};
	struct spy_peer *peer = calloc(1, sizeof(*peer)); /* goes with the process */
	struct spy_conf spy = {.peer = peer};
	struct fffa_sink_conf sink = {.ops = &spy_sink_ops, .own = &spy};
	struct fffa_sink_schema schema[FFFA_REGISTRY_ROWS];
	struct fffa_config conf;

	assert_non_null(peer);
	peer->judge = forget_the_verdict;
	fffa_registry_schema(schema);
	assert_int_equal(fffa_config_load(NULL, schema, &conf, on_problem, NULL), 0);
	assert_int_equal(conf.sink_count, 1);
	sink.common = conf.sinks[0].common;
	conf.sinks = &sink;
	(void)fffa_agent_replay(&conf, &r);
}

static void the_ledgers_are_logged(void **state)
{
	char path[] = "/tmp/fffa-agent-assert-XXXXXX", said[4096];
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	(void)close(fd);
	write_capture(path);
	death_expect(replay, path, said, sizeof(said));
	(void)unlink(path);
	assert_non_null(strstr(said, "assertion failed"));
	assert_non_null(strstr(said, "ledger: seen_packets=1 seen_bytes=128 recorded_packets=1"));
	assert_non_null(strstr(said, "records=1 delivered=0 rejected=0 in_flight=1"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_ledgers_are_logged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
