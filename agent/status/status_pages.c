// SPDX-License-Identifier: MIT
/* The pages of the listener: what a request asks for, and the answer's headers. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/status/metrics.h"
#include "agent/status/page/page.h"
#include "agent/status/report.h"
#include "agent/status/status_internal.h"

#define BODY_BYTES_MAX (1024 * 1024)

static enum MHD_Result queue_answer(struct MHD_Connection *c, unsigned int code, const char *type,
				    struct fffa_buf *o)
{
	struct MHD_Response *response;
	enum MHD_Result queued;

	if (o->error) {
		fffa_buf_fini(o);
		return MHD_NO; /* drops the connection instead of sending half a page */
	}
	response = MHD_create_response_from_buffer(o->len, o->ptr, MHD_RESPMEM_MUST_FREE);
	if (!response) {
		fffa_buf_fini(o);
		return MHD_NO;
	}
	(void)MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
	(void)MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
	(void)MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
	if (code == MHD_HTTP_METHOD_NOT_ALLOWED)
		(void)MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
	queued = MHD_queue_response(c, code, response);
	MHD_destroy_response(response); /* the connection has its own reference */
	return queued;
}

enum MHD_Result fffa_status__answer_text(struct MHD_Connection *c, unsigned int code,
					 const char *text)
{
	struct fffa_buf o;

	o = (struct fffa_buf){.max = BODY_BYTES_MAX};
	fffa_buf_text(&o, text);
	fffa_buf_text(&o, "\n");
	return queue_answer(c, code, "text/plain; charset=utf-8", &o);
}

const struct fffa_status_view *fffa_status__read_view(struct fffa_status *s)
{
	memset(&s->view, 0, sizeof(s->view));
	s->src.view(s->src.arg, &s->view);
	fffa_process_read(&s->view.process);
	return &s->view;
}

static enum MHD_Result get_metrics(struct fffa_status *s, struct fffa_status_request *q)
{
	struct fffa_buf o;

	o = (struct fffa_buf){.max = BODY_BYTES_MAX};
	fffa_metrics_write(&o, fffa_status__read_view(s));
	return queue_answer(q->c, MHD_HTTP_OK, FFFA_METRICS_CONTENT_TYPE, &o);
}

static enum MHD_Result get_healthz(struct fffa_status *s, struct fffa_status_request *q)
{
	(void)s;
	return fffa_status__answer_text(q->c, MHD_HTTP_OK, "ok");
}

static enum MHD_Result get_readyz(struct fffa_status *s, struct fffa_status_request *q)
{
	const char *why = fffa_status__read_view(s)->not_ready;

	return fffa_status__answer_text(q->c, why ? MHD_HTTP_SERVICE_UNAVAILABLE : MHD_HTTP_OK,
					why ? why : "ready");
}

static enum MHD_Result get_status(struct fffa_status *s, struct fffa_status_request *q)
{
	struct fffa_buf o;

	o = (struct fffa_buf){.max = BODY_BYTES_MAX};
	fffa_report_write(&o, fffa_status__read_view(s));
	return queue_answer(q->c, MHD_HTTP_OK, "application/json", &o);
}

static enum MHD_Result get_page(struct fffa_status *s, struct fffa_status_request *q)
{
	(void)s;
	return fffa_page_queue(q->c) ? MHD_NO : MHD_YES;
}

static enum MHD_Result get_history(struct fffa_status *s, struct fffa_status_request *q)
{
	const char *since = MHD_lookup_connection_value(q->c, MHD_GET_ARGUMENT_KIND, "since");
	struct fffa_buf o = {.max = BODY_BYTES_MAX};
	int64_t since_ms;

	if (fffa_history_parse_since(since, &since_ms))
		return fffa_status__answer_text(q->c, MHD_HTTP_BAD_REQUEST,
						"since: allowed: an uptime in milliseconds");
	fffa_history_write(&o, &s->history, since_ms, fffa_status__read_view(s)->start_ms);
	return queue_answer(q->c, MHD_HTTP_OK, "application/json", &o);
}

/* The page's function is called again when the request goes on. */
static void suspend(struct fffa_status_request *q)
{
	q->suspended = true;
	MHD_suspend_connection(q->c);
}

void fffa_status__resume(struct fffa_status_request *q)
{
	if (!q->suspended)
		return;
	q->suspended = false;
	MHD_resume_connection(q->c);
}

static void on_compiled(void *arg, struct fffa_filter *filter, const struct fffa_err *err)
{
	struct fffa_status_request *q = arg;

	q->compiling = NULL;
	q->compiled = true;
	q->filter = filter;
	if (err && asprintf(&q->refusal, "filter: %s", err->text) < 0)
		q->refusal = NULL;
	if (err && !q->refusal)
		q->compiled = false; /* no memory: it is tried again */
	fffa_status__resume(q);
	q->status->run_soon(q->status);
}

/*
 * The request's argument filter= is compiled first. True when q->filter is ready, or none was
 * asked for; else *queued is what the page returns.
 */
static bool has_filter(struct fffa_status *s, struct fffa_status_request *q,
		       enum MHD_Result *queued)
{
	const char *text = NULL, *refusal = q->refusal;
	struct fffa_err err = {""};
	size_t n = 0;

	(void)MHD_lookup_connection_value_n(q->c, MHD_GET_ARGUMENT_KIND, "filter", strlen("filter"),
					    &text, &n);
	if (text && strlen(text) != n)
		refusal = "filter: it has a byte 0";
	if (refusal) {
		*queued = fffa_status__answer_text(q->c, MHD_HTTP_BAD_REQUEST, refusal);
		return false;
	}
	if (!text || !*text || q->compiled)
		return true;
	if (fffa_filters_compile(&s->filters, text, on_compiled, q, &q->compiling, &err)) {
		*queued = fffa_status__answer_text(q->c, MHD_HTTP_SERVICE_UNAVAILABLE, err.text);
		return false;
	}
	suspend(q);
	*queued = MHD_YES;
	return false;
}

static void on_flows(void *arg)
{
	struct fffa_status_request *q = arg;

	fffa_status__resume(q);
	q->status->run_soon(q->status);
}

/* Fills the question of /flows. False: *wrong says which argument is wrong. */
static bool read_question(struct fffa_status_request *q, const char **wrong)
{
	const char *n = MHD_lookup_connection_value(q->c, MHD_GET_ARGUMENT_KIND, "n");
	const char *sort = MHD_lookup_connection_value(q->c, MHD_GET_ARGUMENT_KIND, "sort");
	const char *filter = MHD_lookup_connection_value(q->c, MHD_GET_ARGUMENT_KIND, "filter");
	struct fffa_flows_question *to = &q->flows.question;

	if (fffa_largest_parse_count(n, &q->flows.n)) {
		*wrong = "n: allowed: a number from 1 to 1000";
		return false;
	}
	if (sort && strcmp(sort, "bytes") && strcmp(sort, "packets")) {
		*wrong = "sort: allowed: bytes, packets";
		return false;
	}
	to->by_packets = sort && !strcmp(sort, "packets");
	(void)snprintf(to->text, sizeof(to->text), "%s", filter ? filter : "");
	return true;
}

static enum MHD_Result get_flows(struct fffa_status *s, struct fffa_status_request *q)
{
	enum MHD_Result queued;
	struct fffa_buf body;
	const char *wrong;

	if (!q->flows.written) {
		if (!read_question(q, &wrong))
			return fffa_status__answer_text(q->c, MHD_HTTP_BAD_REQUEST, wrong);
		if (!has_filter(s, q, &queued))
			return queued;
		q->flows.filter = q->filter;
		q->filter = NULL;
		q->flows.ready = on_flows;
		q->flows.arg = q;
		if (!fffa_flows_page_ask(&s->flows, &q->flows)) {
			suspend(q);
			return MHD_YES;
		}
	}
	body = q->flows.body;
	q->flows.body = (struct fffa_buf){.max = 0}; /* the answer frees it */
	return queue_answer(q->c, MHD_HTTP_OK, "application/json", &body);
}

/*
 * The library does not watch an answer that waits for a record. So a client that went away while
 * nothing passed its filter keeps a place, until another one needs it.
 */
static void drop_gone_readers(struct fffa_status *s)
{
	struct fffa_status_request *q;

	TAILQ_FOREACH(q, &s->requests, link)
	{
		if (!fffa_records_page_is_gone(&q->records))
			continue;
		fffa_records_page_end(&q->records);
		fffa_records_page_close(&q->records);
		s->run_soon(s);
	}
}

bool fffa_status__end_shut_readers(struct fffa_status *s)
{
	struct fffa_status_request *q;
	bool found = false;

	TAILQ_FOREACH(q, &s->requests, link)
	{
		const union MHD_ConnectionInfo *info =
			MHD_get_connection_info(q->c, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

		if (!q->records.reader || !info || !fffa_clients_is_shut(info->socket_context))
			continue;
		fffa_records_page_end(&q->records);
		fffa_records_page_close(&q->records);
		found = true;
	}
	return found;
}

/* Those who have gone give their places first, then the client that has the most. */
static void make_room_for_reader(struct fffa_status *s, struct fffa_client *client)
{
	if (s->records.count == FFFA_RECORDS_READERS_MAX)
		drop_gone_readers(s);
	if (s->records.count == FFFA_RECORDS_READERS_MAX &&
	    fffa_clients_yield_stream(&s->clients, client))
		(void)fffa_status__end_shut_readers(s);
}

static enum MHD_Result get_records(struct fffa_status *s, struct fffa_status_request *q)
{
	struct fffa_buf nothing = {.max = 0};
	const union MHD_ConnectionInfo *info;
	struct fffa_err err = {""};
	enum MHD_Result queued;

	if (!has_filter(s, q, &queued))
		return queued;
	if (q->head) /* to one without a length the library would send a last chunk, which is a body */
		return queue_answer(q->c, MHD_HTTP_OK, "application/x-ndjson", &nothing);
	info = MHD_get_connection_info(q->c, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	make_room_for_reader(s, info ? info->socket_context : NULL);
	if (fffa_records_page_open(&q->records, &s->records, q->c, q->filter, s->run_soon, s, &err))
		return fffa_status__answer_text(q->c, MHD_HTTP_SERVICE_UNAVAILABLE, err.text);
	q->filter = NULL;
	if (info)
		fffa_clients_stream(&s->clients, info->socket_context);
	return fffa_records_page_queue(&q->records) ? MHD_NO : MHD_YES;
}

static const struct {
	const char *path;
	enum MHD_Result (*get)(struct fffa_status *s, struct fffa_status_request *q);
} pages[] = {
	{"/", get_page},	 {"/metrics", get_metrics}, {"/healthz", get_healthz},
	{"/readyz", get_readyz}, {"/status", get_status},   {"/history", get_history},
	{"/flows", get_flows},	 {"/records", get_records},
};

enum MHD_Result fffa_status__answer(struct fffa_status_request *q, const char *url)
{
	for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++) {
		if (!strcmp(url, pages[i].path))
			return pages[i].get(q->status, q);
	}
	return fffa_status__answer_text(
		q->c, MHD_HTTP_NOT_FOUND,
		"not found; the pages are / /metrics /healthz /readyz /status /history "
		"/flows?n=50&sort=bytes&filter=EXPR /records?filter=EXPR");
}

struct fffa_status_request *fffa_status__begin_request(struct fffa_status *s,
						       struct MHD_Connection *c)
{
	struct fffa_status_request *q = calloc(1, sizeof(*q));

	if (!q)
		return NULL;
	q->c = c;
	q->status = s;
	TAILQ_INSERT_TAIL(&s->requests, q, link);
	return q;
}

void fffa_status__end_request(struct fffa_status_request *q)
{
	TAILQ_REMOVE(&q->status->requests, q, link);
	fffa_filters_give_up(q->compiling);
	fffa_filter_free(q->filter);
	fffa_flows_page_drop(&q->status->flows, &q->flows);
	fffa_records_page_close(&q->records);
	free(q->refusal);
	free(q);
}
