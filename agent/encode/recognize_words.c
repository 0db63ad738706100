// SPDX-License-Identifier: MIT
/* The formats whose lines consist of words: vpc and flowlog. */
#include <string.h>

#include "agent/encode/recognize_internal.h"

static const char *const flowlog_keys[] = {
	"flowlog version=", " proto=",	   " src=",	     " dst=",	  " pkt-src=",
	" pkt-dst=",	    " direction=", " encapsulated=", " account=", " vpc=",
	" subnet=",	    " instance=",  " az=",	     " region=",  " time=",
};
#define FLOWLOG_KEYS (sizeof(flowlog_keys) / sizeof(flowlog_keys[0]))

static bool is_of_type(const uint8_t *word, size_t n, const char *type)
{
	bool number = !strcmp(type, "int"), address = !strcmp(type, "ip");

	if (n == 1 && *word == '-')
		return true;
	for (size_t i = 0; i < n && (number || address); i++) {
		bool digit = word[i] >= '0' && word[i] <= '9';
		bool hex = word[i] >= 'a' && word[i] <= 'f';

		if (!digit && !(address && (hex || word[i] == '.' || word[i] == ':')))
			return false;
	}
	return true;
}

enum fffa_found fffa_recognize_vpc(const struct fffa_encoder *e, struct fffa_unread *in)
{
	const struct fffa_field_info *infos;
	size_t count;

	infos = fffa_field_table(&count);
	for (size_t i = 0; i < e->n; i++) {
		const uint8_t *word = in->p;
		size_t n = fffa_recognize_take_word(in);
		bool last = i + 1 == e->n;

		if (!is_of_type(word, n, infos[e->steps[i].id].type))
			return FFFA_FOUND_FOREIGN;
		if (in->p == in->end)
			return last && (fffa_recognize_is_status(word, n) ||
					(n == 1 && *word == '-'))
				       ? FFFA_FOUND_UNTERMINATED
				       : FFFA_FOUND_TORN;
		if (!n || *in->p++ != (last ? '\n' : ' '))
			return FFFA_FOUND_FOREIGN;
	}
	return FFFA_FOUND_RECORD;
}

enum fffa_found fffa_recognize_flowlog(struct fffa_unread *in)
{
	for (size_t i = 0; i < FLOWLOG_KEYS; i++) {
		switch (fffa_recognize_text(in, flowlog_keys[i], strlen(flowlog_keys[i]))) {
		case FFFA_MATCH_NO:
			return FFFA_FOUND_FOREIGN;
		case FFFA_MATCH_TORN:
			return FFFA_FOUND_TORN;
		case FFFA_MATCH_ALL:
			break;
		}
		if (!fffa_recognize_take_word(in))
			return in->p == in->end ? FFFA_FOUND_TORN : FFFA_FOUND_FOREIGN;
	}
	if (in->p == in->end) /* the time of every record ends in Z */
		return in->p[-1] == 'Z' ? FFFA_FOUND_UNTERMINATED : FFFA_FOUND_TORN;
	return *in->p++ == '\n' ? FFFA_FOUND_RECORD : FFFA_FOUND_FOREIGN;
}
