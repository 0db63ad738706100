/* SPDX-License-Identifier: MIT */
/*
 * An HTTP server on the loop under test. What blocks the loop also blocks the server, so an
 * answer proves that nothing did. /ok answers 200 "fine", /last does so and resets the
 * connection, /hang never answers, and any other path ends the connection. The server has no TLS:
 * a handshake hangs, or ends the connection with hang_up. As a proxy it grants tunnels, which lead
 * to itself.
 */
#ifndef FFFA_TESTS_COMPONENT_LOOP_CANNED_SERVER_H
#define FFFA_TESTS_COMPONENT_LOOP_CANNED_SERVER_H

#include <stdbool.h>
#include <uv.h>

struct canned_server {
	uv_tcp_t tcp;
	int port;
	unsigned int connections; /* accepted so far */
	unsigned int open, most_open;
	unsigned int heard; /* connections that have sent something */
	unsigned int requests;
	unsigned int tunnels; /* asked for */
	bool hang_up;	      /* ends each connection at its first bytes */
	bool deaf;	      /* does not answer when it is asked for a tunnel */
	struct canned_client *clients;
};

int canned_server_open(uv_loop_t *loop, struct canned_server *s);
/* Ends all connections. */
void canned_server_drop_all(struct canned_server *s);
/* Closes all handles. They are gone after some turns of the loop. */
void canned_server_close(struct canned_server *s);

#endif
