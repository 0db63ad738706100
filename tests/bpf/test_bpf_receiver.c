// SPDX-License-Identifier: MIT
/*
 * capture.decapsulate: auto in the real programs: a tunnel is opened when a socket of this host has
 * its port, in each hook and direction.
 */
#include <arpa/inet.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/bpf/bpf_fixture.h"
#include "tests/stubs/cmocka_all.h"
#include "tests/stubs/packets.h"

#define HERE  UINT32_C(0x7f000001)
#define OTHER UINT32_C(0x7f000002)
#define THERE UINT32_C(0x0a000002)

/* A loopback device in a namespace of our own has all of 127/8 once it is up. */
static struct fffa_kernel *open_auto(enum fffa_tunnel_record view)
{
	struct fffa_kernel_conf c = bpf_fixture_conf(1024, 65536);

	c.settings.ask_receiver = true;
	c.settings.tunnel_view = view;
	return bpf_fixture_open_conf(&c);
}

static int receive_at(uint32_t addr, uint16_t port)
{
	struct sockaddr_in a = {.sin_family = AF_INET,
				.sin_port = htons(port),
				.sin_addr = {.s_addr = htonl(addr)}};
	int one = 1, fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	/* Without an address on the device. */
	assert_int_equal(setsockopt(fd, IPPROTO_IP, IP_FREEBIND, &one, sizeof(one)), 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	return fd;
}

static int receive_at_any6(uint16_t port)
{
	struct sockaddr_in6 a = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
	int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd >= 0)
		assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	return fd; /* negative: this kernel has no IPv6 */
}

static void vxlan(struct packet *p, uint32_t src, uint32_t dst, uint32_t vni)
{
	packet_start(p, "vxlan");
	packet_eth(p, 0x0800);
	packet_ipv4(p, 17, src, dst, 0, 0);
	packet_udp(p, 60000, 4789);
	packet_vxlan(p, vni);
	packet_eth(p, 0x0800);
	packet_ipv4(p, 6, 3, 4, 0, 0);
	packet_tcp(p, 5, 443, FFFA_F_ACK, 0);
	packet_finish(p);
}

static void geneve6(struct packet *p)
{
	packet_start(p, "geneve over IPv6");
	packet_eth(p, 0x86dd);
	packet_ipv6(p, 17, 1, 2);
	packet_udp(p, 60000, 6081);
	packet_geneve(p, 0x0800, 5, 8);
	packet_gwlb(p, 1, 2, 3);
	packet_ipv4(p, 6, 3, 4, 0, 0);
	packet_tcp(p, 5, 443, FFFA_F_ACK, 0);
	packet_finish(p);
}

/* Runs the packet and says whether it was recorded as the packet inside. */
static bool is_opened(struct fffa_kernel *k, enum fffa_program prog, const struct packet *p)
{
	struct fffa_delta d[4];

	bpf_fixture_run(k, prog, p->b, p->len);
	assert_int_equal(bpf_fixture_take(k, d, 4), 1);
	assert_int_equal(!!d[0].key.tunnel, d[0].key.proto == 6);
	if (!d[0].key.tunnel)
		assert_int_equal(d[0].bytes, p->len - 14);
	return d[0].key.tunnel;
}

/* A stranger's datagram, and one to a host that has a receiver for it. */
static void only_a_tunnel_with_a_receiver_is_opened(void **state)
{
	struct fffa_kernel *k = open_auto(FFFA_TUNNEL_RECORD_INNER);
	struct fffa_ledger l = {0};
	struct packet in, out;

	(void)state;
	vxlan(&in, THERE, HERE, 1);
	vxlan(&out, HERE, THERE, 1);
	for (int prog = 0; prog <= FFFA_PROGRAM_XDP_IN; prog++) {
		const struct packet *p = prog == FFFA_PROGRAM_TC_OUT ? &out : &in;
		int fd;

		fffa_kernel_tunnels_ask(k);
		assert_false(is_opened(k, prog, p));
		fd = receive_at(INADDR_ANY, 4789);
		/* The answer is good until the agent lets the programs ask again. */
		assert_false(is_opened(k, prog, p));
		fffa_kernel_tunnels_ask(k);
		assert_true(is_opened(k, prog, p));
		(void)close(fd);
		assert_true(is_opened(k, prog, p));
		fffa_kernel_tunnels_ask(k);
		assert_false(is_opened(k, prog, p));
	}
	fffa_kernel_read_counts(k, &l);
	assert_int_equal(fffa_kernel_tunnels_closed(k), 9);
	assert_int_equal(fffa_ledger_seen(&l).packets, 15);
	assert_int_equal(fffa_ledger_lost(&l).packets, 0);
	assert_int_equal(l.no_tunnel_id, 0);
	fffa_kernel_close(k);
}

/* The tunnel's end on this host is its destination, or its source when the packet leaves. */
static void the_receiver_is_the_end_on_this_host(void **state)
{
	struct fffa_kernel *k = open_auto(FFFA_TUNNEL_RECORD_INNER);
	int fd = receive_at(HERE, 4789);
	struct packet to, from, to_other, from_other;

	(void)state;
	vxlan(&to, THERE, HERE, 1);
	vxlan(&from, HERE, THERE, 1);
	vxlan(&to_other, THERE, OTHER, 1);
	vxlan(&from_other, OTHER, THERE, 1);
	assert_true(is_opened(k, FFFA_PROGRAM_TC_IN, &to));
	assert_true(is_opened(k, FFFA_PROGRAM_XDP_IN, &to));
	assert_false(is_opened(k, FFFA_PROGRAM_TC_OUT, &to));
	assert_true(is_opened(k, FFFA_PROGRAM_TC_OUT, &from));
	assert_false(is_opened(k, FFFA_PROGRAM_TC_IN, &from));
	assert_false(is_opened(k, FFFA_PROGRAM_TC_IN, &to_other));
	assert_false(is_opened(k, FFFA_PROGRAM_TC_OUT, &from_other));
	(void)close(fd);
	fffa_kernel_close(k);
}

static void the_outer_packet_may_be_ipv6(void **state)
{
	struct fffa_kernel *k = open_auto(FFFA_TUNNEL_RECORD_INNER);
	struct packet p;
	int fd;

	(void)state;
	geneve6(&p);
	assert_false(is_opened(k, FFFA_PROGRAM_TC_IN, &p));
	fd = receive_at_any6(6081);
	fffa_kernel_tunnels_ask(k);
	for (int prog = 0; fd >= 0 && prog <= FFFA_PROGRAM_XDP_IN; prog++)
		assert_true(is_opened(k, prog, &p));
	if (fd >= 0)
		(void)close(fd);
	fffa_kernel_close(k);
}

/* What cannot be opened takes no id, however many tunnels it pretends to be. */
static void a_closed_tunnel_takes_no_id(void **state)
{
	struct fffa_kernel *k = open_auto(FFFA_TUNNEL_RECORD_INNER);
	struct packet p;

	(void)state;
	for (uint32_t vni = 0; vni < 200; vni++) {
		vxlan(&p, THERE, HERE, vni);
		bpf_fixture_run(k, FFFA_PROGRAM_TC_IN, p.b, p.len);
	}
	assert_int_equal(fffa_kernel_tunnels_closed(k), 200);
	assert_null(fffa_kernel_tunnel(k, 1));
	fffa_kernel_close(k);
}

/* Traffic Mirroring through GWLB: the VXLAN inside has no receiver of its own. */
static void a_tunnel_inside_is_opened_with_the_one_around_it(void **state)
{
	struct fffa_kernel *k = open_auto(FFFA_TUNNEL_RECORD_INNER);
	int fd = receive_at(INADDR_ANY, 6081);
	struct packet p;

	(void)state;
	packet_start(&p, "vxlan in geneve");
	packet_eth(&p, 0x0800);
	packet_ipv4(&p, 17, THERE, HERE, 0, 0);
	packet_udp(&p, 60000, 6081);
	packet_geneve(&p, 0x0800, 5, 8);
	packet_gwlb(&p, 1, 2, 3);
	packet_ipv4(&p, 17, 5, 6, 0, 0);
	packet_udp(&p, 60001, 4789);
	packet_vxlan(&p, 9);
	packet_eth(&p, 0x0800);
	packet_ipv4(&p, 6, 3, 4, 0, 0);
	packet_tcp(&p, 5, 443, FFFA_F_ACK, 0);
	packet_finish(&p);
	for (int prog = 0; prog <= FFFA_PROGRAM_XDP_IN; prog++)
		assert_true(is_opened(k, prog, &p));
	assert_int_equal(fffa_kernel_tunnels_closed(k), 0);
	(void)close(fd);
	fffa_kernel_close(k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_a_tunnel_with_a_receiver_is_opened),
		cmocka_unit_test(the_receiver_is_the_end_on_this_host),
		cmocka_unit_test(the_outer_packet_may_be_ipv6),
		cmocka_unit_test(a_closed_tunnel_takes_no_id),
		cmocka_unit_test(a_tunnel_inside_is_opened_with_the_one_around_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
