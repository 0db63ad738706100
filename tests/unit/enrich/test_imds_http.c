// SPDX-License-Identifier: MIT
/* What one request to IMDS asks of libcurl, within which bounds, and what is read of its answer. */
#include "agent/enrich/imds/imds_http.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/stubs/cmocka_all.h"

#define ENDPOINT  "http://127.0.0.1:1338/base"
#define TTL	  "X-aws-ec2-metadata-token-ttl-seconds:"
#define OPTIONS	  64
#define LARGEST_S 21600

/* In the place of libcurl and of the bridge. */
static struct {
	struct {
		CURLoption option;
		long number;
		const void *pointer;
		void (*function)(void);
	} set[OPTIONS];
	size_t n;
	unsigned int sets, set_fails, appends, append_fails; /* from 1; 0: never */
	int globals, easies, start_error;
	bool global_fails, init_fails;
	unsigned int starts, cancels;
	long status;
	char url[640]; /* libcurl copies it, too */
} fake;

static CURL *const easy = &fake; /* any address */
static struct fffa_curl_loop *const bridge = (void *)&fake;

CURLcode __wrap_curl_global_init(long flags);
void __wrap_curl_global_cleanup(void);
CURL *__wrap_curl_easy_init(void);
void __wrap_curl_easy_cleanup(CURL *e);
CURLcode __wrap_curl_easy_setopt(CURL *e, CURLoption option, ...);
CURLcode __wrap_curl_easy_getinfo(CURL *e, CURLINFO info, ...);
struct curl_slist *__real_curl_slist_append(struct curl_slist *list, const char *line);
struct curl_slist *__wrap_curl_slist_append(struct curl_slist *list, const char *line);
int __wrap_fffa_curl_loop_start(struct fffa_curl_loop *c, struct fffa_curl_request *r);
void __wrap_fffa_curl_loop_cancel(struct fffa_curl_loop *c, struct fffa_curl_request *r);

CURLcode __wrap_curl_global_init(long flags)
{
	assert_int_equal(flags, CURL_GLOBAL_DEFAULT);
	fake.globals += fake.global_fails ? 0 : 1;
	return fake.global_fails ? CURLE_FAILED_INIT : CURLE_OK;
}

void __wrap_curl_global_cleanup(void)
{
	fake.globals--;
}

CURL *__wrap_curl_easy_init(void)
{
	fake.easies += fake.init_fails ? 0 : 1;
	return fake.init_fails ? NULL : easy;
}

void __wrap_curl_easy_cleanup(CURL *e)
{
	fake.easies -= e ? 1 : 0;
}

static size_t place_of(CURLoption option)
{
	size_t i = 0;

	while (i < fake.n && fake.set[i].option != option)
		i++;
	return i;
}

CURLcode __wrap_curl_easy_setopt(CURL *e, CURLoption option, ...)
{
	size_t i = place_of(option);
	va_list ap;

	assert_ptr_equal(e, easy);
	if (++fake.sets == fake.set_fails)
		return CURLE_OUT_OF_MEMORY;
	assert_true(i < OPTIONS);
	memset(&fake.set[i], 0, sizeof(fake.set[i]));
	fake.n += i == fake.n ? 1 : 0;
	fake.set[i].option = option;
	va_start(ap, option);
	if (option < CURLOPTTYPE_OBJECTPOINT)
		fake.set[i].number = va_arg(ap, long);
	else if (option < CURLOPTTYPE_FUNCTIONPOINT)
		fake.set[i].pointer = va_arg(ap, const void *);
	else
		fake.set[i].function = va_arg(ap, void (*)(void));
	va_end(ap);
	if (option == CURLOPT_URL) {
		(void)snprintf(fake.url, sizeof(fake.url), "%s", (const char *)fake.set[i].pointer);
		fake.set[i].pointer = fake.url;
	}
	return CURLE_OK;
}

CURLcode __wrap_curl_easy_getinfo(CURL *e, CURLINFO info, ...)
{
	va_list ap;

	assert_ptr_equal(e, easy);
	assert_int_equal(info, CURLINFO_RESPONSE_CODE);
	va_start(ap, info);
	*va_arg(ap, long *) = fake.status;
	va_end(ap);
	return CURLE_OK;
}

struct curl_slist *__wrap_curl_slist_append(struct curl_slist *list, const char *line)
{
	return ++fake.appends == fake.append_fails ? NULL : __real_curl_slist_append(list, line);
}

int __wrap_fffa_curl_loop_start(struct fffa_curl_loop *c, struct fffa_curl_request *r)
{
	assert_ptr_equal(c, bridge);
	assert_ptr_equal(r->easy, easy);
	fake.starts++;
	return fake.start_error;
}

void __wrap_fffa_curl_loop_cancel(struct fffa_curl_loop *c, struct fffa_curl_request *r)
{
	assert_ptr_equal(c, bridge);
	assert_ptr_equal(r->easy, easy);
	fake.cancels++;
}

static long number_of(CURLoption option)
{
	size_t i = place_of(option);

	assert_true(i < fake.n);
	return fake.set[i].number;
}

static const void *pointer_of(CURLoption option)
{
	size_t i = place_of(option);

	assert_true(i < fake.n);
	return fake.set[i].pointer;
}

static curl_write_callback callback_of(CURLoption option)
{
	size_t i = place_of(option);

	assert_true(i < fake.n);
	return (curl_write_callback)fake.set[i].function;
}

struct fixture {
	struct fffa_imds_http http;
	unsigned int replies;
	struct fffa_imds_reply reply;
};

static void on_reply(void *arg, const struct fffa_imds_reply *r)
{
	struct fixture *x = arg;

	x->replies++;
	x->reply = *r;
}

static void prepare(struct fixture *x)
{
	memset(&fake, 0, sizeof(fake));
	memset(x, 0, sizeof(*x));
	memcpy(x->http.endpoint, ENDPOINT, sizeof(ENDPOINT));
	x->http.done = on_reply;
	x->http.arg = x;
}

static int setup(void **state)
{
	struct fixture *x = malloc(sizeof(*x));

	if (!x)
		return -1;
	*state = x;
	prepare(x);
	if (fffa_imds_http_init(&x->http, 1500) != 0)
		return -1;
	x->http.bridge = bridge;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *x = *state;

	fffa_imds_http_fini(&x->http);
	assert_int_equal(fake.cancels, 1);
	assert_int_equal(fake.easies, 0);
	assert_int_equal(fake.globals, 0);
	assert_null(x->http.headers);
	fffa_imds_http_fini(&x->http); /* does nothing */
	assert_int_equal(fake.cancels, 1);
	assert_int_equal(fake.globals, 0);
	free(x);
	return 0;
}

static void the_bounds_of_every_request(void **state)
{
	struct fixture *x = *state;

	assert_string_equal(pointer_of(CURLOPT_PROXY), "");
	assert_string_equal(pointer_of(CURLOPT_NOPROXY), "*");
	assert_int_equal(number_of(CURLOPT_FOLLOWLOCATION), 0);
#if LIBCURL_VERSION_NUM >= 0x075500
	assert_string_equal(pointer_of(CURLOPT_PROTOCOLS_STR), "http");
#endif
	assert_int_equal(number_of(CURLOPT_HTTP_VERSION), CURL_HTTP_VERSION_1_1);
	assert_int_equal(number_of(CURLOPT_DISALLOW_USERNAME_IN_URL), 1);
	assert_int_equal(number_of(CURLOPT_NETRC), CURL_NETRC_IGNORED);
	assert_int_equal(number_of(CURLOPT_CONNECTTIMEOUT_MS), 1500);
	assert_int_equal(number_of(CURLOPT_TIMEOUT_MS), 1500);
	assert_int_equal(number_of(CURLOPT_MAXFILESIZE), FFFA_IMDS_BODY_MAX_BYTES);
	assert_string_equal(pointer_of(CURLOPT_USERAGENT), "fffa");
	assert_ptr_equal(pointer_of(CURLOPT_WRITEDATA), &x->http.body);
	assert_ptr_equal(pointer_of(CURLOPT_HEADERDATA), &x->http);
	assert_int_equal(fake.globals, 1);
}

static void a_time_limit_of_at_most_an_hour(void **state)
{
	struct fffa_http_body body = {.cap = 100};

	(void)state;
	assert_int_equal(fffa_http_bounds_set(easy, 3600000, &body), 0);
	assert_int_equal(number_of(CURLOPT_TIMEOUT_MS), 3600000);
	assert_int_equal(fffa_http_bounds_set(easy, 3599999, &body), 0);
	assert_int_equal(number_of(CURLOPT_TIMEOUT_MS), 3599999);
	assert_int_equal(fffa_http_bounds_set(easy, UINT64_MAX, &body), 0);
	assert_int_equal(number_of(CURLOPT_TIMEOUT_MS), 3600000);
	assert_int_equal(number_of(CURLOPT_CONNECTTIMEOUT_MS), 3600000);
	assert_int_equal(number_of(CURLOPT_MAXFILESIZE), 100);
	assert_ptr_equal(pointer_of(CURLOPT_HEADERDATA), &body);
	/* The headers are only counted. */
	assert_int_equal(callback_of(CURLOPT_HEADERFUNCTION)(NULL, 1, 7, &body), 7);
	assert_int_equal(body.header_bytes, 7);
	assert_int_equal(
		callback_of(CURLOPT_HEADERFUNCTION)(NULL, 1, FFFA_HTTP_HEADER_BYTES_MAX, &body), 0);
}

static void a_token_and_then_a_question(void **state)
{
	struct fixture *x = *state;
	const struct curl_slist *h;

	assert_int_equal(fffa_imds_http_put_token(&x->http, LARGEST_S), 0);
	assert_int_equal(fake.starts, 1);
	assert_string_equal(pointer_of(CURLOPT_URL), ENDPOINT "/latest/api/token");
	assert_string_equal(pointer_of(CURLOPT_CUSTOMREQUEST), "PUT");
	assert_string_equal(pointer_of(CURLOPT_POSTFIELDS), "");
	assert_int_equal(number_of(CURLOPT_POSTFIELDSIZE), 0);
	h = pointer_of(CURLOPT_HTTPHEADER);
	assert_string_equal(h->data, TTL " 21600");
	assert_string_equal(h->next->data, "Content-Type:"); /* none, that is */
	assert_null(h->next->next);
	memset(fake.set, 0, sizeof(fake.set)); /* what follows is set anew */
	fake.n = 0;
	assert_int_equal(fffa_imds_http_get(&x->http, "/latest/x", "token-1"), 0);
	assert_int_equal(fake.starts, 2);
	assert_string_equal(pointer_of(CURLOPT_URL), ENDPOINT "/latest/x");
	assert_null(pointer_of(CURLOPT_CUSTOMREQUEST));
	assert_int_equal(number_of(CURLOPT_HTTPGET), 1);
	h = pointer_of(CURLOPT_HTTPHEADER);
	assert_string_equal(h->data, "X-aws-ec2-metadata-token: token-1");
	assert_null(h->next);
}

static void requests_that_are_not_sent(void **state)
{
	char token[FFFA_IMDS_TOKEN_MAX_BYTES + 2], path[600];
	struct fixture *x = *state;

	memset(token, 'a', sizeof(token));
	token[FFFA_IMDS_TOKEN_MAX_BYTES + 1] = '\0';
	memset(path, '/', sizeof(path));
	assert_int_equal(fffa_imds_http_get(&x->http, "/latest/x", ""), -EINVAL);
	path[sizeof(path) - 1] = '\0';
	assert_int_equal(fffa_imds_http_get(&x->http, path, "t"), -EINVAL);
	path[FFFA_IMDS_ENDPOINT_MAX_BYTES + 256 - strlen(ENDPOINT)] = '\0';
	assert_int_equal(fffa_imds_http_get(&x->http, path, "t"), -EINVAL);
	x->http.request.active = true;
	assert_int_equal(fffa_imds_http_get(&x->http, "/latest/x", "t"), -EALREADY);
	assert_int_equal(fffa_imds_http_put_token(&x->http, 1), -EALREADY);
	x->http.request.active = false;
	assert_int_equal(fake.starts, 0);
	path[FFFA_IMDS_ENDPOINT_MAX_BYTES + 255 - strlen(ENDPOINT)] = '\0';
	assert_int_equal(fffa_imds_http_get(&x->http, path, "t"), 0);
	token[FFFA_IMDS_TOKEN_MAX_BYTES] = '\0';
	assert_int_equal(fffa_imds_http_get(&x->http, "/latest/x", token), 0);
	fake.start_error = -EIO;
	assert_int_equal(fffa_imds_http_get(&x->http, "/latest/x", token), -EIO);
}

static size_t header(const char *line)
{
	char copy[128];

	strcpy(copy, line);
	return callback_of(CURLOPT_HEADERFUNCTION)(copy, 1, strlen(line),
						   (void *)pointer_of(CURLOPT_HEADERDATA));
}

static size_t body(char *bytes, size_t n)
{
	return callback_of(CURLOPT_WRITEFUNCTION)(bytes, 1, n,
						  (void *)pointer_of(CURLOPT_WRITEDATA));
}

static void end(struct fixture *x, CURLcode result, long status)
{
	fake.status = status;
	x->http.request.done(&x->http.request, result);
}

static void what_an_answer_says(void **state)
{
	struct fixture *x = *state;
	char one[] = "tok", two[] = "en";

	assert_int_equal(fffa_imds_http_put_token(&x->http, 60), 0);
	assert_int_equal(header("HTTP/1.1 200 OK\r\n"), 17);
	assert_int_equal(header(TTL " 60\r\n"), strlen(TTL " 60\r\n"));
	assert_int_equal(body(one, 3), 3);
	assert_int_equal(body(two, 2), 2);
	end(x, CURLE_OK, 200);
	assert_int_equal(x->replies, 1);
	assert_int_equal(x->reply.result, CURLE_OK);
	assert_int_equal(x->reply.status, 200);
	assert_int_equal(x->reply.len, 5);
	assert_memory_equal(x->reply.body, "token", 5);
	assert_int_equal(x->reply.token_ttl_s, 60);
	/* Nothing of it is left in the next one. */
	assert_int_equal(fffa_imds_http_get(&x->http, "/latest/x", "token"), 0);
	end(x, CURLE_OPERATION_TIMEDOUT, 200);
	assert_int_equal(x->reply.result, CURLE_OPERATION_TIMEDOUT);
	assert_int_equal(x->reply.status, 0);
	assert_int_equal(x->reply.len, 0);
	assert_int_equal(x->reply.token_ttl_s, 0);
}

static void the_life_of_a_token(void **state)
{
	static const struct {
		const char *line;
		uint32_t want;
	} rows[] = {
		{TTL "1\r\n", 1},
		{TTL " \t 21600\r\n", LARGEST_S},
		{TTL " 21599", 21599},
		{TTL "21601\r\n", 0},
		{TTL "99999999999999999999\r\n", 0},
		{TTL "\r\n", 0},
		{TTL "", 0},
		{TTL " ", 0},
		{TTL "-1\r\n", 0},
		{TTL "12x\r\n", 12},
		{TTL ":1\r\n", 0},
		{TTL "/1\r\n", 0},
		{"x-AWS-ec2-metadata-token-ttl-seconds: 7\r\n", 7},
		{"X-aws-ec2-metadata-token-ttl-second: 7\r\n", 0},
		{"X-aws-ec2-metadata-token-ttl-seconds : 7\r\n", 0},
		{"Y-aws-ec2-metadata-token-ttl-seconds: 7\r\n", 0},
	};
	struct fixture *x = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(fffa_imds_http_put_token(&x->http, 60), 0);
		assert_int_equal(header(rows[i].line), strlen(rows[i].line));
		end(x, CURLE_OK, 200);
		if (x->reply.token_ttl_s != rows[i].want)
			fail_msg("%s: %u", rows[i].line, x->reply.token_ttl_s);
	}
}

static void a_body_of_the_largest_size(void **state)
{
	static char bytes[FFFA_IMDS_BODY_MAX_BYTES + 1];
	struct fixture *x = *state;

	assert_int_equal(fffa_imds_http_get(&x->http, "/latest/x", "t"), 0);
	assert_int_equal(body(bytes, FFFA_IMDS_BODY_MAX_BYTES - 1), FFFA_IMDS_BODY_MAX_BYTES - 1);
	assert_int_equal(body(bytes, 1), 1);
	end(x, CURLE_OK, 200);
	assert_int_equal(x->reply.len, FFFA_IMDS_BODY_MAX_BYTES);
	assert_int_equal(fffa_imds_http_get(&x->http, "/latest/x", "t"), 0);
	assert_int_equal(body(bytes, FFFA_IMDS_BODY_MAX_BYTES + 1), 0);
	end(x, CURLE_WRITE_ERROR, 200);
	assert_int_equal(x->reply.result, CURLE_FILESIZE_EXCEEDED);
	assert_int_equal(fffa_imds_http_get(&x->http, "/latest/x", "t"), 0);
	for (size_t i = 0; i < FFFA_HTTP_HEADER_BYTES_MAX / 100; i++)
		assert_int_equal(callback_of(CURLOPT_HEADERFUNCTION)(bytes, 1, 100, &x->http), 100);
	assert_int_equal(callback_of(CURLOPT_HEADERFUNCTION)(bytes, 1, 100, &x->http), 0);
	end(x, CURLE_WRITE_ERROR, 200);
	assert_int_equal(x->reply.result, CURLE_FILESIZE_EXCEEDED);
}

/* Whatever option or header libcurl has no memory for: the request is not sent, and the next one is. */
static void no_memory_for_a_request(void **state)
{
	struct fixture *x = *state;

	for (int put = 0; put < 2; put++) {
		for (unsigned int i = 1; i <= (put ? 7u : 5u); i++) {
			unsigned int starts = fake.starts, options = put ? 5 : 4;

			fake.sets = fake.appends = 0;
			fake.set_fails = i <= options ? i : 0;
			fake.append_fails = i <= options ? 0 : i - options;
			assert_int_equal(put ? fffa_imds_http_put_token(&x->http, 60)
					     : fffa_imds_http_get(&x->http, "/latest/x", "t"),
					 -ENOMEM);
			assert_int_equal(fake.starts, starts);
		}
		fake.set_fails = fake.append_fails = fake.sets = fake.appends = 0;
		assert_int_equal(put ? fffa_imds_http_put_token(&x->http, 60)
				     : fffa_imds_http_get(&x->http, "/latest/x", "t"),
				 0);
		assert_int_equal(fake.sets, put ? 5 : 4);
		assert_int_equal(fake.appends, put ? 2 : 1);
	}
}

static void a_start_that_fails_leaves_nothing(void **state)
{
	struct fixture *x = malloc(sizeof(*x));
	unsigned int options;

	(void)state;
	assert_non_null(x);
	prepare(x);
	assert_int_equal(fffa_imds_http_init(&x->http, 1500), 0);
	options = fake.sets;
	assert_int_equal(options, fake.n + 2); /* the headers' function and its argument twice */
	for (unsigned int i = 1; i <= options + 2; i++) {
		prepare(x);
		fake.set_fails = i <= options ? i : 0;
		fake.global_fails = i == options + 1;
		fake.init_fails = i == options + 2;
		assert_int_equal(fffa_imds_http_init(&x->http, 1500), -ENOMEM);
		assert_int_equal(fake.easies, 0);
		assert_int_equal(fake.globals, 0);
		assert_null(x->http.request.easy);
	}
	free(x);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(the_bounds_of_every_request),
		T(a_time_limit_of_at_most_an_hour),
		T(a_token_and_then_a_question),
		T(requests_that_are_not_sent),
		T(what_an_answer_says),
		T(the_life_of_a_token),
		T(a_body_of_the_largest_size),
		T(no_memory_for_a_request),
		cmocka_unit_test(a_start_that_fails_leaves_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
