// SPDX-License-Identifier: MIT
/* msgpack: a golden record, and random records read back by msgpack-c. */
#include <arpa/inet.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "tests/stubs/cmocka_all.h"

#include <msgpack.h>

#include "tests/unit/encode/model.h"
#include "tests/unit/encode/random.h"

#define RANDOM_RECORDS 20000

static size_t encode(const char *fields, const struct fffa_record *r, uint8_t *dst)
{
	struct fffa_encoder *e = NULL;
	size_t len;

	assert_int_equal(fffa_encoder_new(FFFA_FORMAT_MSGPACK, fields, &e, NULL), 0);
	len = fffa_encoder_write(e, r, dst, FFFA_RECORD_BYTES_MAX);
	fffa_encoder_free(e);
	return len;
}

#define assert_bytes(fields, r, text)                                                              \
	do {                                                                                       \
		uint8_t dst[FFFA_RECORD_BYTES_MAX];                                                \
		size_t len = encode((fields), (r), dst);                                           \
		assert_int_equal(len, sizeof(text) - 1);                                           \
		assert_memory_equal(dst, (text), len);                                             \
	} while (0)

/* The bytes that the specification prescribes. */
static void golden_maps(void **state)
{
	struct sample s;

	(void)state;
	sample_tcp(&s);
	assert_bytes("version,srcaddr,srcport,bytes,encapsulated,start", &s.r,
		     "\x86\xa7version\x02\xa7srcaddr\xa8"
		     "10.0.5.9\xa7srcport\xcd\x9c\xb0\xa5"
		     "bytes\xcd\x0f\x97\xac"
		     "encapsulated\xc2\xa5start\xce\x65\x53\xf1\x0a");
	sample_geneve(&s);
	assert_bytes("encapsulated,vni,gwlb_flow_cookie", &s.r,
		     "\x83\xac"
		     "encapsulated\xc3\xa3vni\x00\xb0gwlb_flow_cookie\xce\xee\x6b\x28\x00");
	s.r.start_ms = -1;
	assert_bytes("start_ms", &s.r, "\x81\xa8start_ms\xff");
	/* A text that needs a longer head: str 8. */
	sample_addrs(&s, "2001:db8:1111:2222:3333:4444:5555:6666", "::1");
	assert_bytes("srcaddr", &s.r,
		     "\x81\xa7srcaddr\xd9\x26"
		     "2001:db8:1111:2222:3333:4444:5555:6666");
}

static void unknown_is_absent(void **state)
{
	struct sample s;

	(void)state;
	sample_tcp(&s);
	sample_unknown(&s);
	assert_bytes("account_id,traffic_path", &s.r, "\x80");
	assert_bytes("account_id,protocol", &s.r, "\x81\xa8protocol\x06");
	s.r.status = FFFA_STATUS_SKIPDATA;
	assert_bytes("protocol,log_status", &s.r, "\x81\xaalog_status\xa8SKIPDATA");
}

/* The name is not escaped as in json, and only UTF-8 gets into a string. */
static void device_name_is_not_escaped(void **state)
{
	struct sample s;

	(void)state;
	sample_tcp(&s);
	strcpy(s.ident.ifname, "a\"\\\x01\xff");
	assert_bytes("ifname", &s.r,
		     "\x81\xa6ifname\xa7"
		     "a\"\\\x01\xef\xbf\xbd");
}

static json_t *from_msgpack(const msgpack_object *v)
{
	switch (v->type) {
	case MSGPACK_OBJECT_BOOLEAN:
		return json_boolean(v->via.boolean);
	case MSGPACK_OBJECT_POSITIVE_INTEGER:
		return json_integer((json_int_t)v->via.u64);
	case MSGPACK_OBJECT_NEGATIVE_INTEGER:
		return json_integer(v->via.i64);
	case MSGPACK_OBJECT_STR:
		return json_stringn(v->via.str.ptr, v->via.str.size);
	default:
		return NULL;
	}
}

static json_t *map_to_json(const msgpack_object *map)
{
	json_t *o = json_object(), *v;
	const msgpack_object_kv *kv;

	assert_int_equal(map->type, MSGPACK_OBJECT_MAP);
	for (uint32_t i = 0; i < map->via.map.size; i++) {
		kv = &map->via.map.ptr[i];
		assert_int_equal(kv->key.type, MSGPACK_OBJECT_STR);
		v = from_msgpack(&kv->val);
		assert_non_null(v);
		assert_int_equal(
			json_object_setn_new(o, kv->key.via.str.ptr, kv->key.via.str.size, v), 0);
	}
	assert_int_equal(json_object_size(o), map->via.map.size); /* no key twice */
	return o;
}

/*
 * Each value has its shortest form: msgpack-c packs the same bytes again, except for the head of
 * the map, whose size is fixed.
 */
static void check_shortest(const msgpack_object *map, const uint8_t *bytes, size_t len)
{
	msgpack_sbuffer buf;
	msgpack_packer pk;
	size_t head;

	msgpack_sbuffer_init(&buf);
	msgpack_packer_init(&pk, &buf, msgpack_sbuffer_write);
	assert_int_equal(msgpack_pack_object(&pk, *map), 0);
	head = map->via.map.size < 16 ? 1 : 3;
	assert_int_equal(buf.size - head, len - 3);
	assert_memory_equal(buf.data + head, bytes + 3, len - 3);
	msgpack_sbuffer_destroy(&buf);
}

static void random_records_read_back(void **state)
{
	uint8_t dst[FFFA_RECORD_BYTES_MAX];
	struct fffa_encoder *e = NULL;
	msgpack_unpacked got;
	json_t *is, *want;
	uint64_t seed = 9;
	struct sample s;
	size_t len, at;

	(void)state;
	assert_int_equal(fffa_encoder_new(FFFA_FORMAT_MSGPACK, "all", &e, NULL), 0);
	msgpack_unpacked_init(&got);
	for (int i = 0; i < RANDOM_RECORDS; i++) {
		random_record(&seed, &s);
		len = fffa_encoder_write(e, &s.r, dst, sizeof(dst));
		at = 0;
		assert_int_equal(msgpack_unpack_next(&got, (const char *)dst, len, &at),
				 MSGPACK_UNPACK_SUCCESS);
		assert_int_equal(at, len);
		is = map_to_json(&got.data);
		want = model_json(&s.r);
		if (!json_equal(is, want))
			fail_msg("record %d: %s is not %s", i, json_dumps(is, 0),
				 json_dumps(want, 0));
		check_shortest(&got.data, dst, len);
		json_decref(is);
		json_decref(want);
	}
	msgpack_unpacked_destroy(&got);
	fffa_encoder_free(e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(golden_maps),
		cmocka_unit_test(unknown_is_absent),
		cmocka_unit_test(device_name_is_not_escaped),
		cmocka_unit_test(random_records_read_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
