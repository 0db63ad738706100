/* SPDX-License-Identifier: MIT */
/* The page /records: an answer without end, which waits suspended while there is no record. */
#ifndef FFFA_AGENT_STATUS_RECORDS_RECORDS_PAGE_H
#define FFFA_AGENT_STATUS_RECORDS_RECORDS_PAGE_H

#include "agent/status/records/records.h"

struct MHD_Connection;

/* All zero: not open. */
struct fffa_records_page {
	struct fffa_records *records;
	struct fffa_records_reader *reader;
	struct MHD_Connection *c;
	void (*run)(void *arg);
	void *arg;
	bool paused;
	bool ending;
};

/*
 * c will get the records that the filter (NULL: all) wants. run(arg) is called when the library has
 * something to send. As fffa_records_join: 0, or -errno with err. p must not move until its close.
 */
int fffa_records_page_open(struct fffa_records_page *p, struct fffa_records *records,
			   struct MHD_Connection *c, struct fffa_filter *filter,
			   void (*run)(void *arg), void *arg, struct fffa_err *err);
/* Begins the answer. 0, or -EIO: the connection is to be dropped. */
int fffa_records_page_queue(struct fffa_records_page *p);
/* The answer ends when what is there has been sent; the connection is not suspended any more. */
void fffa_records_page_end(struct fffa_records_page *p);
/* Whether the answer waits for records, and the client has closed its side of the connection. */
bool fffa_records_page_is_gone(const struct fffa_records_page *p);
/* Nothing reads any more, so the place is free. p may be not open. */
void fffa_records_page_close(struct fffa_records_page *p);

#endif
