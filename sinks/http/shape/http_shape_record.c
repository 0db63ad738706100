// SPDX-License-Identifier: MIT
/* Helpers of several writers. */
#include <ctype.h>

#include "sinks/http/shape/http_shape.h"

struct fffa_span fffa_http_shape__line(const struct fffa_batch *b, uint32_t i)
{
	struct fffa_span r = fffa_batch_record(b, i);

	if (r.len && r.ptr[r.len - 1] == '\n')
		r.len--;
	return r;
}

void fffa_http_shape__put_origin(struct fffa_buf *out, const struct fffa_batch_origin *o)
{
	const char *id = o->agent_id[0] ? o->agent_id : "unknown";

	for (; *id; id++) {
		char c = isalnum((unsigned char)*id) || *id == '-' || *id == '.' ? *id : '_';

		fffa_buf_add(out, &c, 1);
	}
	if (o->stream[0]) {
		fffa_buf_text(out, ".");
		fffa_buf_text(out, o->stream);
	}
	fffa_buf_add(out, "-", 1);
	fffa_http_json_number(out, o->epoch);
	fffa_buf_add(out, "-", 1);
}
