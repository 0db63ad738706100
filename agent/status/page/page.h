/* SPDX-License-Identifier: MIT */
/*
 * The page at /, for a browser: one document with its style and its script, which asks /status,
 * /history and /flows. embed.cmake makes it of the other files here when the agent is built.
 */
#ifndef FFFA_AGENT_STATUS_PAGE_PAGE_H
#define FFFA_AGENT_STATUS_PAGE_PAGE_H

struct MHD_Connection;

/*
 * Answers the request on c with the page, or with status 304 when the client has it already
 * (If-None-Match). 0, or -EIO: the connection is to be dropped.
 */
int fffa_page_queue(struct MHD_Connection *c);

#endif
