// SPDX-License-Identifier: MIT
#include "agent/daemon/schema.h"

#include <errno.h>
#include <stdio.h>

#include "agent/encode/encoder.h"
#include "agent/daemon/registry.h"

static int unknown_format(const char *format, struct fffa_err *err)
{
	char names[96] = "";
	size_t len = 0;

	for (int f = 0; f < FFFA_FORMAT_MAX && len < sizeof(names); f++)
		len += (size_t)snprintf(names + len, sizeof(names) - len, "%s%s", f ? ", " : "",
					fffa_format_name((enum fffa_format)f));
	return fffa_fail(err, EINVAL, "format: \"%s\" is not one; allowed: %s", format, names);
}

static int check_format(const struct fffa_sink_ops *ops, const struct fffa_sink_common_conf *c,
			const void *own, struct fffa_err *err)
{
	struct fffa_encoder *e;
	struct fffa_err why = {""};
	enum fffa_format f;
	int r = fffa_format_parse(c->format, &f);

	if (r)
		return unknown_format(c->format, err);
	if (!(ops->formats & 1u << f))
		return fffa_fail(err, EINVAL, "format: a %s sink does not take format %s",
				 ops->name, c->format);
	if (ops->check_format && ops->check_format(own, f, err))
		return -EINVAL;
	r = fffa_encoder_new(f, c->fields, &e, &why);
	if (r)
		return fffa_fail(err, EINVAL, "fields: %s", why.text);
	r = fffa_encoder_wrap(e, (enum fffa_envelope)c->envelope, &why);
	fffa_encoder_free(e);
	return r ? fffa_fail(err, EINVAL, "envelope: %s", why.text) : 0;
}

void fffa_schema_fill(struct fffa_sink_schema rows[FFFA_SCHEMA_ROWS])
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
