/* SPDX-License-Identifier: MIT */
/*
 * The connections of the status listener: how many one client may have, and how long a request may
 * take. Without bounds, clients that send or read slowly would take all places from others.
 */
#ifndef FFFA_AGENT_STATUS_LISTEN_CLIENTS_H
#define FFFA_AGENT_STATUS_LISTEN_CLIENTS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>
#include <sys/socket.h>

/* A request, from the connection or the request before it to the end of its answer. */
#define FFFA_CLIENTS_REQUEST_MS 10000

struct fffa_client;
TAILQ_HEAD(fffa_client_list, fffa_client);

struct fffa_clients {
	struct fffa_client_list list; /* the oldest request first */
	unsigned int count;
	unsigned int most; /* connections in all */
};

/* most: of the library. Some places are kept for newcomers. */
void fffa_clients_init(struct fffa_clients *c, unsigned int most);

/*
 * A connection has come; addr is its other end. NULL without memory: the connection is not bounded.
 * While there are too many, of this address or in all, the one whose request is the oldest is shut
 * down, of the address that has the most.
 */
struct fffa_client *fffa_clients_add(struct fffa_clients *c, int fd, const struct sockaddr *addr,
				     uint64_t now_ms);
/* The library has not closed it yet. client may be NULL. */
bool fffa_clients_is_shut(const struct fffa_client *client);
/* An answer is out, and the next request may begin. client may be NULL. */
void fffa_clients_answered(struct fffa_clients *c, struct fffa_client *client, uint64_t now_ms);
/* Its answer has no end, so it may take as long as it likes. client may be NULL. */
void fffa_clients_stream(struct fffa_clients *c, struct fffa_client *client);
/*
 * There is no place for another stream, and client wants one: the oldest stream of the address that
 * has the most is shut down, unless client's address would have as many then. False: nobody was.
 */
bool fffa_clients_yield_stream(struct fffa_clients *c, const struct fffa_client *client);
/* The connection is gone; frees client, which may be NULL. */
void fffa_clients_remove(struct fffa_clients *c, struct fffa_client *client);
/* Shuts down what has taken too long. Returns the ms until it should be called again, 0: never. */
uint64_t fffa_clients_expire(struct fffa_clients *c, uint64_t now_ms);

#endif
