// SPDX-License-Identifier: MIT
#include "tests/unit/enrich/ecs_fake.h"

#include <stdarg.h>
#include <stdio.h>

#include "tests/stubs/cmocka_all.h"
#include "tests/unit/enrich/fake_loop.h"

struct ecs_fake ecs_fake;

static struct fffa_curl_loop *const bridge = (void *)&ecs_fake; /* any address */

CURLcode __wrap_curl_global_init(long flags);
void __wrap_curl_global_cleanup(void);
CURL *__wrap_curl_easy_init(void);
void __wrap_curl_easy_cleanup(CURL *easy);
CURLcode __wrap_curl_easy_setopt(CURL *easy, CURLoption option, ...);
CURLcode __wrap_curl_easy_getinfo(CURL *easy, CURLINFO info, ...);
int __wrap_fffa_http_bounds_set(CURL *e, uint64_t timeout_ms, struct fffa_http_body *body);
int __wrap_fffa_curl_loop_open(uv_loop_t *loop, long max_connections, struct fffa_curl_loop **out);
int __wrap_fffa_curl_loop_start(struct fffa_curl_loop *c, struct fffa_curl_request *r);
void __wrap_fffa_curl_loop_cancel(struct fffa_curl_loop *c, struct fffa_curl_request *r);
void __wrap_fffa_curl_loop_close(struct fffa_curl_loop *c, void (*closed)(void *arg), void *arg);

CURLcode __wrap_curl_global_init(long flags)
{
	assert_int_equal(flags, CURL_GLOBAL_DEFAULT);
	if (++ecs_fake.global_inits == ecs_fake.global_fails)
		return CURLE_FAILED_INIT;
	ecs_fake.globals++;
	return CURLE_OK;
}

void __wrap_curl_global_cleanup(void)
{
	ecs_fake.globals--;
}

CURL *__wrap_curl_easy_init(void)
{
	if (++ecs_fake.inits == ecs_fake.init_fails)
		return NULL;
	ecs_fake.easies++;
	assert_true(ecs_fake.n < 2);
	ecs_fake.v[ecs_fake.n].easy = &ecs_fake.v[ecs_fake.n];
	return ecs_fake.v[ecs_fake.n++].easy;
}

void __wrap_curl_easy_cleanup(CURL *easy)
{
	assert_non_null(easy);
	ecs_fake.easies--;
}

CURLcode __wrap_curl_easy_setopt(CURL *easy, CURLoption option, ...)
{
	struct fake_request *f = easy;
	va_list ap;

	assert_int_equal(option, CURLOPT_URL);
	if (++ecs_fake.urls == ecs_fake.url_fails)
		return CURLE_OUT_OF_MEMORY;
	va_start(ap, option);
	(void)snprintf(f->url, sizeof(f->url), "%s", va_arg(ap, const char *));
	va_end(ap);
	return CURLE_OK;
}

CURLcode __wrap_curl_easy_getinfo(CURL *easy, CURLINFO info, ...)
{
	va_list ap;

	(void)easy;
	assert_int_equal(info, CURLINFO_RESPONSE_CODE);
	va_start(ap, info);
	*va_arg(ap, long *) = ecs_fake.status;
	va_end(ap);
	return CURLE_OK;
}

int __wrap_fffa_http_bounds_set(CURL *e, uint64_t timeout_ms, struct fffa_http_body *body)
{
	struct fake_request *f = e;

	f->body = body;
	ecs_fake.timeout_ms = timeout_ms;
	return ecs_fake.bound_error;
}

int __wrap_fffa_curl_loop_open(uv_loop_t *loop, long max_connections, struct fffa_curl_loop **out)
{
	assert_ptr_equal(loop, &fake_loop.loop);
	assert_int_equal(max_connections, 2); /* nobody waits for the ECS agent */
	if (!ecs_fake.open_error)
		*out = bridge;
	return ecs_fake.open_error;
}

int __wrap_fffa_curl_loop_start(struct fffa_curl_loop *c, struct fffa_curl_request *r)
{
	struct fake_request *f = r->easy;

	assert_ptr_equal(c, bridge);
	assert_false(f->active);
	assert_int_equal(f->body->len, 0);
	assert_false(f->body->too_big);
	if (ecs_fake.start_error)
		return ecs_fake.start_error;
	f->r = r;
	f->active = true;
	return 0;
}

void __wrap_fffa_curl_loop_cancel(struct fffa_curl_loop *c, struct fffa_curl_request *r)
{
	struct fake_request *f = r->easy;

	assert_ptr_equal(c, bridge);
	f->active = false;
	f->cancelled = true;
}

void __wrap_fffa_curl_loop_close(struct fffa_curl_loop *c, void (*closed)(void *arg), void *arg)
{
	assert_ptr_equal(c, bridge);
	ecs_fake.bridge_closed = closed;
	ecs_fake.bridge_arg = arg;
}
