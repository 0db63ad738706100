// SPDX-License-Identifier: MIT
#include "agent/status/listen/clients.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define PLACES_KEPT 8  /* for newcomers */
#define SAME_MAX    16 /* connections of one address */

struct fffa_client {
	TAILQ_ENTRY(fffa_client) link;
	int fd; /* the library's; open until the client is removed */
	bool shut;
	bool streams;
	uint8_t address[16]; /* all zero: a unix socket */
	uint64_t since_ms;
};

void fffa_clients_init(struct fffa_clients *c, unsigned int most)
{
	TAILQ_INIT(&c->list);
	c->count = 0;
	c->most = most;
}

static void copy_address(uint8_t dst[16], const struct sockaddr *addr)
{
	const struct sockaddr_in *in = (const struct sockaddr_in *)(const void *)addr;
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)(const void *)addr;

	memset(dst, 0, 16);
	if (addr && addr->sa_family == AF_INET)
		memcpy(dst + 12, &in->sin_addr, 4);
	if (addr && addr->sa_family == AF_INET6)
		memcpy(dst, &in6->sin6_addr, 16);
}

/* The library sees the end of the connection in its next run, and closes it. */
static void shut_down(struct fffa_clients *c, struct fffa_client *client)
{
	client->shut = true;
	c->count--;
	(void)shutdown(client->fd, SHUT_RDWR);
}

static unsigned int count_of(const struct fffa_clients *c, const uint8_t address[16])
{
	const struct fffa_client *i;
	unsigned int n = 0;

	TAILQ_FOREACH(i, &c->list, link)
	n += !i->shut && !memcmp(i->address, address, 16);
	return n;
}

/* The oldest request of the address that has the most connections. */
static struct fffa_client *find_victim(struct fffa_clients *c)
{
	struct fffa_client *i, *victim = NULL;
	unsigned int most = 0;

	TAILQ_FOREACH(i, &c->list, link)
	{
		unsigned int n = i->shut ? 0 : count_of(c, i->address);

		if (n > most) {
			most = n;
			victim = i;
		}
	}
	return victim;
}

static struct fffa_client *find_oldest(struct fffa_clients *c, const uint8_t address[16])
{
	struct fffa_client *i;

	TAILQ_FOREACH(i, &c->list, link)
	if (!i->shut && !memcmp(i->address, address, 16))
		return i;
	return NULL;
}

struct fffa_client *fffa_clients_add(struct fffa_clients *c, int fd, const struct sockaddr *addr,
				     uint64_t now_ms)
{
	struct fffa_client *client = calloc(1, sizeof(*client)), *victim;
	unsigned int places = c->most - PLACES_KEPT;

	if (!client)
		return NULL;
	client->fd = fd;
	client->since_ms = now_ms;
	copy_address(client->address, addr);
	victim = count_of(c, client->address) >= SAME_MAX ? find_oldest(c, client->address) : NULL;
	if (!victim && c->count >= places)
		victim = find_victim(c);
	if (victim)
		shut_down(c, victim);
	TAILQ_INSERT_TAIL(&c->list, client, link);
	c->count++;
	return client;
}

bool fffa_clients_is_shut(const struct fffa_client *client)
{
	return client && client->shut;
}

void fffa_clients_answered(struct fffa_clients *c, struct fffa_client *client, uint64_t now_ms)
{
	if (!client || client->shut)
		return;
	client->since_ms = now_ms;
	client->streams = false;
	TAILQ_REMOVE(&c->list, client, link);
	TAILQ_INSERT_TAIL(&c->list, client, link);
}

void fffa_clients_stream(struct fffa_clients *c, struct fffa_client *client)
{
	(void)c;
	if (client)
		client->streams = true;
}

static unsigned int count_streams(const struct fffa_clients *c, const uint8_t address[16])
{
	const struct fffa_client *i;
	unsigned int n = 0;

	TAILQ_FOREACH(i, &c->list, link)
	n += !i->shut && i->streams && !memcmp(i->address, address, 16);
	return n;
}

bool fffa_clients_yield_stream(struct fffa_clients *c, const struct fffa_client *client)
{
	unsigned int most = client ? count_streams(c, client->address) + 1 : 0;
	struct fffa_client *i, *victim = NULL;

	TAILQ_FOREACH(i, &c->list, link)
	{
		unsigned int n = i->shut || !i->streams ? 0 : count_streams(c, i->address);

		if (client && n > most) {
			most = n;
			victim = i;
		}
	}
	if (victim)
		shut_down(c, victim);
	return victim;
}

void fffa_clients_remove(struct fffa_clients *c, struct fffa_client *client)
{
	if (!client)
		return;
	TAILQ_REMOVE(&c->list, client, link);
	c->count -= !client->shut;
	free(client);
}

uint64_t fffa_clients_expire(struct fffa_clients *c, uint64_t now_ms)
{
	struct fffa_client *i;

	TAILQ_FOREACH(i, &c->list, link)
	{
		if (i->shut || i->streams)
			continue;
		if (now_ms - i->since_ms < FFFA_CLIENTS_REQUEST_MS)
			return FFFA_CLIENTS_REQUEST_MS - (now_ms - i->since_ms);
		shut_down(c, i);
	}
	return 0;
}
