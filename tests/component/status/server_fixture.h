/* SPDX-License-Identifier: MIT */
/* A status listener in this process, on a unix socket, and its clients. */
#ifndef FFFA_TESTS_COMPONENT_STATUS_SERVER_FIXTURE_H
#define FFFA_TESTS_COMPONENT_STATUS_SERVER_FIXTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <uv.h>

#include "agent/base/ledger.h"
#include "agent/flow/flow_table.h"
#include "agent/status/status.h"
#include "tests/unit/status/sample_view.h"

#define HOST	 "Host: localhost\r\n"
#define GET(url) "GET " url " HTTP/1.1\r\n" HOST "\r\n"
#define CLIENTS	 24

struct client {
	int fd;
	char got[65536];
	size_t n;
	bool ended;
};

struct fixture {
	uv_loop_t loop;
	uv_timer_t tick; /* keeps the loop going */
	struct sample_view sample;
	struct fffa_ledger ledger;
	struct fffa_flow_table *flows;
	struct fffa_status *s;
	char path[64], listen[80];
	struct client clients[CLIENTS];
	size_t client_count;
};

/* As cmocka wants them; *state is the struct fixture. */
int server_setup(void **state);
int server_teardown(void **state);
/* Listens there, with the fixture's flows and view. 0, or -errno with err. */
int server_open(struct fixture *f, const char *listen, struct fffa_status **out,
		struct fffa_err *err);
/* A new connection. */
struct client *join(struct fixture *f);
void ask(const struct client *c, const char *request);
/* Both. */
struct client *start(struct fixture *f, const char *request);
/* One turn, and what has come then. */
void turn(struct fixture *f, struct client *c);
void await_text(struct fixture *f, struct client *c, const char *text);
void await_end(struct fixture *f, struct client *c);
/* The body of the answer that has arrived, once all of it has. */
const char *await_body(struct fixture *f, struct client *c);
void expect_status(const struct client *c, int status);
/* Asks on a connection of its own. The body is valid until the next one. */
const char *get(struct fixture *f, const char *request, int status);

#endif
