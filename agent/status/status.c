// SPDX-License-Identifier: MIT
/*
 * Runs libmicrohttpd on the loop: the loop polls its epoll descriptor and keeps its time-out with a
 * timer. status_pages.c answers the requests.
 */
#include "agent/status/status.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <microhttpd.h>

#include "agent/base/log.h"
#include "agent/loop/worker.h"
#include "agent/status/status_internal.h"

#define TAG		     "status"
#define CONNECTIONS_MAX	     32
#define CONNECTION_BYTES     16384 /* for the request line and the headers of both sides */
#define CONNECTION_TIMEOUT_S 5

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
	const union MHD_ConnectionInfo *info;
	struct fffa_status *s = arg;
	int fd;

	if (what == MHD_CONNECTION_NOTIFY_CLOSED) {
		fffa_clients_remove(&s->clients, *socket_context);
		*socket_context = NULL;
		return;
	}
	info = MHD_get_connection_info(c, MHD_CONNECTION_INFO_CONNECTION_FD);
	if (!info)
		return;
	fd = info->connect_fd; /* since libmicrohttpd 1.0 the next answer takes the place of this one */
	info = MHD_get_connection_info(c, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	*socket_context =
		fffa_clients_add(&s->clients, fd, info ? info->client_addr : NULL, uv_now(s->loop));
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
	bool was_full = s->full, resumed;
	MHD_UNSIGNED_LONG_LONG ms;

	(void)MHD_run(s->daemon); /* fails only when epoll is broken; nothing can be done then */
	resumed = fffa_status__end_shut_readers(s);
	s->full = is_full(s);
	(void)uv_timer_stop(&s->timer);
	/*
	 * While it is full, the library does not watch the listening socket. It watches it again in
	 * the next run, but asks for no run.
	 */
	if (resumed || (was_full && !s->full))
		(void)uv_timer_start(&s->timer, on_timer, 0, 0);
	else if (MHD_get_timeout(s->daemon, &ms) == MHD_YES)
		(void)uv_timer_start(&s->timer, on_timer, ms, 0);
}

static bool has_body(struct MHD_Connection *c)
{
	const char *len =
		MHD_lookup_connection_value(c, MHD_HEADER_KIND, MHD_HTTP_HEADER_CONTENT_LENGTH);

	return (len && strcmp(len, "0")) ||
	       MHD_lookup_connection_value(c, MHD_HEADER_KIND, MHD_HTTP_HEADER_TRANSFER_ENCODING);
}

/* The headers have arrived. An answer at this point also ends the connection. */
static enum MHD_Result begin_request(struct fffa_status *s, struct MHD_Connection *c,
				     const char *method, void **ctx)
{
	struct fffa_status_request *q;

	if (strcmp(method, MHD_HTTP_METHOD_GET) && strcmp(method, MHD_HTTP_METHOD_HEAD))
		return fffa_status__answer_text(c, MHD_HTTP_METHOD_NOT_ALLOWED,
						"allowed: GET, HEAD");
	if (has_body(c))
		return fffa_status__answer_text(c, MHD_HTTP_BAD_REQUEST,
						"a request must have no body");
	q = fffa_status__begin_request(s, c);
	if (!q)
		return MHD_NO;
	q->head = !strcmp(method, MHD_HTTP_METHOD_HEAD);
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
		return fffa_status__answer_text(
			c, MHD_HTTP_MISDIRECTED_REQUEST,
			"the Host header does not name this listener (status.listen)");
	if (!*ctx)
		return begin_request(arg, c, method, ctx);
	return fffa_status__answer(*ctx, url);
}

static void on_completed(void *arg, struct MHD_Connection *c, void **ctx,
			 enum MHD_RequestTerminationCode why)
{
	struct fffa_status *s = arg;
	struct fffa_status_request *q = *ctx;

	(void)why;
	note_answered(s, c);
	if (!q)
		return;
	fffa_status__end_request(q);
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

static void on_sample(uv_timer_t *t)
{
	struct fffa_status *s = t->data;

	fffa_history_add(&s->history, fffa_status__read_view(s));
}

/* The library goes on with what was resumed in the next turn. */
static void run_soon(void *arg)
{
	struct fffa_status *s = arg;

	(void)uv_timer_start(&s->timer, on_timer, 0, 0);
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
	(void)uv_timer_init(s->loop, &s->sample);
	fffa_flows_page_init(&s->flows, s->loop, &s->src);
	s->handles = 5;
	s->poll.data = s->timer.data = s->expiry.data = s->sample.data = s;
	uv_unref((uv_handle_t *)&s->expiry);
	uv_unref((uv_handle_t *)&s->sample);
	uv_unref((uv_handle_t *)&s->poll);
	uv_unref((uv_handle_t *)&s->timer);
	(void)uv_timer_start(&s->sample, on_sample, 0, FFFA_HISTORY_STEP_MS);
	rc = uv_poll_start(&s->poll, UV_READABLE, on_poll);
	if (!rc)
		run_library(s);
	return rc;
}

static void work_remove(void *arg)
{
	struct fffa_status *s = arg;

	fffa_listener_close(&s->listener);
}

static void on_removed(void *arg);

/* The thread that will remove the unix socket exists from the start: at the end none may be had. */
static int open_remover(struct fffa_status *s)
{
	s->removal = (struct fffa_worker_job){.work = work_remove, .done = on_removed, .arg = s};
	return s->listener.path[0] ? fffa_worker_open(s->loop, "status", &s->remover) : 0;
}

int fffa_status_open(uv_loop_t *loop, const char *listen, struct fffa_listener *l,
		     const struct fffa_status_source *src, struct fffa_status **out,
		     struct fffa_err *err)
{
	struct fffa_status *s = calloc(1, sizeof(*s));
	int rc;

	if (!s) {
		fffa_listener_close(l);
		return fffa_fail(err, ENOMEM, "no memory for the status listener");
	}
	s->listener = *l;
	s->loop = loop;
	s->src = *src;
	s->listen = listen;
	s->run_soon = run_soon;
	s->filters.loop = loop;
	TAILQ_INIT(&s->requests);
	if (gethostname(s->own, sizeof(s->own)))
		s->own[0] = '\0';
	s->own[sizeof(s->own) - 1] = '\0';
	fffa_clients_init(&s->clients, CONNECTIONS_MAX);
	rc = open_remover(s);
	if (!rc)
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

static void on_flows_closed(void *arg)
{
	struct fffa_status *s = arg;

	if (!--s->handles)
		free(s);
}

static void on_closed(uv_handle_t *h)
{
	on_flows_closed(h->data);
}

static void on_removed(void *arg)
{
	struct fffa_status *s = arg;

	fffa_worker_close(s->remover, on_flows_closed, s);
}

/* The library must not be stopped with suspended connections. */
static void end_requests(struct fffa_status *s)
{
	struct fffa_status_request *q;

	TAILQ_FOREACH(q, &s->requests, link)
	{
		fffa_status__resume(q);
		if (q->records.reader)
			fffa_records_page_end(&q->records);
	}
}

void fffa_status_close(struct fffa_status *s)
{
	bool polls;

	if (!s)
		return;
	polls = s->handles;
	end_requests(s);
	/* Stop polling before the library closes its descriptor. */
	if (polls) {
		uv_close((uv_handle_t *)&s->poll, on_closed);
		uv_close((uv_handle_t *)&s->timer, on_closed);
		uv_close((uv_handle_t *)&s->expiry, on_closed);
		uv_close((uv_handle_t *)&s->sample, on_closed);
	}
	if (s->daemon)
		MHD_stop_daemon(s->daemon);
	if (polls)
		fffa_flows_page_close(&s->flows, on_flows_closed, s);
	fffa_filters_close(&s->filters);
	fffa_records_fini(&s->records);
	if (s->remover) {
		s->handles++;
		fffa_worker_submit(s->remover, &s->removal);
	} else {
		fffa_listener_close(&s->listener);
	}
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
