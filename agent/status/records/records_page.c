// SPDX-License-Identifier: MIT
#include "agent/status/records/records_page.h"

#include <errno.h>
#include <poll.h>

#include <microhttpd.h>

#define BLOCK_BYTES 16384
#define TIMEOUT_S   60U /* for a reader that takes nothing */

static void resume(struct fffa_records_page *p)
{
	if (!p->paused)
		return;
	p->paused = false;
	MHD_resume_connection(p->c);
}

static void on_record(void *arg)
{
	struct fffa_records_page *p = arg;

	resume(p);
	p->run(p->arg);
}

static ssize_t read_records(void *arg, uint64_t pos, char *dst, size_t max)
{
	struct fffa_records_page *p = arg;
	size_t n = p->reader ? fffa_records_take(p->reader, dst, max) : 0;

	(void)pos;
	if (n)
		return (ssize_t)n;
	if (p->ending)
		return MHD_CONTENT_READER_END_OF_STREAM;
	p->paused = true;
	MHD_suspend_connection(p->c);
	return 0;
}

int fffa_records_page_open(struct fffa_records_page *p, struct fffa_records *records,
			   struct MHD_Connection *c, struct fffa_filter *filter,
			   void (*run)(void *arg), void *arg, struct fffa_err *err)
{
	*p = (struct fffa_records_page){.records = records, .c = c, .run = run, .arg = arg};
	return fffa_records_join(records, filter, on_record, p, &p->reader, err);
}

int fffa_records_page_queue(struct fffa_records_page *p)
{
	struct MHD_Response *response = MHD_create_response_from_callback(
		MHD_SIZE_UNKNOWN, BLOCK_BYTES, read_records, p, NULL);
	enum MHD_Result queued;

	if (!response)
		return -EIO;
	(void)MHD_set_connection_option(p->c, MHD_CONNECTION_OPTION_TIMEOUT, TIMEOUT_S);
	(void)MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE,
				      "application/x-ndjson");
	(void)MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
	queued = MHD_queue_response(p->c, MHD_HTTP_OK, response);
	MHD_destroy_response(response); /* the connection has its own reference */
	return queued == MHD_YES ? 0 : -EIO;
}

void fffa_records_page_end(struct fffa_records_page *p)
{
	p->ending = true;
	resume(p);
}

bool fffa_records_page_is_gone(const struct fffa_records_page *p)
{
	const union MHD_ConnectionInfo *info;
	struct pollfd fd = {.events = POLLRDHUP};

	if (!p->reader || !p->paused)
		return false;
	info = MHD_get_connection_info(p->c, MHD_CONNECTION_INFO_CONNECTION_FD);
	fd.fd = info ? info->connect_fd : -1;
	return poll(&fd, 1, 0) > 0;
}

void fffa_records_page_close(struct fffa_records_page *p)
{
	if (p->reader)
		fffa_records_leave(p->records, p->reader);
	p->reader = NULL;
}
