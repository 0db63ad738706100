// SPDX-License-Identifier: MIT
/*
 * Runs libmicrohttpd on the loop: the loop polls its epoll descriptor and keeps its time-out with a
 * timer. The contents of the pages are in metrics.c, report.c and largest.c.
 */
#include "agent/status/status.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <microhttpd.h>

#include "agent/base/assert.h"
#include "agent/base/clock.h"
#include "agent/base/log.h"
#include "agent/status/clients.h"
#include "agent/status/host_header.h"
#include "agent/status/largest.h"
#include "agent/status/listener.h"
#include "agent/status/metrics.h"
#include "agent/status/records/records_page.h"
#include "agent/status/report.h"

#define TAG		     "status"
#define CONNECTIONS_MAX	     32
#define CONNECTION_BYTES     16384 /* for the request line and the headers of both sides */
#define CONNECTION_TIMEOUT_S 5
#define HOST_NAME_BYTES	     256
#define BODY_BYTES_MAX	     (1024 * 1024)
#define FLOWS_PER_TURN	     32768
#define LARGEST_FRESH_NS     (FFFA_NS_PER_S / 4) /* between two walks of the flow table */

/* One request, from its headers to its answer. */
struct request {
	struct MHD_Connection *c;
	/* For /flows, while the flow table is walked: */
	size_t n;
	bool owed; /* the walk has ended, the answer is not queued yet */
	struct request *next;
	/* For /records: */
	struct fffa_records_page page;
};

struct fffa_status {
	uv_loop_t *loop;
	struct fffa_status_source src;
	struct fffa_listener listener;
	const char *listen;
	char own[HOST_NAME_BYTES]; /* the host's name */
	struct fffa_clients clients;
	struct MHD_Daemon *daemon;
	uv_poll_t poll;
	uv_timer_t timer;
	uv_timer_t expiry; /* of slow clients */
	uv_idle_t walk;
	int handles; /* that are open */
	bool full;   /* after the last run there was no room for a connection */
	struct request *waiters;
	struct request *streams; /* of records */
	struct fffa_records records;
	size_t owed; /* requests that still need `largest` */
	uint32_t walk_at;
	uint64_t walked_ns; /* when `largest` was filled; 0: never */
	int64_t walked_ms;  /* the same instant, Unix */
	struct fffa_largest largest;
	struct fffa_status_view view; /* for the request that is being answered */
};

static void run_library(struct fffa_status *s);

static void on_expiry(uv_timer_t *t)
{
	struct fffa_status *s = t->data;
	uint64_t again_ms = fffa_clients_expire(&s->clients, uv_now(s->loop));

	if (again_ms)
		(void)uv_timer_start(t, on_expiry, again_ms, 0);
	run_library(s);
}

/* The library has accepted or closed a connection. */
static void on_connection(void *arg, struct MHD_Connection *c, void **socket_context,
			  enum MHD_ConnectionNotificationCode what)
{
	const union MHD_ConnectionInfo *fd, *addr;
	struct fffa_status *s = arg;

	if (what == MHD_CONNECTION_NOTIFY_CLOSED) {
		fffa_clients_remove(&s->clients, *socket_context);
		*socket_context = NULL;
		return;
	}
	fd = MHD_get_connection_info(c, MHD_CONNECTION_INFO_CONNECTION_FD);
	addr = MHD_get_connection_info(c, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	if (!fd)
		return;
	*socket_context = fffa_clients_add(&s->clients, fd->connect_fd,
					   addr ? addr->client_addr : NULL, uv_now(s->loop));
	if (!uv_is_active((uv_handle_t *)&s->expiry))
		(void)uv_timer_start(&s->expiry, on_expiry, FFFA_CLIENTS_REQUEST_MS, 0);
}

static void note_answered(struct fffa_status *s, struct MHD_Connection *c)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(c, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

	if (info)
		fffa_clients_answered(&s->clients, info->socket_context, uv_now(s->loop));
}

static void on_timer(uv_timer_t *t)
{
	run_library(t->data);
}

static void on_poll(uv_poll_t *p, int status, int events)
{
	(void)status;
	(void)events;
	run_library(p->data);
}

static bool is_full(const struct fffa_status *s)
{
	const union MHD_DaemonInfo *info =
		MHD_get_daemon_info(s->daemon, MHD_DAEMON_INFO_CURRENT_CONNECTIONS);

	return info && info->num_connections >= CONNECTIONS_MAX;
}

/* Lets the library do what is due, then starts the timer for its next time-out. */
static void run_library(struct fffa_status *s)
{
	bool was_full = s->full;
	MHD_UNSIGNED_LONG_LONG ms;

	(void)MHD_run(s->daemon); /* fails only when epoll is broken; nothing can be done then */
	s->full = is_full(s);
	(void)uv_timer_stop(&s->timer);
	/*
	 * While it is full, the library does not watch the listening socket. It watches it again in
	 * the next run, but asks for no run.
	 */
	if (was_full && !s->full)
		(void)uv_timer_start(&s->timer, on_timer, 0, 0);
	else if (MHD_get_timeout(s->daemon, &ms) == MHD_YES)
		(void)uv_timer_start(&s->timer, on_timer, ms, 0);
}

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
	if (code == MHD_HTTP_METHOD_NOT_ALLOWED)
		(void)MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
	queued = MHD_queue_response(c, code, response);
	MHD_destroy_response(response); /* the connection has its own reference */
	return queued;
}

static enum MHD_Result answer_text(struct MHD_Connection *c, unsigned int code, const char *text)
{
	struct fffa_buf o;

	o = (struct fffa_buf){.max = BODY_BYTES_MAX};
	fffa_buf_text(&o, text);
	fffa_buf_text(&o, "\n");
	return queue_answer(c, code, "text/plain; charset=utf-8", &o);
}

static const struct fffa_status_view *read_view(struct fffa_status *s)
{
	memset(&s->view, 0, sizeof(s->view));
	s->src.view(s->src.arg, &s->view);
	fffa_process_read(&s->view.process);
	return &s->view;
}

static enum MHD_Result get_metrics(struct fffa_status *s, struct request *q)
{
	struct fffa_buf o;

	o = (struct fffa_buf){.max = BODY_BYTES_MAX};
	fffa_metrics_write(&o, read_view(s));
	return queue_answer(q->c, MHD_HTTP_OK, FFFA_METRICS_CONTENT_TYPE, &o);
}

static enum MHD_Result get_healthz(struct fffa_status *s, struct request *q)
{
	(void)s;
	return answer_text(q->c, MHD_HTTP_OK, "ok");
}

static enum MHD_Result get_readyz(struct fffa_status *s, struct request *q)
{
	const char *why = read_view(s)->not_ready;

	return answer_text(q->c, why ? MHD_HTTP_SERVICE_UNAVAILABLE : MHD_HTTP_OK,
			   why ? why : "ready");
}

static enum MHD_Result get_status(struct fffa_status *s, struct request *q)
{
	struct fffa_buf o;

	o = (struct fffa_buf){.max = BODY_BYTES_MAX};
	fffa_report_write(&o, read_view(s));
	return queue_answer(q->c, MHD_HTTP_OK, "application/json", &o);
}

static enum MHD_Result answer_flows(struct fffa_status *s, struct request *q)
{
	const struct fffa_status_view *v = read_view(s);
	struct fffa_buf o;

	o = (struct fffa_buf){.max = BODY_BYTES_MAX};
	fffa_largest_write(&o, &s->largest, q->n, s->walked_ms, v->flows_active, v->interfaces);
	return queue_answer(q->c, MHD_HTTP_OK, "application/json", &o);
}

static void on_window(void *arg, const struct fffa_flow_window *w)
{
	fffa_largest_add(arg, w);
}

static void wake_waiters(struct fffa_status *s)
{
	struct request *q;

	while ((q = s->waiters)) {
		s->waiters = q->next;
		q->owed = true;
		s->owed++;
		MHD_resume_connection(q->c);
	}
}

/*
 * Reads a slice of the flow table each turn. After the last slice, the waiting requests
 * are answered.
 */
static void on_walk(uv_idle_t *h)
{
	struct fffa_status *s = h->data;
	const struct fffa_flow_table *t = s->src.flows(s->src.arg);

	if (t)
		s->walk_at = fffa_flow_walk(t, s->walk_at, FLOWS_PER_TURN, &s->largest.min_bytes,
					    on_window, &s->largest);
	if (t && s->walk_at)
		return;
	(void)uv_idle_stop(h);
	fffa_largest_sort(&s->largest);
	s->walked_ns = fffa_clock_mono_ns(&fffa_clock_system);
	s->walked_ms = (int64_t)(fffa_clock_unix_ns(&fffa_clock_system) / FFFA_NS_PER_MS);
	wake_waiters(s);
	run_library(s);
}

/* True when `largest` is recent enough to answer with. */
static bool is_fresh(const struct fffa_status *s)
{
	if (uv_is_active((const uv_handle_t *)&s->walk))
		return false;
	if (s->owed)
		return true;
	return s->walked_ns &&
	       fffa_clock_mono_ns(&fffa_clock_system) - s->walked_ns < LARGEST_FRESH_NS;
}

static void start_walk(struct fffa_status *s)
{
	if (uv_is_active((uv_handle_t *)&s->walk))
		return;
	s->largest.n = 0;
	s->largest.min_bytes = 0;
	s->walk_at = 0;
	(void)uv_idle_start(&s->walk, on_walk);
}

static enum MHD_Result get_flows(struct fffa_status *s, struct request *q)
{
	const char *n = MHD_lookup_connection_value(q->c, MHD_GET_ARGUMENT_KIND, "n");

	if (fffa_largest_parse_count(n, &q->n))
		return answer_text(q->c, MHD_HTTP_BAD_REQUEST,
				   "n: allowed: a number from 1 to 1000");
	if (q->owed || is_fresh(s))
		return answer_flows(s, q);
	start_walk(s);
	q->next = s->waiters;
	s->waiters = q;
	MHD_suspend_connection(q->c); /* wake_waiters resumes it after the walk */
	return MHD_YES;
}

/* There are records: the library runs in the next turn. */
static void on_records(void *arg)
{
	struct fffa_status *s = arg;

	(void)uv_timer_start(&s->timer, on_timer, 0, 0);
}

static enum MHD_Result get_records(struct fffa_status *s, struct request *q)
{
	const char *filter = MHD_lookup_connection_value(q->c, MHD_GET_ARGUMENT_KIND, "filter");
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(q->c, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	struct fffa_err err = {"no memory"};
	int rc = fffa_records_page_open(&q->page, &s->records, q->c, filter, on_records, s, &err);

	if (rc == -EINVAL)
		return answer_text(q->c, MHD_HTTP_BAD_REQUEST, err.text);
	if (rc)
		return answer_text(q->c, MHD_HTTP_SERVICE_UNAVAILABLE, err.text);
	q->next = s->streams;
	s->streams = q;
	if (info)
		fffa_clients_stream(&s->clients, info->socket_context);
	return fffa_records_page_queue(&q->page) ? MHD_NO : MHD_YES;
}

static const struct {
	const char *path;
	enum MHD_Result (*get)(struct fffa_status *s, struct request *q);
} pages[] = {
	{"/metrics", get_metrics}, {"/healthz", get_healthz}, {"/readyz", get_readyz},
	{"/status", get_status},   {"/flows", get_flows},     {"/records", get_records},
};

static bool has_body(struct MHD_Connection *c)
{
	const char *len =
		MHD_lookup_connection_value(c, MHD_HEADER_KIND, MHD_HTTP_HEADER_CONTENT_LENGTH);

	return (len && strcmp(len, "0")) ||
	       MHD_lookup_connection_value(c, MHD_HEADER_KIND, MHD_HTTP_HEADER_TRANSFER_ENCODING);
}

/* The headers have arrived. An answer at this point also ends the connection. */
static enum MHD_Result begin_request(struct MHD_Connection *c, const char *method, void **ctx)
{
	struct request *q;

	if (strcmp(method, MHD_HTTP_METHOD_GET) && strcmp(method, MHD_HTTP_METHOD_HEAD))
		return answer_text(c, MHD_HTTP_METHOD_NOT_ALLOWED, "allowed: GET, HEAD");
	if (has_body(c))
		return answer_text(c, MHD_HTTP_BAD_REQUEST, "a request must have no body");
	q = calloc(1, sizeof(*q));
	if (!q)
		return MHD_NO;
	q->c = c;
	*ctx = q;
	return MHD_YES;
}

static bool is_for_us(const struct fffa_status *s, struct MHD_Connection *c)
{
	const char *host = MHD_lookup_connection_value(c, MHD_HEADER_KIND, MHD_HTTP_HEADER_HOST);

	return fffa_host_header_fits(s->listen, s->own, host);
}

static enum MHD_Result on_request(void *arg, struct MHD_Connection *c, const char *url,
				  const char *method, const char *version, const char *data,
				  size_t *data_len, void **ctx)
{
	(void)version;
	(void)data;
	*data_len = 0; /* there is none: begin_request refuses a body */
	if (!*ctx && !is_for_us(arg, c))
		return answer_text(c, MHD_HTTP_MISDIRECTED_REQUEST,
				   "the Host header does not name this listener (status.listen)");
	if (!*ctx)
		return begin_request(c, method, ctx);
	for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++) {
		if (!strcmp(url, pages[i].path))
			return pages[i].get(arg, *ctx);
	}
	return answer_text(c, MHD_HTTP_NOT_FOUND,
			   "not found; the pages are /metrics /healthz /readyz /status /flows?n=50 "
			   "/records?filter=EXPR");
}

static void unlink_request(struct request **list, const struct request *q)
{
	for (; *list; list = &(*list)->next) {
		if (*list == q) {
			*list = q->next;
			break;
		}
	}
}

static void on_completed(void *arg, struct MHD_Connection *c, void **ctx,
			 enum MHD_RequestTerminationCode why)
{
	struct fffa_status *s = arg;
	struct request *q = *ctx;

	(void)why;
	note_answered(s, c);
	if (!q)
		return;
	if (q->owed) {
		FFFA_ASSERT(s->owed);
		s->owed--;
	}
	unlink_request(q->page.reader ? &s->streams : &s->waiters, q);
	fffa_records_page_close(&q->page);
	free(q);
	*ctx = NULL;
}

static void on_log(void *arg, const char *fmt, va_list ap)
{
	char text[256];

	(void)arg;
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	text[strcspn(text, "\r\n")] = '\0';
	fffa_debug(TAG, "%s", text);
}

static int start_daemon(struct fffa_status *s)
{
	unsigned int flags = MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG;
	struct MHD_OptionItem options[] = {
		/* The first option, because the others may log. */
		{MHD_OPTION_EXTERNAL_LOGGER, (intptr_t)on_log, NULL},
		{MHD_OPTION_LISTEN_SOCKET, s->listener.fd, NULL},
		{MHD_OPTION_CONNECTION_LIMIT, CONNECTIONS_MAX, NULL},
		{MHD_OPTION_CONNECTION_MEMORY_LIMIT, CONNECTION_BYTES, NULL},
		{MHD_OPTION_CONNECTION_TIMEOUT, CONNECTION_TIMEOUT_S, NULL},
		{MHD_OPTION_NOTIFY_COMPLETED, (intptr_t)on_completed, s},
		{MHD_OPTION_NOTIFY_CONNECTION, (intptr_t)on_connection, s},
		{MHD_OPTION_END, 0, NULL},
	};

	s->daemon = MHD_start_daemon(flags, 0, NULL, NULL, on_request, s, MHD_OPTION_ARRAY, options,
				     MHD_OPTION_END);
	if (!s->daemon)
		return -ENOMEM;
	s->listener.fd = -1; /* the library closes it */
	return 0;
}

static int start_handles(struct fffa_status *s)
{
	const union MHD_DaemonInfo *info = MHD_get_daemon_info(s->daemon, MHD_DAEMON_INFO_EPOLL_FD);
	int rc = info ? uv_poll_init(s->loop, &s->poll, info->epoll_fd) : -EIO;

	if (rc)
		return rc;
	(void)uv_timer_init(s->loop, &s->timer);
	(void)uv_timer_init(s->loop, &s->expiry);
	(void)uv_idle_init(s->loop, &s->walk);
	s->handles = 4;
	s->poll.data = s->timer.data = s->expiry.data = s->walk.data = s;
	uv_unref((uv_handle_t *)&s->expiry);
	uv_unref((uv_handle_t *)&s->poll);
	uv_unref((uv_handle_t *)&s->timer);
	rc = uv_poll_start(&s->poll, UV_READABLE, on_poll);
	if (!rc)
		run_library(s);
	return rc;
}

int fffa_status_open(uv_loop_t *loop, const char *listen, const struct fffa_status_source *src,
		     struct fffa_status **out, struct fffa_err *err)
{
	struct fffa_status *s = calloc(1, sizeof(*s));
	int rc;

	if (!s)
		return fffa_fail(err, ENOMEM, "no memory for the status listener");
	s->loop = loop;
	s->src = *src;
	s->listen = listen;
	if (gethostname(s->own, sizeof(s->own)))
		s->own[0] = '\0';
	s->own[sizeof(s->own) - 1] = '\0';
	fffa_clients_init(&s->clients, CONNECTIONS_MAX);
	rc = fffa_listener_open(&s->listener, listen, err);
	if (rc) {
		free(s);
		return rc;
	}
	rc = start_daemon(s);
	if (!rc)
		rc = start_handles(s);
	if (rc) {
		fffa_status_close(s);
		return fffa_fail(err, -rc, "status.listen: cannot start the listener at %s: %s",
				 listen, strerror(-rc));
	}
	fffa_info(TAG, "listening address=%s", listen);
	*out = s;
	return 0;
}

static void on_closed(uv_handle_t *h)
{
	struct fffa_status *s = h->data;

	if (!--s->handles)
		free(s);
}

void fffa_status_close(struct fffa_status *s)
{
	if (!s)
		return;
	wake_waiters(s); /* the library must not be stopped with suspended connections */
	for (struct request *q = s->streams; q; q = q->next)
		fffa_records_page_end(&q->page);
	/* Stop polling before the library closes its descriptor. */
	if (s->handles) {
		uv_close((uv_handle_t *)&s->poll, on_closed);
		uv_close((uv_handle_t *)&s->timer, on_closed);
		uv_close((uv_handle_t *)&s->expiry, on_closed);
		uv_close((uv_handle_t *)&s->walk, on_closed);
	}
	if (s->daemon)
		MHD_stop_daemon(s->daemon);
	fffa_records_fini(&s->records);
	fffa_listener_close(&s->listener);
	if (!s->handles)
		free(s);
}

void fffa_status_record(struct fffa_status *s, const struct fffa_record *r)
{
	if (s && s->records.count)
		fffa_records_add(&s->records, r);
}

const char *fffa_status_library(void)
{
	return MHD_get_version();
}
