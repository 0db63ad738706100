// SPDX-License-Identifier: MIT
#include "tests/unit/enrich/imds_fake.h"

#include <stdio.h>

#include "agent/loop/curl_loop.h"
#include "tests/stubs/cmocka_all.h"
#include "tests/unit/enrich/fake_loop.h"

struct imds_fake imds_fake;

static struct fffa_curl_loop *const bridge = (void *)&imds_fake; /* any address */

int __wrap_fffa_imds_http_init(struct fffa_imds_http *h, uint64_t timeout_ms);
int __wrap_fffa_imds_http_put_token(struct fffa_imds_http *h, uint32_t ttl_s);
int __wrap_fffa_imds_http_get(struct fffa_imds_http *h, const char *path, const char *token);
void __wrap_fffa_imds_http_fini(struct fffa_imds_http *h);
int __wrap_fffa_curl_loop_open(uv_loop_t *loop, long max_connections, struct fffa_curl_loop **out);
void __wrap_fffa_curl_loop_close(struct fffa_curl_loop *c, void (*closed)(void *arg), void *arg);

int __wrap_fffa_imds_http_init(struct fffa_imds_http *h, uint64_t timeout_ms)
{
	imds_fake.http = h;
	imds_fake.timeout_ms = timeout_ms;
	return imds_fake.init_error;
}

static int take(struct fffa_imds_http *h)
{
	assert_ptr_equal(h, imds_fake.http);
	assert_ptr_equal(h->bridge, bridge);
	assert_int_equal(imds_fake.requests, imds_fake.answered); /* one at a time */
	if (!imds_fake.send_error)
		imds_fake.requests++;
	return imds_fake.send_error;
}

int __wrap_fffa_imds_http_put_token(struct fffa_imds_http *h, uint32_t ttl_s)
{
	imds_fake.path[0] = '\0';
	imds_fake.ttl_s = ttl_s;
	return take(h);
}

int __wrap_fffa_imds_http_get(struct fffa_imds_http *h, const char *path, const char *token)
{
	(void)snprintf(imds_fake.path, sizeof(imds_fake.path), "%s", path);
	(void)snprintf(imds_fake.token, sizeof(imds_fake.token), "%s", token);
	return take(h);
}

void __wrap_fffa_imds_http_fini(struct fffa_imds_http *h)
{
	assert_ptr_equal(h, imds_fake.http);
	imds_fake.fini++;
}

int __wrap_fffa_curl_loop_open(uv_loop_t *loop, long max_connections, struct fffa_curl_loop **out)
{
	assert_ptr_equal(loop, &fake_loop.loop);
	assert_int_equal(max_connections, 1);
	if (!imds_fake.bridge_error)
		*out = bridge;
	return imds_fake.bridge_error;
}

void __wrap_fffa_curl_loop_close(struct fffa_curl_loop *c, void (*closed)(void *arg), void *arg)
{
	assert_ptr_equal(c, bridge);
	imds_fake.bridge_closed = closed;
	imds_fake.bridge_arg = arg;
}
