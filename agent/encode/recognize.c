// SPDX-License-Identifier: MIT
/* Which format it is, and whether a record of another format begins there. */
#include "agent/encode/recognize.h"

#include <string.h>

#include "agent/encode/recognize_internal.h"

static bool is_field_name(const uint8_t *word, size_t n, enum fffa_format format)
{
	for (size_t id = 0; id < FFFA_FIELD_COUNT; id++) {
		const char *name = fffa_field_name(format, id);

		if (name && strlen(name) == n && !memcmp(name, word, n))
			return true;
	}
	return false;
}

/* A header line of names, or a line of at least four words of which one is a status of AWS. */
static bool is_vpc_line(struct fffa_unread in)
{
	size_t words = 0, names = 0, statuses = 0;

	for (;;) {
		const uint8_t *word = in.p;
		size_t n = fffa_recognize_take_word(&in);

		if (!n || in.p == in.end)
			return false;
		words++;
		names += is_field_name(word, n, FFFA_FORMAT_VPC);
		statuses += fffa_recognize_is_status(word, n);
		if (*in.p == '\n')
			return names == words || (words >= 4 && statuses);
		if (*in.p++ != ' ')
			return false;
	}
}

/* A JSON object whose first key is the first of a shape or a field's name. */
static bool is_json_line(struct fffa_unread in)
{
	static const char *const first_keys[] = {"@timestamp", "category_uid"};
	const uint8_t *key = in.p + 2, *quote;

	if (fffa_recognize_text(&in, "{\"", 2) != FFFA_MATCH_ALL)
		return false;
	quote = memchr(key, '"', fffa_unread_bytes(&in));
	if (!quote || quote + 1 == in.end || quote[1] != ':')
		return false;
	return is_field_name(key, (size_t)(quote - key), FFFA_FORMAT_JSON) ||
	       fffa_recognize_is_one_of(key, (size_t)(quote - key), first_keys, 2);
}

static bool is_msgpack_map(struct fffa_unread in)
{
	size_t n;

	if (in.p < in.end && (*in.p & 0xf0) == 0x80)
		in.p++;
	else if (fffa_unread_bytes(&in) > 3 && *in.p == 0xde)
		in.p += 3;
	else
		return false;
	if (in.p == in.end || (*in.p & 0xe0) != 0xa0)
		return false;
	n = *in.p++ & 0x1f;
	return n <= fffa_unread_bytes(&in) && is_field_name(in.p, n, FFFA_FORMAT_MSGPACK);
}

static bool is_of_another_format(struct fffa_unread in)
{
	struct fffa_unread at = in;

	return fffa_recognize_text(&at, "flowlog version=", 16) == FFFA_MATCH_ALL ||
	       is_vpc_line(in) || is_json_line(in) || is_msgpack_map(in);
}

enum fffa_found fffa_recognize(const void *encoder, const uint8_t *p, size_t n, size_t *len)
{
	const struct fffa_encoder *e = encoder;
	struct fffa_unread in = {p, p + n};
	enum fffa_found found = FFFA_FOUND_FOREIGN;

	if (e->with_networks)
		e = e->with_networks; /* has the steps of every record */
	*len = 0;
	if (!n || e->envelope) /* no sink that writes files takes an envelope */
		return FFFA_FOUND_FOREIGN;
	if (e->put == fffa_put_vpc)
		found = fffa_recognize_vpc(e, &in);
	else if (e->put == fffa_put_json)
		found = fffa_recognize_json(e, &in);
	else if (e->put == fffa_put_msgpack)
		found = fffa_recognize_msgpack(e, &in);
	else
		found = fffa_recognize_flowlog(&in);
	if (found == FFFA_FOUND_RECORD)
		*len = (size_t)(in.p - p);
	if (found == FFFA_FOUND_FOREIGN && is_of_another_format((struct fffa_unread){p, p + n}))
		found = FFFA_FOUND_OTHER;
	return found;
}
