// SPDX-License-Identifier: MIT
/* Who gives way when there are too many connections, and which requests take too long. */
#include "agent/status/listen/clients.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/stubs/cmocka_all.h"

#define MOST	40
#define PLACES	32 /* without those for newcomers */
#define OF_ONE	16
#define CLIENTS 64

struct fixture {
	struct fffa_clients c;
	struct {
		struct fffa_client *client;
		int own, peer;
	} v[CLIENTS];
	size_t n;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	*state = f;
	if (f)
		fffa_clients_init(&f->c, MOST);
	return f ? 0 : -1;
}

static void drop(struct fixture *f, size_t i)
{
	fffa_clients_remove(&f->c, f->v[i].client);
	f->v[i].client = NULL;
	(void)close(f->v[i].own);
	(void)close(f->v[i].peer);
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < f->n; i++) {
		if (f->v[i].client)
			drop(f, i);
	}
	assert_int_equal(f->c.count, 0);
	assert_true(TAILQ_EMPTY(&f->c.list));
	free(f);
	return 0;
}

static size_t add_from(struct fixture *f, const struct sockaddr *addr, uint64_t now_ms)
{
	int fds[2];

	assert_true(f->n < CLIENTS);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	f->v[f->n].own = fds[0];
	f->v[f->n].peer = fds[1];
	f->v[f->n].client = fffa_clients_add(&f->c, fds[0], addr, now_ms);
	assert_non_null(f->v[f->n].client);
	return f->n++;
}

/* A connection of 10.0.0.HOST. */
static size_t add(struct fixture *f, unsigned int host, uint64_t now_ms)
{
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons((uint16_t)(1 + f->n))};

	in.sin_addr.s_addr = htonl(0x0a000000 + host);
	return add_from(f, (const struct sockaddr *)&in, now_ms);
}

static size_t add_v6(struct fixture *f, uint8_t host, uint64_t now_ms)
{
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};

	in6.sin6_addr.s6_addr[0] = 0x20;
	in6.sin6_addr.s6_addr[15] = host;
	return add_from(f, (const struct sockaddr *)&in6, now_ms);
}

static bool is_shut(const struct fixture *f, size_t i)
{
	char byte;

	return recv(f->v[i].peer, &byte, 1, MSG_DONTWAIT) == 0;
}

static void expect_shut(const struct fixture *f, size_t first, size_t count)
{
	for (size_t i = 0; i < f->n; i++)
		assert_int_equal(is_shut(f, i), i >= first && i < first + count);
}

static void the_oldest_of_one_address_gives_way(void **state)
{
	struct fixture *f = *state;

	(void)add(f, 9, 1);
	for (unsigned int i = 0; i < OF_ONE; i++)
		(void)add(f, 1, 2 + i);
	expect_shut(f, 0, 0);
	assert_int_equal(f->c.count, OF_ONE + 1);
	(void)add(f, 1, 50);
	expect_shut(f, 1, 1);
	assert_int_equal(f->c.count, OF_ONE + 1);
	(void)add(f, 1, 51);
	expect_shut(f, 1, 2);
	drop(f, 17); /* one that goes by itself makes room */
	(void)add(f, 1, 52);
	assert_false(is_shut(f, 3));
}

/* The oldest request counts, not the oldest connection. */
static void an_answer_makes_a_client_young_again(void **state)
{
	struct fixture *f = *state;

	for (unsigned int i = 0; i < OF_ONE; i++)
		(void)add(f, 1, i);
	fffa_clients_answered(&f->c, f->v[0].client, 100);
	fffa_clients_answered(&f->c, NULL, 100);
	(void)add(f, 1, 101);
	expect_shut(f, 1, 1);
	fffa_clients_answered(&f->c, f->v[1].client, 102); /* too late for that one */
	(void)add(f, 1, 103);
	expect_shut(f, 1, 2);
}

static void the_address_with_the_most_gives_way(void **state)
{
	struct fixture *f = *state;

	for (unsigned int i = 0; i < 10; i++)
		(void)add(f, 100 + i, i);
	for (unsigned int i = 0; i < 12; i++)
		(void)add(f, 1, 20 + i);
	for (unsigned int i = 0; i < 10; i++)
		(void)add(f, 2, 40 + i);
	assert_int_equal(f->c.count, PLACES);
	expect_shut(f, 0, 0);
	(void)add(f, 3, 60);
	expect_shut(f, 10, 1);
	(void)add(f, 3, 61);
	expect_shut(f, 10, 2);
	assert_int_equal(f->c.count, PLACES);
	(void)add(f, 3, 62); /* 10 each now: the oldest of all that have the most */
	expect_shut(f, 10, 3);
}

static void addresses_are_told_apart(void **state)
{
	struct fixture *f = *state;

	for (unsigned int i = 0; i < OF_ONE; i++)
		(void)add_v6(f, 1, i);
	(void)add_v6(f, 2, 20);
	(void)add_from(f, NULL, 21);
	expect_shut(f, 0, 0);
	(void)add_v6(f, 1, 22);
	expect_shut(f, 0, 1);
	for (unsigned int i = 0; i < 9; i++) /* unix sockets have one address */
		(void)add_from(f, NULL, 30 + i);
	expect_shut(f, 0, 1);
}

static void a_unix_socket_counts_as_one_address(void **state)
{
	struct fixture *f = *state;

	for (unsigned int i = 0; i < OF_ONE; i++)
		(void)add_from(f, NULL, i);
	expect_shut(f, 0, 0);
	(void)add_from(f, NULL, 30);
	expect_shut(f, 0, 1);
}

static void requests_that_take_too_long_end(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(fffa_clients_expire(&f->c, 5), 0);
	(void)add(f, 1, 1000);
	(void)add(f, 2, 4000);
	(void)add(f, 3, 9000);
	assert_int_equal(fffa_clients_expire(&f->c, 1000), FFFA_CLIENTS_REQUEST_MS);
	assert_int_equal(fffa_clients_expire(&f->c, 10999), 1);
	expect_shut(f, 0, 0);
	assert_int_equal(fffa_clients_expire(&f->c, 11000), 3000);
	expect_shut(f, 0, 1);
	assert_int_equal(f->c.count, 2);
	fffa_clients_answered(&f->c, f->v[1].client, 12000);
	assert_int_equal(fffa_clients_expire(&f->c, 14000), 5000); /* of the third now */
	expect_shut(f, 0, 1);
	assert_int_equal(fffa_clients_expire(&f->c, 30000), 0);
	expect_shut(f, 0, 3);
	assert_int_equal(f->c.count, 0);
	fffa_clients_remove(&f->c, NULL);
}

/* The answer of a stream may take days; its next request has a limit again. */
static void a_stream_may_last(void **state)
{
	struct fixture *f = *state;

	(void)add(f, 1, 1000);
	(void)add(f, 2, 1000);
	fffa_clients_stream(&f->c, f->v[0].client);
	fffa_clients_stream(&f->c, NULL);
	assert_int_equal(fffa_clients_expire(&f->c, 900000), 0);
	expect_shut(f, 1, 1);
	fffa_clients_answered(&f->c, f->v[0].client, 900000);
	assert_int_equal(fffa_clients_expire(&f->c, 900000), FFFA_CLIENTS_REQUEST_MS);
	assert_int_equal(fffa_clients_expire(&f->c, 999000), 0);
	expect_shut(f, 0, 2);
}

/* Only streams count, of those that are not shut down already. */
static void the_client_with_the_most_streams_gives_one(void **state)
{
	static const unsigned int hosts[] = {1, 2, 2, 3, 3, 3, 4, 4, 4, 4};
	struct fixture *f = *state;
	size_t first;

	for (size_t i = 0; i < 10; i++) {
		(void)add(f, hosts[i], 1);
		if (hosts[i] < 4)
			fffa_clients_stream(&f->c, f->v[i].client);
	}
	first = add(f, 5, 1);
	assert_true(fffa_clients_yield_stream(&f->c, f->v[first].client));
	expect_shut(f, 3, 1); /* the oldest of host 3 */
	assert_true(fffa_clients_is_shut(f->v[3].client));
	assert_false(fffa_clients_is_shut(f->v[4].client));
	assert_false(fffa_clients_is_shut(NULL));
	assert_true(fffa_clients_yield_stream(&f->c, f->v[first].client));
	assert_true(is_shut(f, 1)); /* hosts 2 and 3 had two each */
	assert_true(fffa_clients_yield_stream(&f->c, f->v[first].client));
	assert_true(is_shut(f, 4));
	assert_false(fffa_clients_yield_stream(&f->c, f->v[first].client)); /* one each */
	assert_false(fffa_clients_yield_stream(&f->c, NULL));
	for (size_t i = 0; i < f->n; i++)
		assert_int_equal(is_shut(f, i), i == 1 || i == 3 || i == 4);
}

static void nobody_gives_one_to_itself(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < 4; i++)
		fffa_clients_stream(&f->c, f->v[add(f, i < 3 ? 1 : 2, 1)].client);
	assert_false(fffa_clients_yield_stream(&f->c, f->v[add(f, 1, 1)].client));
	assert_true(fffa_clients_yield_stream(&f->c, f->v[add(f, 2, 1)].client)); /* three to one */
	expect_shut(f, 0, 1);
	assert_false(fffa_clients_yield_stream(&f->c, f->v[add(f, 2, 1)].client));
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(the_oldest_of_one_address_gives_way),
		CASE(an_answer_makes_a_client_young_again),
		CASE(the_address_with_the_most_gives_way),
		CASE(addresses_are_told_apart),
		CASE(a_unix_socket_counts_as_one_address),
		CASE(requests_that_take_too_long_end),
		CASE(a_stream_may_last),
		CASE(the_client_with_the_most_streams_gives_one),
		CASE(nobody_gives_one_to_itself),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
