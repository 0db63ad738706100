// SPDX-License-Identifier: MIT
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "sinks/http/http.h"
#include "tests/contract/peer.h"
#include "tests/stubs/http_server.h"

struct peer {
	struct http_server *http;
	char url[64];
	struct fffa_sink_http_conf conf;
};

static struct peer *open_peer(void)
{
	struct peer *f = calloc(1, sizeof(*f));

	if (!f)
		abort();
	f->http = http_server_open();
	(void)snprintf(f->url, sizeof(f->url), "http://127.0.0.1:%d/in", http_server_port(f->http));
	return f;
}

static void close_peer(struct peer *f)
{
	http_server_close(f->http);
	free(f);
}

static const void *conf(struct peer *f)
{
	f->conf.url = f->url;
	f->conf.compress = FFFA_HTTP_ZSTD;
	f->conf.tls.verify = true;
	f->conf.timeout_ns = INT64_C(30000000000);
	f->conf.requests = 4;
	return &f->conf;
}

static const void *bad_conf(struct peer *f)
{
	static const char missing[] = "no/such/file";

	(void)conf(f);
	f->conf.tls.ca_file = (char *)(uintptr_t)missing;
	return &f->conf;
}

/* Several requests are in flight, so they arrive in any order. */
static int by_number(const void *a, const void *b)
{
	const struct http_server_post *const p[] = {a, b};
	unsigned long first[2];

	for (int i = 0; i < 2; i++) {
		const char *at = strstr(p[i]->head, "FFFA-Batch: unknown-0-");

		if (!at)
			abort();
		first[i] = strtoul(at + 22, NULL, 10);
	}
	return (first[0] > first[1]) - (first[0] < first[1]);
}

static struct fffa_span bytes(struct peer *f)
{
	struct fffa_span all = {NULL, 0};
	uint8_t *text = malloc(1);
	size_t n, len = 0;
	struct http_server_post *posts = http_server_posts(f->http, &n);

	qsort(posts, n, sizeof(*posts), by_number);
	for (size_t i = 0; i < n; i++) {
		size_t size = ZSTD_getFrameContentSize(posts[i].body, posts[i].len);
		uint8_t *more = size < SIZE_MAX / 2 ? realloc(text, len + size + 1) : NULL;

		if (!more)
			abort();
		text = more;
		if (ZSTD_decompress(text + len, size, posts[i].body, posts[i].len) != size)
			abort();
		len += size;
	}
	http_server_free(posts, n);
	all.ptr = text;
	all.len = len;
	return all;
}

static void break_it(struct peer *f)
{
	http_server_set(f->http, HTTP_SERVER_BROKEN);
}

static void repair(struct peer *f)
{
	http_server_answer(f->http, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
	http_server_set(f->http, HTTP_SERVER_OK);
}

static void mute(struct peer *f)
{
	http_server_set(f->http, HTTP_SERVER_MUTE);
}

static void refuse(struct peer *f)
{
	http_server_answer(f->http, "HTTP/1.1 415 No\r\nContent-Length: 9\r\n\r\nonly XML\n");
	http_server_set(f->http, HTTP_SERVER_REFUSE);
}

static void refuse_without_reason(struct peer *f)
{
	http_server_answer(f->http, "HTTP/1.1 400 No\r\nContent-Length: 0\r\n\r\n");
	http_server_set(f->http, HTTP_SERVER_REFUSE);
}

static const void *stalled_conf(struct peer *f)
{
	http_server_set(f->http, HTTP_SERVER_DEAF);
	return conf(f);
}

const struct peer_ops peer_http_ops = {
	.sink = &fffa_sink_http_ops,
	.no_preamble = true,
	.open = open_peer,
	.close = close_peer,
	.conf = conf,
	.bad_conf = bad_conf,
	.bytes = bytes,
	.break_it = break_it,
	.repair = repair,
	.mute = mute,
	.refuse = refuse,
	.said = "only XML",
	.refuse_without_reason = refuse_without_reason,
	.stalled_conf = stalled_conf,
	.stall_bytes = 1,
};
