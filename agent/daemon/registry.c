// SPDX-License-Identifier: MIT
#include "agent/daemon/registry.h"

#include <string.h>

#include "sinks/file/file.h"
#include "sinks/http/http.h"
#include "sinks/kafka/kafka.h"

const struct fffa_sink_ops *const fffa_sink_registry[] = {
	&fffa_sink_file_ops,
	&fffa_sink_http_ops,
	&fffa_sink_kafka_ops,
	NULL,
};

const struct fffa_sink_ops *fffa_sink_find(const char *name)
{
	for (size_t i = 0; fffa_sink_registry[i]; i++) {
		if (!strcmp(fffa_sink_registry[i]->name, name))
			return fffa_sink_registry[i];
	}
	return NULL;
}
