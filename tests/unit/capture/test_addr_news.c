// SPDX-License-Identifier: MIT
/* Which messages of the kernel are news of an address: those that are renewed every few minutes are none. */
#include "agent/capture/devices/addr_news.h"

#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "tests/stubs/cmocka_all.h"

static struct fffa_addr_news news;
static char buf[512];

static int setup(void **state)
{
	(void)state;
	memset(&news, 0, sizeof(news));
	return 0;
}

static struct nlmsghdr *begin(uint16_t type, uint32_t ifindex, unsigned char scope)
{
	struct nlmsghdr *h = mnl_nlmsg_put_header(buf);
	struct ifaddrmsg *m = mnl_nlmsg_put_extra_header(h, sizeof(*m));

	h->nlmsg_type = type;
	m->ifa_index = ifindex;
	m->ifa_scope = scope;
	return h;
}

/* True when a message about this address is news. */
static bool take(uint16_t type, uint32_t ifindex, uint32_t addr)
{
	struct nlmsghdr *h = begin(type, ifindex, RT_SCOPE_UNIVERSE);

	mnl_attr_put_u32(h, IFA_FLAGS, addr ^ 1); /* is no address */
	mnl_attr_put_u32(h, IFA_ADDRESS, addr);
	return fffa_addr_news_take(&news, h);
}

static void an_address_is_news_once(void **state)
{
	(void)state;
	assert_true(take(RTM_NEWADDR, 1, 10));
	assert_false(take(RTM_NEWADDR, 1, 10));
	assert_true(take(RTM_NEWADDR, 1, 11));
	assert_true(take(RTM_NEWADDR, 2, 10)); /* of another device */
	assert_false(take(RTM_NEWADDR, 1, 11));
	assert_true(take(RTM_DELADDR, 1, 10));
	assert_true(take(RTM_DELADDR, 1, 10)); /* one that was not known is news, too */
	assert_false(take(RTM_NEWADDR, 1, 11));
	assert_false(take(RTM_NEWADDR, 2, 10));
	assert_true(take(RTM_NEWADDR, 1, 10));
	assert_int_equal(news.n, 3);
}

/* When there is no room all are forgotten: each is news once more, and none is missed. */
static void more_than_there_is_room_for(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < FFFA_ADDR_NEWS_MAX; i++)
		assert_true(take(RTM_NEWADDR, 1, i));
	for (uint32_t i = 0; i < FFFA_ADDR_NEWS_MAX; i++)
		assert_false(take(RTM_NEWADDR, 1, i));
	assert_int_equal(news.n, FFFA_ADDR_NEWS_MAX);
	assert_true(take(RTM_NEWADDR, 1, FFFA_ADDR_NEWS_MAX));
	assert_int_equal(news.n, 1);
	assert_false(take(RTM_NEWADDR, 1, FFFA_ADDR_NEWS_MAX));
	assert_true(take(RTM_NEWADDR, 1, 0));
}

/* On a point-to-point link the own address is IFA_LOCAL, wherever it stands. */
static void the_own_end_counts(void **state)
{
	(void)state;
	for (int first = 0; first < 2; first++) {
		for (uint32_t peer = 1; peer < 3; peer++) {
			struct nlmsghdr *h = begin(RTM_NEWADDR, 1, RT_SCOPE_UNIVERSE);

			if (first)
				mnl_attr_put_u32(h, IFA_LOCAL, 10);
			mnl_attr_put_u32(h, IFA_ADDRESS, peer);
			if (!first)
				mnl_attr_put_u32(h, IFA_LOCAL, 10);
			assert_int_equal(fffa_addr_news_take(&news, h), !first && peer == 1);
		}
	}
	assert_int_equal(news.v[0].ifindex, 1);
	assert_memory_equal(news.v[0].bytes, &(uint32_t){10}, 4);
	assert_memory_equal(news.v[0].bytes + 4, "\0\0\0\0\0\0\0\0\0\0\0\0", 12);
}

static void what_is_no_address_of_this_host(void **state)
{
	static const unsigned char scopes[] = {RT_SCOPE_LINK, RT_SCOPE_HOST, RT_SCOPE_NOWHERE};
	const uint8_t bytes[17] = {1};
	struct nlmsghdr *h;

	(void)state;
	for (size_t i = 0; i < sizeof(scopes); i++) {
		h = begin(RTM_NEWADDR, 1, scopes[i]);
		mnl_attr_put_u32(h, IFA_ADDRESS, 10);
		assert_false(fffa_addr_news_take(&news, h));
	}
	h = begin(RTM_NEWADDR, 1, RT_SCOPE_SITE);
	mnl_attr_put(h, IFA_ADDRESS, 17, bytes); /* longer than an address is */
	assert_false(fffa_addr_news_take(&news, h));
	mnl_attr_put(h, IFA_ADDRESS, 16, bytes);
	assert_true(fffa_addr_news_take(&news, h));
	assert_memory_equal(news.v[0].bytes, bytes, 16);
	h = begin(RTM_NEWADDR, 1, RT_SCOPE_UNIVERSE); /* without one */
	assert_false(fffa_addr_news_take(&news, h));
	h->nlmsg_len -= 4; /* cut off */
	assert_false(fffa_addr_news_take(&news, h));
	assert_int_equal(news.n, 1);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup(f, setup)
	const struct CMUnitTest tests[] = {
		T(an_address_is_news_once),
		T(more_than_there_is_room_for),
		T(the_own_end_counts),
		T(what_is_no_address_of_this_host),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
