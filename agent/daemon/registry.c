// SPDX-License-Identifier: MIT
#include "agent/daemon/registry.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "agent/encode/encoder.h"
#include "sinks/file/file.h"
#include "sinks/http/http.h"
#include "sinks/kafka/kafka.h"

const struct fffa_sink_ops *const fffa_registry[] = {
	&fffa_sink_file_ops,
	&fffa_sink_http_ops,
	&fffa_sink_kafka_ops,
	NULL,
};

const struct fffa_sink_ops *fffa_registry_find(const char *name)
{
	for (size_t i = 0; fffa_registry[i]; i++) {
		if (!strcmp(fffa_registry[i]->name, name))
			return fffa_registry[i];
	}
	return NULL;
}

static int unknown_format(const char *format, struct fffa_err *err)
{
	char names[96] = "";
	size_t len = 0;

	for (int f = 0; f < FFFA_FORMAT_MAX && len < sizeof(names); f++)
		len += (size_t)snprintf(names + len, sizeof(names) - len, "%s%s", f ? ", " : "",
					fffa_format_name((enum fffa_format)f));
	return fffa_fail(err, EINVAL, "format: unknown format \"%s\"; allowed: %s", format, names);
}

static int check_format(const struct fffa_sink_ops *ops, const struct fffa_sink_common_conf *c,
			const void *own, struct fffa_err *err)
{
	struct fffa_encoder *e;
	struct fffa_err why = {""};
	enum fffa_format f;
	int rc = fffa_format_parse(c->format, &f);

	if (rc)
		return unknown_format(c->format, err);
	if (!(ops->formats & 1u << f))
		return fffa_fail(err, EINVAL, "format: a %s sink does not take format %s",
				 ops->name, c->format);
	if (ops->check_format && ops->check_format(own, f, err))
		return -EINVAL;
	rc = fffa_encoder_new(f, c->fields, &e, &why);
	if (rc)
		return fffa_fail(err, EINVAL, "fields: %s", why.text);
	rc = fffa_encoder_wrap(e, (enum fffa_envelope)c->envelope, &why);
	fffa_encoder_free(e);
	return rc ? fffa_fail(err, EINVAL, "envelope: %s", why.text) : 0;
}

void fffa_registry_schema(struct fffa_sink_schema rows[FFFA_REGISTRY_ROWS])
{
	size_t n = 0;

	for (; fffa_registry[n] && n + 1 < FFFA_REGISTRY_ROWS; n++) {
		const struct fffa_sink_ops *ops = fffa_registry[n];

		rows[n] = (struct fffa_sink_schema){.ops = ops,
						    .name = ops->name,
						    .conf_size = ops->conf_size,
						    .opts = ops->opts,
						    .check = ops->check,
						    .check_format = check_format,
						    .output = ops->output};
	}
	rows[n] = (struct fffa_sink_schema){.name = NULL};
}

void fffa_registry_schema_probing(struct fffa_sink_schema rows[FFFA_REGISTRY_ROWS])
{
	fffa_registry_schema(rows);
	for (size_t n = 0; rows[n].name; n++)
		rows[n].probe = rows[n].ops->probe;
}
