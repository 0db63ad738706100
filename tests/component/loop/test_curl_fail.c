// SPDX-License-Identifier: MIT
/* libcurl and libuv without memory or descriptors: what fails, what goes on, and what is left. */
#include "tests/stubs/cmocka_all.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "tests/component/loop/curl_fixture.h"
#include "tests/stubs/failing_alloc.h"

#define OPTIONS 6

/* What fails; the bridge is linked with --wrap of each. */
static struct {
	bool no_global, no_multi, no_watcher;
	unsigned int bad_option; /* from 1: this call is refused; 0: none */
	unsigned int bad_watch;	 /* the same of a socket's first, second... watch */
	CURLMcode bad_add;	 /* what adding a transfer returns */
	unsigned int options, watches;
	unsigned int bad_setting, settings; /* of a transfer, as bad_option */
	bool no_signals, quits_at_once;	    /* was set */
	int transfers;			    /* that are in libcurl */
	unsigned int made;		    /* multis */
	int first_events;		    /* that a socket is watched for, in its first watch */
	int globals, multis;		    /* that were made, less those that were cleaned up */
	long most_connections, kept_connections;
	bool saw_in, saw_out, saw_none; /* of a socket that is ready */
} lib;

/* NOLINTBEGIN(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp): the linker's names */
CURLcode __real_curl_global_init(long flags);
CURLcode __wrap_curl_global_init(long flags);
void __real_curl_global_cleanup(void);
void __wrap_curl_global_cleanup(void);
CURLM *__real_curl_multi_init(void);
CURLM *__wrap_curl_multi_init(void);
CURLMcode __real_curl_multi_cleanup(CURLM *m);
CURLMcode __wrap_curl_multi_cleanup(CURLM *m);
CURLMcode __real_curl_multi_setopt(CURLM *m, CURLMoption option, ...);
CURLMcode __wrap_curl_multi_setopt(CURLM *m, CURLMoption option, ...);
CURLcode __real_curl_easy_setopt(CURL *easy, CURLoption option, ...);
CURLcode __wrap_curl_easy_setopt(CURL *easy, CURLoption option, ...);
CURLMcode __real_curl_multi_remove_handle(CURLM *m, CURL *easy);
CURLMcode __wrap_curl_multi_remove_handle(CURLM *m, CURL *easy);
CURLMcode __real_curl_multi_add_handle(CURLM *m, CURL *easy);
CURLMcode __wrap_curl_multi_add_handle(CURLM *m, CURL *easy);
CURLMcode __real_curl_multi_socket_action(CURLM *m, curl_socket_t fd, int ready, int *running);
CURLMcode __wrap_curl_multi_socket_action(CURLM *m, curl_socket_t fd, int ready, int *running);
int __real_uv_poll_init_socket(uv_loop_t *loop, uv_poll_t *p, uv_os_sock_t fd);
int __wrap_uv_poll_init_socket(uv_loop_t *loop, uv_poll_t *p, uv_os_sock_t fd);
int __real_uv_poll_start(uv_poll_t *p, int events, uv_poll_cb run);
int __wrap_uv_poll_start(uv_poll_t *p, int events, uv_poll_cb run);

CURLcode __wrap_curl_global_init(long flags)
{
	if (lib.no_global)
		return CURLE_FAILED_INIT;
	lib.globals++;
	return __real_curl_global_init(flags);
}

void __wrap_curl_global_cleanup(void)
{
	lib.globals--;
	__real_curl_global_cleanup();
}

CURLM *__wrap_curl_multi_init(void)
{
	if (lib.no_multi)
		return NULL;
	lib.multis++;
	lib.made++;
	return __real_curl_multi_init();
}

CURLMcode __wrap_curl_multi_cleanup(CURLM *m)
{
	lib.multis -= m != NULL;
	return __real_curl_multi_cleanup(m);
}

CURLMcode __wrap_curl_multi_setopt(CURLM *m, CURLMoption option, ...)
{
	bool is_long = (int)option < CURLOPTTYPE_OBJECTPOINT;
	va_list ap;
	long number = 0;
	void *pointer = NULL;

	va_start(ap, option);
	if (is_long)
		number = va_arg(ap, long);
	else
		pointer = va_arg(ap, void *);
	va_end(ap);
	if (++lib.options == lib.bad_option)
		return CURLM_UNKNOWN_OPTION;
	if (option == CURLMOPT_MAX_TOTAL_CONNECTIONS)
		lib.most_connections = number;
	if (option == CURLMOPT_MAXCONNECTS)
		lib.kept_connections = number;
	return is_long ? __real_curl_multi_setopt(m, option, number)
		       : __real_curl_multi_setopt(m, option, pointer);
}

CURLMcode __wrap_curl_multi_add_handle(CURLM *m, CURL *easy)
{
	CURLMcode rc = lib.bad_add ? lib.bad_add : __real_curl_multi_add_handle(m, easy);

	lib.transfers += rc == CURLM_OK;
	return rc;
}

CURLMcode __wrap_curl_multi_remove_handle(CURLM *m, CURL *easy)
{
	CURLMcode rc = __real_curl_multi_remove_handle(m, easy);

	lib.transfers -= rc == CURLM_OK;
	return rc;
}

/* None that the bridge and its fixture set is a curl_off_t. */
CURLcode __wrap_curl_easy_setopt(CURL *easy, CURLoption option, ...)
{
	bool is_long = (int)option < CURLOPTTYPE_OBJECTPOINT;
	va_list ap;
	long number = 0;
	void *pointer = NULL;

	va_start(ap, option);
	if (is_long)
		number = va_arg(ap, long);
	else
		pointer = va_arg(ap, void *);
	va_end(ap);
	if (++lib.settings == lib.bad_setting)
		return CURLE_OUT_OF_MEMORY;
	if (option == CURLOPT_NOSIGNAL)
		lib.no_signals = number == 1;
#if LIBCURL_VERSION_NUM >= 0x075700
	if (option == CURLOPT_QUICK_EXIT)
		lib.quits_at_once = number == 1;
#endif
	return is_long ? __real_curl_easy_setopt(easy, option, number)
		       : __real_curl_easy_setopt(easy, option, pointer);
}

CURLMcode __wrap_curl_multi_socket_action(CURLM *m, curl_socket_t fd, int ready, int *running)
{
	if (fd != CURL_SOCKET_TIMEOUT) {
		lib.saw_in |= ready == CURL_CSELECT_IN;
		lib.saw_out |= ready == CURL_CSELECT_OUT;
		lib.saw_none |= !ready;
	}
	return __real_curl_multi_socket_action(m, fd, ready, running);
}

int __wrap_uv_poll_init_socket(uv_loop_t *loop, uv_poll_t *p, uv_os_sock_t fd)
{
	return lib.no_watcher ? UV_ENOMEM : __real_uv_poll_init_socket(loop, p, fd);
}

int __wrap_uv_poll_start(uv_poll_t *p, int events, uv_poll_cb run)
{
	if (++lib.watches == 1)
		lib.first_events = events;
	if (lib.watches == lib.bad_watch)
		return UV_ENOMEM;
	return __real_uv_poll_start(p, events, run);
}
/* NOLINTEND(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp) */

static int setup(void **state)
{
	memset(&lib, 0, sizeof(lib));
	return curl_fixture_setup(state);
}

static int teardown(void **state)
{
	int rc = curl_fixture_teardown(state);

	assert_int_equal(lib.transfers, 0);
	assert_int_equal(lib.multis, 0);
	assert_int_equal(lib.globals, 0);
	return rc;
}

static void expect_no_bridge(struct curl_fixture *r, int rc)
{
	struct fffa_curl_loop *none = NULL;

	lib.options = 0;
	assert_int_equal(fffa_curl_loop_open(&r->loop, 1, &none), rc);
	assert_null(none);
	assert_int_equal(lib.globals, 1); /* those of the fixture's bridge */
	assert_int_equal(lib.multis, 1);
}

static void an_open_that_fails_leaves_nothing(void **state)
{
	struct curl_fixture *r = *state;

	assert_int_equal(lib.options, OPTIONS);
	lib.no_global = true;
	expect_no_bridge(r, -ENOMEM);
	lib.no_global = false;
	for (unsigned long n = 1; n <= 2; n++) {
		failing_alloc_arm(n);
		expect_no_bridge(r, -ENOMEM);
		assert_true(failing_alloc_fired());
	}
	lib.no_multi = true;
	expect_no_bridge(r, -ENOMEM);
	lib.no_multi = false;
	for (lib.bad_option = 1; lib.bad_option <= OPTIONS; lib.bad_option++)
		expect_no_bridge(r, -EINVAL);
}

static void libcurl_knows_the_bound(void **state)
{
	(void)state;
	assert_int_equal(lib.most_connections, CONNECTIONS);
	assert_int_equal(lib.kept_connections, CONNECTIONS);
}

/* What a socket is ready for, and no more. */
static void libcurl_hears_what_is_ready(void **state)
{
	struct curl_fixture *r = *state;

	assert_int_equal(start(&r->t[0], "/hang"), 0);
	await_that(r, has_requests, 1);
	assert_int_equal(lib.first_events, UV_WRITABLE); /* nobody reads before it is connected */
	assert_true(lib.saw_out);
	assert_int_equal(start(&r->t[1], "/ok"), 0);
	await_that(r, has_calls, 1);
	assert_true(lib.saw_in);
	assert_false(lib.saw_none);
}

static void expect_not_started(struct curl_fixture *r, int rc)
{
	assert_int_equal(start(&r->t[0], "/ok"), rc);
	assert_false(r->t[0].request.active);
	assert_false(r->t[0].request.begun);
}

/* Nothing was taken: it may be started again. */
static void a_start_that_libcurl_refuses(void **state)
{
	struct curl_fixture *r = *state;
	struct fffa_curl_request broken = {.easy = NULL};

	assert_int_equal(fffa_curl_loop_start(r->bridge, &broken), -EIO);
	assert_false(broken.active);
	lib.bad_add = CURLM_OUT_OF_MEMORY;
	expect_not_started(r, -ENOMEM);
	lib.bad_add = CURLM_ADDED_ALREADY;
	expect_not_started(r, -EIO);
	lib.bad_add = CURLM_OK;
	assert_int_equal(start(&r->t[0], "/ok"), 0);
	await_that(r, has_calls, 1);
	assert_string_equal(r->t[0].body, "fine");
}

/* Each setting of a transfer fails once, but for the one that only saves time. */
static void a_setting_that_libcurl_refuses(void **state)
{
	struct curl_fixture *r = *state;
	unsigned int all, refused = 0;

	r->t[0].request.timeout_ms = 15000;
	assert_int_equal(curl_easy_setopt(r->t[0].request.easy, CURLOPT_URL, "http://[::1]:1/"), 0);
	lib.settings = 0;
	assert_int_equal(fffa_curl_loop_start(r->bridge, &r->t[0].request), 0);
	all = lib.settings;
	cancel(&r->t[0]);
	assert_true(lib.no_signals);
#if LIBCURL_VERSION_NUM >= 0x075700
	assert_true(lib.quits_at_once);
#endif
	for (lib.bad_setting = 1; lib.bad_setting <= all; lib.bad_setting++) {
		int rc;

		lib.settings = 0;
		rc = fffa_curl_loop_start(r->bridge, &r->t[0].request);
		refused += rc == -EIO;
		assert_int_equal(r->t[0].request.active, !rc);
		cancel(&r->t[0]);
	}
	assert_int_equal(refused, all - (LIBCURL_VERSION_NUM >= 0x075700));
	assert_int_equal(r->dones, 0);
}

/* t[0] to t[3] have the connections and no answer. */
static void fill(struct curl_fixture *r)
{
	for (int i = 0; i < CONNECTIONS; i++)
		assert_int_equal(start(&r->t[i], "/hang"), 0);
	await_that(r, has_requests, CONNECTIONS);
}

static void allow_it_again(struct transfer *t)
{
	(void)t;
	lib.bad_add = CURLM_OK;
}

static void expect_refused_in_its_turn(struct curl_fixture *r, CURLMcode code, CURLcode result)
{
	unsigned int calls = r->dones;

	r->t[4].then = allow_it_again;
	assert_int_equal(start(&r->t[4], "/ok"), 0);
	assert_int_equal(start(&r->t[5], "/ok"), 0);
	lib.bad_add = code;
	cancel(&r->t[0]);
	await_that(r, has_calls, calls + 2);
	assert_int_equal(r->t[4].result, result);
	assert_false(r->t[4].request.begun);
	assert_string_equal(r->t[4].body, "");
	assert_string_equal(r->t[5].body, "fine"); /* the next one begins in its place */
	assert_int_equal(r->t[5].order, r->t[4].order + 1);
	assert_int_equal(start(&r->t[0], "/hang"), 0);
}

static void a_waiting_one_that_libcurl_refuses(void **state)
{
	struct curl_fixture *r = *state;

	fill(r);
	expect_refused_in_its_turn(r, CURLM_OUT_OF_MEMORY, CURLE_OUT_OF_MEMORY);
	expect_refused_in_its_turn(r, CURLM_ADDED_ALREADY, CURLE_FAILED_INIT);
}

/* One fails, and the next one does not. */
static void expect_unwatched(struct curl_fixture *r)
{
	unsigned int calls = r->dones;

	await_that(r, has_calls, calls + 1);
	assert_int_equal(r->t[0].result, CURLE_OUT_OF_MEMORY);
	lib.no_watcher = false;
	lib.bad_watch = 0;
	assert_int_equal(start(&r->t[1], "/ok"), 0);
	await_that(r, has_calls, calls + 2);
	assert_string_equal(r->t[1].body, "fine");
	canned_server_drop_all(&r->server); /* the next case needs a new connection */
}

static void a_descriptor_that_cannot_be_watched(void **state)
{
	struct curl_fixture *r = *state;

	lib.no_watcher = true;
	assert_int_equal(start(&r->t[0], "/ok"), 0);
	expect_unwatched(r);
}

/* Its request is not answered. The time counts from then on, so it is connected, however slow this host is. */
static void start_slow(struct transfer *t)
{
	(void)curl_easy_setopt(t->request.easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
	(void)curl_easy_setopt(t->request.easy, CURLOPT_LOW_SPEED_TIME, 1L);
	assert_int_equal(start(t, "/hang"), 0);
}

static void start_and_time_out(struct transfer *t)
{
	unsigned int calls = t->fixture->dones;

	start_slow(t);
	await_that(t->fixture, has_calls, calls + 1);
	assert_int_equal(t->result, CURLE_OPERATION_TIMEDOUT);
}

/* What is under way on connections of before has its own watchers. */
static void others_go_on_without_a_watcher(void **state)
{
	struct curl_fixture *r = *state;

	assert_int_equal(start(&r->t[2], "/hang"), 0);
	start_and_time_out(&r->t[3]);
	lib.no_watcher = true;
	assert_int_equal(start(&r->t[0], "/ok"), 0);
	await_that(r, has_calls, 2);
	assert_int_equal(r->t[0].result, CURLE_OUT_OF_MEMORY);
	assert_true(r->t[2].request.active);
	lib.no_watcher = false;
}

static void a_watcher_without_memory(void **state)
{
	struct curl_fixture *r = *state;

	assert_int_equal(start(&r->t[0], "/ok"), 0);
	failing_alloc_arm(1);
	expect_unwatched(r);
	assert_true(failing_alloc_fired());
}

/* At first for the connection, then for the answer. */
static void a_watch_that_cannot_start(void **state)
{
	struct curl_fixture *r = *state;

	for (unsigned int n = 1; n <= 2; n++) {
		lib.watches = 0;
		lib.bad_watch = n;
		assert_int_equal(start(&r->t[0], "/hang"), 0);
		expect_unwatched(r);
	}
}

/* Without memory for new connections those of before a time-out stay in use. */
static void a_time_out_without_memory(void **state)
{
	struct curl_fixture *r = *state;

	assert_int_equal(start(&r->t[0], "/ok"), 0);
	assert_int_equal(start(&r->t[1], "/ok"), 0);
	await_that(r, has_calls, 2);
	lib.no_multi = true;
	start_and_time_out(&r->t[0]);
	assert_int_equal(start(&r->t[1], "/ok"), 0);
	await_that(r, has_calls, 4);
	assert_string_equal(r->t[1].body, "fine");
	assert_int_equal(r->server.connections, 2);
}

static void a_lifetime_that_ends_without_memory(void **state)
{
	struct curl_fixture *r = *state;

	fffa_curl_loop_limit_lifetime(r->bridge, 1);
	assert_int_equal(start(&r->t[0], "/ok"), 0);
	await_that(r, has_calls, 1);
	lib.no_multi = true;
	uv_sleep(2);
	uv_update_time(&r->loop);
	assert_int_equal(start(&r->t[0], "/ok"), 0);
	await_that(r, has_calls, 2);
	assert_string_equal(r->t[0].body, "fine");
}

/* Where they are distrusted already, another time-out says nothing new. */
static void two_time_outs_of_the_same_age(void **state)
{
	struct curl_fixture *r = *state;

	start_slow(&r->t[0]);
	start_slow(&r->t[1]);
	await_that(r, has_calls, 2);
	assert_int_equal(r->t[0].result, CURLE_OPERATION_TIMEDOUT);
	assert_int_equal(r->t[1].result, CURLE_OPERATION_TIMEDOUT);
	assert_int_equal(lib.made, 2);
}

/* What ends on connections of before, and what is on new ones. */
static void a_close_with_old_connections(void **state)
{
	struct curl_fixture *r = *state;

	assert_int_equal(start(&r->t[0], "/hang"), 0);
	start_and_time_out(&r->t[1]);
	assert_int_equal(lib.multis, 2);
	assert_int_equal(start(&r->t[2], "/hang"), 0);
	await_that(r, has_requests, 3);
	close_bridge(r);
	assert_int_equal(lib.transfers, 0); /* the handles are the caller's again */
	await_that(r, is_closed, 0);
	assert_int_equal(lib.multis, 0);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(r->t[i].calls, 1);
		assert_int_equal(r->t[i].result,
				 i == 1 ? CURLE_OPERATION_TIMEDOUT : CURLE_ABORTED_BY_CALLBACK);
	}
}

static bool has_multis(struct curl_fixture *r, unsigned int n)
{
	(void)r;
	return lib.multis == (int)n;
}

/* Old connections go when the last transfer on them ends: done, or cancelled. */
static void old_connections_end_with_their_transfers(void **state)
{
	struct curl_fixture *r = *state;

	for (unsigned int n = 0; n < 2; n++) {
		assert_int_equal(start(&r->t[0], "/hang"), 0);
		assert_int_equal(start(&r->t[2], "/hang"), 0);
		start_and_time_out(&r->t[1]);
		assert_int_equal(lib.multis, 2);
		cancel(&r->t[0]);
		assert_int_equal(lib.multis, 2);
		if (n)
			canned_server_drop_all(&r->server);
		else
			cancel(&r->t[2]);
		await_that(r, has_multis, 1);
		assert_false(r->t[2].request.active);
	}
}

/* Those of two time-outs, and the older ones end first. */
static void each_of_the_old_connections_ends(void **state)
{
	struct curl_fixture *r = *state;

	assert_int_equal(start(&r->t[0], "/hang"), 0);
	start_and_time_out(&r->t[1]);
	assert_int_equal(start(&r->t[2], "/hang"), 0);
	start_and_time_out(&r->t[1]);
	assert_int_equal(lib.multis, 3);
	cancel(&r->t[0]);
	assert_int_equal(lib.multis, 2);
	assert_true(r->t[2].request.active);
	cancel(&r->t[2]);
	assert_int_equal(lib.multis, 1);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(an_open_that_fails_leaves_nothing),	T(libcurl_knows_the_bound),
		T(libcurl_hears_what_is_ready),		T(each_of_the_old_connections_ends),
		T(a_start_that_libcurl_refuses),	T(a_setting_that_libcurl_refuses),
		T(a_waiting_one_that_libcurl_refuses),	T(others_go_on_without_a_watcher),
		T(a_descriptor_that_cannot_be_watched), T(a_watcher_without_memory),
		T(a_watch_that_cannot_start),		T(a_time_out_without_memory),
		T(a_lifetime_that_ends_without_memory), T(two_time_outs_of_the_same_age),
		T(a_close_with_old_connections),	T(old_connections_end_with_their_transfers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
