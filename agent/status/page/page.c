// SPDX-License-Identifier: MIT
#include "agent/status/page/page.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include <microhttpd.h>

#include "page_data.h"

/*
 * Only the style and the script of the page itself run, and they reach only this listener. A text
 * that got into the page as markup could neither run nor load anything.
 */
#define POLICY                                                                                     \
	"default-src 'none'; script-src " PAGE_SCRIPT_HASH "; style-src " PAGE_STYLE_HASH          \
	"; img-src data:; connect-src 'self'; base-uri 'none'; form-action 'none'; "               \
	"frame-ancestors 'none'; require-trusted-types-for 'script'"

static const struct {
	const char *name, *value;
} headers[] = {
	{MHD_HTTP_HEADER_CONTENT_TYPE, "text/html; charset=utf-8"},
	{MHD_HTTP_HEADER_CACHE_CONTROL, "no-cache"},
	{MHD_HTTP_HEADER_ETAG, PAGE_ETAG},
	{"Content-Security-Policy", POLICY},
	{"Cross-Origin-Opener-Policy", "same-origin"},
	{"Cross-Origin-Resource-Policy", "same-origin"},
	{"Referrer-Policy", "no-referrer"},
	{"X-Content-Type-Options", "nosniff"},
};

/* RFC 9110 13.1.2: a list of tags, of which a proxy may have made weak ones, or "*". */
static bool has_page(struct MHD_Connection *c)
{
	const char *tags =
		MHD_lookup_connection_value(c, MHD_HEADER_KIND, MHD_HTTP_HEADER_IF_NONE_MATCH);

	return tags && (!strcmp(tags, "*") || strstr(tags, PAGE_ETAG));
}

int fffa_page_queue(struct MHD_Connection *c)
{
	bool known = has_page(c);
	struct MHD_Response *response = MHD_create_response_from_buffer(
		known ? 0 : sizeof(page_bytes), (void *)(uintptr_t)page_bytes,
		MHD_RESPMEM_PERSISTENT);
	enum MHD_Result queued;

	if (!response)
		return -EIO;
	for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++)
		(void)MHD_add_response_header(response, headers[i].name, headers[i].value);
	queued = MHD_queue_response(c, known ? MHD_HTTP_NOT_MODIFIED : MHD_HTTP_OK, response);
	MHD_destroy_response(response); /* the connection has its own reference */
	return queued == MHD_YES ? 0 : -EIO;
}
