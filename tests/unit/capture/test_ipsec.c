// SPDX-License-Identifier: MIT
/* Which packets may be encrypted, and for how long their arrival speaks for a decrypted one. */
#include "tests/stubs/cmocka_all.h"

#include "bpf/ipsec.h"
#include "tests/stubs/packets.h"
#include "tests/unit/capture/frame_fixture.h"

#define ESP "\x00\x00\x01\x01\x00\x00\x00\x01"

static uint32_t offset_of(const struct packet *p, uint8_t view)
{
	struct fffa_frame_conf c = frame_conf();
	struct parsed parsed = frame_parse(&c, p->b, p->len, p->len);

	assert_int_equal(parsed.result, FFFA_PARSE_OK);
	parsed.p.key.view |= view;
	return fffa_ipsec_spi_offset(&parsed.p);
}

static void start_ipv4(struct packet *p, uint8_t proto, uint16_t fragment)
{
	packet_start(p, "ipsec");
	packet_eth(p, 0x0800);
	packet_ipv4(p, proto, 1, 2, 0, fragment);
}

static void make_esp_in_ipv4(struct packet *p, uint16_t fragment)
{
	start_ipv4(p, 50, fragment);
	packet_bytes(p, ESP, 8);
	packet_finish(p);
}

static void make_esp_in_udp(struct packet *p, uint16_t sport, uint16_t dport)
{
	start_ipv4(p, 17, 0);
	packet_udp(p, sport, dport);
	packet_bytes(p, ESP, 8);
	packet_finish(p);
}

static void the_index_is_found(void **state)
{
	struct packet p;

	(void)state;
	make_esp_in_ipv4(&p, 0);
	assert_int_equal(offset_of(&p, 0), 14 + 20);
	packet_start(&p, "esp in ipv6, behind destination options");
	packet_eth(&p, 0x86dd);
	packet_ipv6(&p, 60, 1, 2);
	packet_ext(&p, 60, 50, 1, 0);
	packet_bytes(&p, ESP, 8);
	packet_finish(&p);
	assert_int_equal(offset_of(&p, 0), 14 + 40 + 8);
	make_esp_in_udp(&p, 33000, 4500);
	assert_int_equal(offset_of(&p, 0), 14 + 20 + 8);
}

static void others_have_none(void **state)
{
	struct packet p;

	(void)state;
	make_esp_in_ipv4(&p, 0);
	assert_int_equal(offset_of(&p, FFFA_VIEW_EGRESS), 0);
	make_esp_in_ipv4(&p, 100); /* a later fragment */
	assert_int_equal(offset_of(&p, 0), 0);
	make_esp_in_udp(&p, 4500, 33000); /* an answer from the port */
	assert_int_equal(offset_of(&p, 0), 0);
	start_ipv4(&p, 6, 0);
	packet_tcp(&p, 33000, 4500, 0x10, 0);
	packet_finish(&p);
	assert_int_equal(offset_of(&p, 0), 0);
}

static void an_arrival_is_recent_for_its_life(void **state)
{
	(void)state;
	assert_false(fffa_ipsec_is_recent(0, 1, 100)); /* never */
	assert_true(fffa_ipsec_is_recent(50, 50, 100));
	assert_true(fffa_ipsec_is_recent(50, 149, 100));
	assert_false(fffa_ipsec_is_recent(50, 150, 100));
	assert_true(fffa_ipsec_is_recent(UINT32_MAX - 5, 10, 100)); /* the ticks wrap */
	assert_false(fffa_ipsec_is_recent(50, 50, 0));		    /* a kernel without IPsec */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_index_is_found),
		cmocka_unit_test(others_have_none),
		cmocka_unit_test(an_arrival_is_recent_for_its_life),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
