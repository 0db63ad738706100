// SPDX-License-Identifier: MIT
/* json: golden lines, and random records read back by jansson. */
#include <arpa/inet.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "tests/stubs/cmocka_all.h"

#include "tests/unit/encode/model.h"
#include "tests/unit/encode/random.h"
#include "tests/unit/encode/sample.h"

#define RANDOM_RECORDS 20000

#define assert_json(fields, s, text) assert_encodes(FFFA_FORMAT_JSON, (fields), &(s)->r, (text))

#define IDENTITY                                                                                   \
	"\"vpc_id\":\"vpc-12345678\",\"subnet_id\":\"subnet-87654321\","                           \
	"\"instance_id\":\"i-1234567890abcdef0\","

static void all_fields_line(void **state)
{
	struct sample s;
	const char *line =
		"{\"version\":11,\"account_id\":\"111122223333\","
		"\"interface_id\":\"eni-0aa11bb22cc33dd44\",\"srcaddr\":\"10.0.5.9\","
		"\"dstaddr\":\"10.0.5.20\",\"srcport\":40112,\"dstport\":22,\"protocol\":6,"
		"\"packets\":18,\"bytes\":3991,\"start\":1700000010,\"end\":1700000070,"
		"\"action\":\"ACCEPT\",\"log_status\":\"OK\"," IDENTITY
		"\"tcp_flags\":3,\"type\":\"IPv4\",\"pkt_srcaddr\":\"10.0.5.9\","
		"\"pkt_dstaddr\":\"10.0.5.20\",\"region\":\"us-east-1\",\"az_id\":\"use1-az4\","
		"\"flow_direction\":\"ingress\",\"schema\":1,"
		"\"agent_id\":\"i-1234567890abcdef0\",\"epoch\":3,\"seq\":41,"
		"\"host_name\":\"ip-10-0-5-20\",\"start_ms\":1700000010999,\"end_ms\":"
		"1700000070001,\"ifname\":\"ens5\","
		"\"hook\":\"tc\",\"az\":\"us-east-1a\",\"tcp_flags_raw\":27,"
		"\"end_reason\":\"end\",\"encapsulated\":false}\n";

	(void)state;
	sample_tcp(&s);
	assert_json("all", &s, line);
	assert_json(NULL, &s, line);
}

static void tunnelled_members(void **state)
{
	struct sample s;

	(void)state;
	sample_tcp(&s);
	sample_geneve(&s);
	s.r.key.view = FFFA_VIEW_HOOK_XDP;
	assert_json("srcaddr,encapsulated,tunnel,tunnel_src,tunnel_dst,vni,gwlbe_id,"
		    "gwlb_attachment_id,gwlb_flow_cookie,hook",
		    &s,
		    "{\"srcaddr\":\"10.0.5.9\",\"encapsulated\":true,\"tunnel\":\"geneve\","
		    "\"tunnel_src\":\"10.0.1.100\",\"tunnel_dst\":\"10.0.1.200\",\"vni\":0,"
		    "\"gwlbe_id\":\"eni-00a1b2c3d4e5f6071\","
		    "\"gwlb_attachment_id\":\"000000000000beef\","
		    "\"gwlb_flow_cookie\":4000000000,\"hook\":\"xdp\"}\n");
	s.tunnel.type = FFFA_TUNNEL_VXLAN;
	s.tunnel.has = 0;
	s.tunnel.vni = 0xffffff;
	assert_json("tunnel,vni,gwlbe_id,gwlb_attachment_id,gwlb_flow_cookie", &s,
		    "{\"tunnel\":\"vxlan\",\"vni\":16777215}\n");
}

static void icmp_members(void **state)
{
	struct sample s;
	const char *fields = "srcport dstport icmp_type icmp_code tcp_flags tcp_flags_raw";

	(void)state;
	sample_tcp(&s);
	sample_icmp(&s, 1, 3, 13);
	assert_json(fields, &s,
		    "{\"srcport\":0,\"dstport\":0,\"icmp_type\":3,\"icmp_code\":13,"
		    "\"tcp_flags\":0}\n");
	sample_icmp(&s, 58, 255, 0);
	assert_json(fields, &s,
		    "{\"srcport\":0,\"dstport\":0,\"icmp_type\":255,\"icmp_code\":0,"
		    "\"tcp_flags\":0}\n");
}

static void order_is_as_given(void **state)
{
	struct sample s;

	(void)state;
	sample_tcp(&s);
	assert_json("bytes, end_reason srcaddr , version", &s,
		    "{\"bytes\":3991,\"end_reason\":\"end\",\"srcaddr\":\"10.0.5.9\","
		    "\"version\":2}\n");
	assert_json("flow_direction,version", &s,
		    "{\"flow_direction\":\"ingress\",\"version\":5}\n");
}

static void unknown_is_absent(void **state)
{
	struct sample s;

	(void)state;
	sample_tcp(&s);
	sample_unknown(&s);
	assert_json("account_id,traffic_path", &s, "{}\n");
	assert_json("account_id,bytes,vpc_id", &s, "{\"bytes\":3991}\n");
	s.r.status = FFFA_STATUS_SKIPDATA;
	assert_json("bytes,log_status,encapsulated,end_reason,hook", &s,
		    "{\"log_status\":\"SKIPDATA\"}\n");
}

static void loss_is_in_skipdata_only(void **state)
{
	const char *fields =
		"log_status,packets,lost_packets,lost_bytes,lost_records,lost_reason,sampled";
	struct sample s;

	(void)state;
	sample_tcp(&s);
	s.r.lost_packets = 7;
	s.r.lost_bytes = 700;
	s.r.lost_reason = "table_full";
	s.r.sampled = 10;
	assert_json(fields, &s, "{\"log_status\":\"OK\",\"packets\":18,\"sampled\":10}\n");
	s.r.status = FFFA_STATUS_SKIPDATA;
	assert_json(fields, &s,
		    "{\"log_status\":\"SKIPDATA\",\"lost_packets\":7,\"lost_bytes\":700,"
		    "\"lost_reason\":\"table_full\"}\n");
}

static void end_reasons(void **state)
{
	static const char *const lines[] = {
		"{}\n",
		"{\"end_reason\":\"idle\"}\n",
		"{\"end_reason\":\"active\"}\n",
		"{\"end_reason\":\"end\"}\n",
		"{\"end_reason\":\"forced\"}\n",
		"{\"end_reason\":\"resources\"}\n",
		"{}\n",
	};
	struct sample s;

	(void)state;
	sample_tcp(&s);
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		s.r.end_reason = (uint8_t)i;
		assert_json("end_reason", &s, lines[i]);
	}
}

static void device_name_is_escaped(void **state)
{
	struct sample s;

	(void)state;
	sample_tcp(&s);
	strcpy(s.ident.ifname, "a\"\\\x01\xff");
	assert_json("ifname", &s, "{\"ifname\":\"a\\\"\\\\\\u0001\\ufffd\"}\n");
}

static void random_records_read_back(void **state)
{
	char line[FFFA_RECORD_BYTES_MAX + 1];
	struct fffa_encoder *e = NULL;
	json_t *got, *want;
	json_error_t error;
	uint64_t seed = 7;
	struct sample s;
	size_t len;

	(void)state;
	assert_int_equal(fffa_encoder_new(FFFA_FORMAT_JSON, "all", &e, NULL), 0);
	for (int i = 0; i < RANDOM_RECORDS; i++) {
		random_record(&seed, &s);
		len = fffa_encoder_write(e, &s.r, (uint8_t *)line, FFFA_RECORD_BYTES_MAX);
		line[len] = 0;
		assert_int_equal(line[len - 1], '\n');
		assert_int_equal(strcspn(line, "\n"), len - 1);
		got = json_loadb(line, len, JSON_REJECT_DUPLICATES, &error);
		want = model_json(&s.r);
		if (!got || !json_equal(got, want))
			fail_msg("record %d: %s is not %s", i, line, json_dumps(want, 0));
		json_decref(got);
		json_decref(want);
	}
	fffa_encoder_free(e);
}

/* Any bytes in a device name still make one line of valid JSON. */
static void random_device_names_stay_json(void **state)
{
	char line[FFFA_RECORD_BYTES_MAX];
	struct fffa_encoder *e = NULL;
	uint64_t seed = 8;
	struct sample s;
	json_t *got;
	size_t len;

	(void)state;
	sample_tcp(&s);
	assert_int_equal(fffa_encoder_new(FFFA_FORMAT_JSON, "ifname", &e, NULL), 0);
	for (int i = 0; i < 100000; i++) {
		len = 1 + sample_random(&seed) % (sizeof(s.ident.ifname) - 1);
		memset(s.ident.ifname, 0, sizeof(s.ident.ifname));
		for (size_t k = 0; k < len; k++)
			s.ident.ifname[k] = (char)(1 + sample_random(&seed) % 255);
		len = fffa_encoder_write(e, &s.r, (uint8_t *)line, sizeof(line));
		assert_ptr_equal(memchr(line, '\n', len), line + len - 1);
		got = json_loadb(line, len, 0, NULL);
		assert_non_null(got);
		assert_non_null(json_string_value(json_object_get(got, "ifname")));
		json_decref(got);
	}
	fffa_encoder_free(e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_fields_line),
		cmocka_unit_test(tunnelled_members),
		cmocka_unit_test(icmp_members),
		cmocka_unit_test(order_is_as_given),
		cmocka_unit_test(unknown_is_absent),
		cmocka_unit_test(loss_is_in_skipdata_only),
		cmocka_unit_test(end_reasons),
		cmocka_unit_test(device_name_is_escaped),
		cmocka_unit_test(random_records_read_back),
		cmocka_unit_test(random_device_names_stay_json),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
