/* SPDX-License-Identifier: MIT */
/*
 * The page /flows. The flow table is read in slices between other work, for one question at a time
 * and at most four times a second; requests wait for the end, and those with the same question get
 * the same answer. Loop thread only.
 */
#ifndef FFFA_AGENT_STATUS_FLOWS_PAGE_H
#define FFFA_AGENT_STATUS_FLOWS_PAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>
#include <uv.h>

#include "agent/filter/filter.h"
#include "agent/status/largest.h"
#include "agent/status/view.h"

#define FFFA_FLOWS_PAGE_BYTES_MAX (1024 * 1024)

struct fffa_flows_question {
	bool by_packets;
	char text[FFFA_FILTER_BYTES_MAX + 1]; /* of the filter */
};

/* One request; all zero at first. */
struct fffa_flows_request {
	/* The caller sets these before fffa_flows_page_ask. */
	struct fffa_flows_question question;
	struct fffa_filter *filter; /* of question.text; freed by fffa_flows_page_drop */
	size_t n;		    /* flows at most */
	void (*ready)(void *arg);   /* body has been written; never from inside ask */
	void *arg;

	struct fffa_buf body; /* the answer, once it is written */
	bool written;
	bool waits;
	TAILQ_ENTRY(fffa_flows_request) link;
};

struct fffa_flows_page {
	struct fffa_status_source src;
	struct fffa_status_view view; /* for the answer that is being written */
	uv_idle_t walk;
	uv_timer_t pause; /* between two walks */
	int handles;
	void (*closed)(void *arg);
	void *closed_arg;
	TAILQ_HEAD(fffa_flows_waiters, fffa_flows_request) waiters;
	struct fffa_flows_question question; /* of this walk or the last one */
	struct fffa_filter *filter;	     /* of this walk or the last one */
	uint32_t walk_at;
	uint64_t walked_ns; /* when `largest` was filled; 0: never */
	int64_t walked_ms;  /* the same instant, Unix */
	struct fffa_largest largest;
};

/* Borrows loop and what src refers to. */
void fffa_flows_page_init(struct fffa_flows_page *p, uv_loop_t *loop,
			  const struct fffa_status_source *src);
/* True: the answer is in r->body. False: ready follows, unless r is dropped before. */
bool fffa_flows_page_ask(struct fffa_flows_page *p, struct fffa_flows_request *r);
/* The request is over. Frees what is left of it. */
void fffa_flows_page_drop(struct fffa_flows_page *p, struct fffa_flows_request *r);
/* No request is left. closed(arg) follows, later. */
void fffa_flows_page_close(struct fffa_flows_page *p, void (*closed)(void *arg), void *arg);

#endif
