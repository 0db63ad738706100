// SPDX-License-Identifier: MIT
/* The registry of sinks as the configuration reader wants it: it must not include the sinks itself.
 */
#include <errno.h>

#include "agent/cli.h"
#include "agent/encode/encoder.h"
#include "sinks/sink.h"

static int check_format(const struct fffa_sink_ops *ops, const char *format, const char *fields,
			struct fffa_err *err)
{
	struct fffa_encoder *e;
	struct fffa_err why = {""};
	enum fffa_format f;
	int r = fffa_format_parse(format, &f);

	if (r)
		return fffa_fail(err, EINVAL,
				 "format: \"%s\" is not one; allowed: vpc, flowlog, json", format);
	if (!(ops->formats & 1u << f))
		return fffa_fail(err, EINVAL, "format: a %s sink does not take format %s",
				 ops->name, format);
	r = fffa_encoder_new(f, fields, &e, &why);
	if (r)
		return fffa_fail(err, EINVAL, "fields: %s", why.text);
	fffa_encoder_free(e);
	return 0;
}

void fffa_cli_schema(struct fffa_sink_schema rows[FFFA_SCHEMA_ROWS])
{
	size_t n = 0;

	for (; fffa_sink_registry[n] && n + 1 < FFFA_SCHEMA_ROWS; n++) {
		const struct fffa_sink_ops *ops = fffa_sink_registry[n];

		rows[n] = (struct fffa_sink_schema){.ops = ops,
						    .name = ops->name,
						    .conf_size = ops->conf_size,
						    .opts = ops->opts,
						    .check = ops->check,
						    .check_format = check_format};
	}
	rows[n] = (struct fffa_sink_schema){.name = NULL};
}
