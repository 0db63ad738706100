/* SPDX-License-Identifier: MIT */
/*
 * An HTTP server on the loop under test: what blocks the loop blocks the server too, so an answer
 * proves that nothing did. The path decides: /ok answers 200 "fine", /last does so and resets the
 * connection, /hang never answers, anything else ends the connection. It knows no TLS: a handshake
 * hangs, or with hang_up ends the connection.
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
	unsigned int heard; /* of these, how many have sent something */
	unsigned int requests;
	bool hang_up; /* ends each connection at its first bytes */
	struct canned_client *clients;
};

int canned_server_open(uv_loop_t *loop, struct canned_server *s);
/* Ends all connections. */
void canned_server_drop_all(struct canned_server *s);
/* Closes all handles; they die as the loop turns. */
void canned_server_close(struct canned_server *s);

#endif
