// SPDX-License-Identifier: MIT
#include "sinks/http/shape/http_shape.h"

#include "agent/base/format.h"

#define TEXT_OR_JSON                                                                               \
	(1u << FFFA_FORMAT_VPC | 1u << FFFA_FORMAT_FLOWLOG | 1u << FFFA_FORMAT_JSON |              \
	 1u << FFFA_FORMAT_OCSF | 1u << FFFA_FORMAT_ECS)
#define BEARER "Authorization: Bearer "
#define KIB    ((size_t)1024)

/* The comment of each writer names the product's documentation. */
static const struct fffa_http_shape shapes[] = {
	[FFFA_HTTP_PLAIN] = {.name = "plain", .token = BEARER, .formats = ~0u, .takes_zstd = true},
	[FFFA_HTTP_SPLUNK_HEC] = {.name = "splunk_hec",
				  .path = "/services/collector/event",
				  .content_type = "application/json",
				  .token = "Authorization: Splunk ",
				  .formats = TEXT_OR_JSON,
				  .reply_max = 4 * KIB,
				  .write = fffa_http_shape__write_splunk,
				  .refine = fffa_http_shape__refine_splunk},
	[FFFA_HTTP_ELASTICSEARCH] =
		{.name = "elasticsearch",
		 .path = "/_bulk",
		 .query = "filter_path=errors,items.*.status,items.*.error.type,error,status",
		 .content_type = "application/x-ndjson",
		 .token = BEARER,
		 .formats = TEXT_OR_JSON,
		 .records_max = 5000, /* the size of the answer grows with them */
		 .reply_max = 512 * KIB,
		 .needs_body = true,
		 .write = fffa_http_shape__write_elasticsearch,
		 .judge = fffa_http_shape__judge_bulk,
		 .refine = fffa_http_shape__refine_elasticsearch},
	[FFFA_HTTP_OTLP] = {.name = "otlp",
			    .path = "/v1/logs",
			    .content_type = "application/json",
			    .token = BEARER,
			    .formats = TEXT_OR_JSON,
			    .reply_max = 64 * KIB,
			    .takes_zstd = true,
			    .write = fffa_http_shape__write_otlp,
			    .judge = fffa_http_shape__judge_otlp},
	[FFFA_HTTP_LOKI] = {.name = "loki",
			    .path = "/loki/api/v1/push",
			    .content_type = "application/json",
			    .token = BEARER,
			    .formats = TEXT_OR_JSON,
			    .write = fffa_http_shape__write_loki},
	[FFFA_HTTP_DATADOG] = {.name = "datadog",
			       .path = "/api/v2/logs",
			       .content_type = "application/json",
			       .token = "DD-API-KEY: ",
			       .formats = TEXT_OR_JSON,
			       .records_max = 1000,
			       .bytes_max = 5000000,
			       .write = fffa_http_shape__write_datadog},
};

const struct fffa_http_shape *fffa_http_shape_find(int id)
{
	return &shapes[id];
}
