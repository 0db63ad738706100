/* SPDX-License-Identifier: MIT */
/* The values of a record's fields: one writer for each row of fields.def. */
#ifndef FFFA_AGENT_ENCODE_FIELD_VALUE_H
#define FFFA_AGENT_ENCODE_FIELD_VALUE_H

#include <stdint.h>

#include "agent/flow/record.h"

/* Texts that are the same for every record of an encoder. */
struct fffa_consts {
	unsigned int version; /* highest among the chosen fields */
	struct {
		char text[16];
	} end_reason[FFFA_END_MAX];
	char stream[33]; /* the sink's name, if its records are a stream of their own */
};

/*
 * Writes the text of one value at p, without quotes, and returns its end; p when the value is not
 * known. May store up to FFFA_TEXT_SLACK_BYTES from p on, see text.h.
 */
typedef uint8_t *fffa_value_fn(uint8_t *p, const struct fffa_record *r,
			       const struct fffa_consts *c);

/* The parameters of a writer. */
#define FFFA_VALUE_ARGS                                                                            \
	uint8_t *p, const struct fffa_record *r __attribute__((unused)),                           \
		const struct fffa_consts *c __attribute__((unused))

/*
 * Each field has a writer fffa_value_ID. Numbers, booleans and the device name, which only JSON
 * escapes, also have fffa_value_pack_ID, which writes the whole msgpack value.
 */
#define FFFA_PACK_INT(id)  fffa_value_fn fffa_value_pack_##id;
#define FFFA_PACK_BOOL(id) fffa_value_fn fffa_value_pack_##id;
#define FFFA_PACK_NAME(id) fffa_value_fn fffa_value_pack_##id;
#define FFFA_PACK_STR(id)
#define FFFA_PACK_IP(id)
#define FFFA_FIELD(id, vpc, t, ...)                                                                \
	fffa_value_fn fffa_value_##id;                                                             \
	FFFA_PACK_##t(id)
#include "agent/encode/field/fields.def"
#undef FFFA_FIELD
#undef FFFA_PACK_INT
#undef FFFA_PACK_BOOL
#undef FFFA_PACK_NAME
#undef FFFA_PACK_STR
#undef FFFA_PACK_IP

/* What srcaddr and dstaddr show: borrowed from the record or its identity. */
/* False also for IPv6 packets with v4-mapped addresses. */
bool fffa_value__is_ipv4(const struct fffa_record *r);
/* An address of r's packet, as its IP version writes it. */
uint8_t *fffa_value__ip(uint8_t *p, const struct fffa_record *r, const uint8_t addr[16]);
const uint8_t *fffa_value__src(const struct fffa_record *r);
const uint8_t *fffa_value__dst(const struct fffa_record *r);

#endif
