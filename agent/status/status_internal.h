/* SPDX-License-Identifier: MIT */
/* Inside of the listener: status.c runs the library, status_pages.c answers the requests. */
#ifndef FFFA_AGENT_STATUS_STATUS_INTERNAL_H
#define FFFA_AGENT_STATUS_STATUS_INTERNAL_H

#include <microhttpd.h>

#include "agent/loop/worker.h"
#include "agent/status/filters.h"
#include "agent/status/flows_page.h"
#include "agent/status/history.h"
#include "agent/status/listen/clients.h"
#include "agent/status/listen/host_header.h"
#include "agent/status/listen/listener.h"
#include "agent/status/records/records_page.h"
#include "agent/status/status.h"

#define FFFA_STATUS_HOST_NAME_BYTES 256

/* One request, from its headers to its answer. */
struct fffa_status_request {
	struct MHD_Connection *c;
	struct fffa_status *status;
	TAILQ_ENTRY(fffa_status_request) link;
	bool head; /* HEAD: the answer has no body */
	bool suspended;
	/* Of the argument filter=, for /flows and /records: */
	struct fffa_filters_job *compiling;
	struct fffa_filter *filter;
	bool compiled;
	char *refusal; /* what is wrong with it; NULL: nothing */
	struct fffa_flows_request flows;
	struct fffa_records_page records;
};

struct fffa_status {
	uv_loop_t *loop;
	struct fffa_status_source src;
	struct fffa_listener listener;
	struct fffa_worker *remover; /* of the unix socket; NULL: there is none */
	struct fffa_worker_job removal;
	const char *listen;
	char own[FFFA_STATUS_HOST_NAME_BYTES]; /* the host's name */
	struct fffa_clients clients;
	struct MHD_Daemon *daemon;
	void (*run_soon)(void *arg); /* the library goes on in the next turn */
	uv_poll_t poll;
	uv_timer_t timer;
	uv_timer_t expiry; /* of slow clients */
	uv_timer_t sample; /* of the history */
	int handles;	   /* that are open; the flows' page counts as one */
	bool full;	   /* after the last run there was no room for a connection */
	TAILQ_HEAD(fffa_status_requests, fffa_status_request) requests;
	struct fffa_records records;
	struct fffa_filters filters;
	struct fffa_flows_page flows;
	struct fffa_history history;
	struct fffa_status_view view; /* for the request that is being answered */
};

/* The headers of a request have arrived. NULL: no memory. */
struct fffa_status_request *fffa_status__begin_request(struct fffa_status *s,
						       struct MHD_Connection *c);
/* Frees q. It is not suspended. */
void fffa_status__end_request(struct fffa_status_request *q);
/* Queues the answer for the path; or suspends the request, and is called again when that ends. */
enum MHD_Result fffa_status__answer(struct fffa_status_request *q, const char *url);
/* Queues an answer of one line. */
enum MHD_Result fffa_status__answer_text(struct MHD_Connection *c, unsigned int code,
					 const char *text);
/* Does nothing when it is not suspended. */
void fffa_status__resume(struct fffa_status_request *q);
/*
 * The library does not watch an answer that waits for a record, so it does not see that the
 * connection was shut down, and its place would stay taken. True when there was one.
 */
bool fffa_status__end_shut_readers(struct fffa_status *s);
/* The present state; valid until the next call and the loop's next turn. */
const struct fffa_status_view *fffa_status__read_view(struct fffa_status *s);

#endif
