// SPDX-License-Identifier: MIT
#include "sinks/http/exchange.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "agent/base/clock.h"
#include "sinks/http/options.h"

#define UPLOAD_BUFFER_BYTES (256L * 1024)

static int add_header(struct fffa_http_target *t, const char *name, const char *value)
{
	size_t cap = strlen(name) + strlen(value) + 1;
	char *line = malloc(cap);
	struct curl_slist *more = NULL;

	if (line) {
		(void)snprintf(line, cap, "%s%s", name, value);
		more = curl_slist_append(t->headers, line);
		explicit_bzero(line, cap);
		free(line);
	}
	if (!more)
		return -ENOMEM;
	t->headers = more;
	return 0;
}

/* For libcurl, "NAME;" is a header without a value; "NAME:" would remove the header. */
static int add_configured_header(struct fffa_http_target *t, const struct fffa_pair *p)
{
	char name[300]; /* the configuration reader's bound is 256 */

	(void)snprintf(name, sizeof(name), "%s%s", p->key, *p->value ? ": " : ";");
	return add_header(t, name, p->value);
}

static int make_headers(struct fffa_http_target *t, const char *content_type)
{
	static const char *const encodings[] = {
		[FFFA_HTTP_ZSTD] = "zstd", [FFFA_HTTP_GZIP] = "gzip"};
	const struct fffa_sink_http_conf *c = t->conf;
	int rc;

	if (t->shape->content_type)
		content_type = t->shape->content_type;
	rc = add_header(t, "Content-Type: ", content_type ? content_type : "text/plain");
	if (!rc)
		rc = add_header(t, "Expect:", ""); /* no wait for 100 Continue */
	if (!rc && c->compress != FFFA_HTTP_NONE)
		rc = add_header(t, "Content-Encoding: ", encodings[c->compress]);
	if (!rc && fffa_http_is_set(c->auth.bearer))
		rc = add_header(t, t->shape->token, c->auth.bearer);
	for (size_t i = 0; !rc && i < c->headers.n; i++)
		rc = add_configured_header(t, &c->headers.v[i]);
	return rc;
}

/* Makes the URL: conf->url, the shape's path if it has no path, and the shape's query. */
static int make_url(struct fffa_http_target *t)
{
	const struct fffa_http_shape *s = t->shape;
	CURLU *u = curl_url();
	char *path = NULL, *url = NULL;
	CURLUcode rc = CURLUE_OUT_OF_MEMORY;

	if (u)
		rc = curl_url_set(u, CURLUPART_URL, t->conf->url, 0);
	if (!rc)
		rc = curl_url_get(u, CURLUPART_PATH, &path, 0);
	if (!rc && s->path && !strcmp(path, "/"))
		rc = curl_url_set(u, CURLUPART_PATH, s->path, 0);
	if (!rc && s->query)
		rc = curl_url_set(u, CURLUPART_QUERY, s->query, CURLU_APPENDQUERY);
	if (!rc)
		rc = curl_url_get(u, CURLUPART_URL, &url, 0);
	t->url = url ? strdup(url) : NULL;
	curl_free(path);
	curl_free(url);
	curl_url_cleanup(u);
	if (t->url)
		return 0;
	return rc == CURLUE_OUT_OF_MEMORY || !rc ? -ENOMEM : -EINVAL;
}

/* The URL without its query, which may hold a token. NULL without memory. */
static char *mask_query(const char *url)
{
	size_t n = strcspn(url, "?");
	char *shown = malloc(n + 5);

	if (shown)
		(void)snprintf(shown, n + 5, "%.*s%s", (int)n, url, url[n] ? "?***" : "");
	return shown;
}

int fffa_http__exchange_target_init(struct fffa_http_target *t,
				    const struct fffa_sink_http_conf *conf,
				    const char *content_type)
{
	int rc;

	t->conf = conf;
	t->shape = fffa_http_shape_find(conf->shape);
	rc = make_url(t);
	t->shown = rc ? NULL : mask_query(t->url);
	if (!rc && !t->shown)
		rc = -ENOMEM;
	if (!rc)
		rc = make_headers(t, content_type);
	if (rc)
		fffa_http__exchange_target_fini(t);
	return rc;
}

void fffa_http__exchange_target_fini(struct fffa_http_target *t)
{
	for (struct curl_slist *h = t->headers; h; h = h->next)
		explicit_bzero(h->data, strlen(h->data));
	curl_slist_free_all(t->headers);
	free(t->url);
	free(t->shown);
	t->headers = NULL;
	t->url = t->shown = NULL;
}

/* The first failure stays in rc. Each option can fail only for lack of memory. */
#define SET_OPTION(option, value)                                                                  \
	do {                                                                                       \
		if (rc == CURLE_OK)                                                                \
			rc = curl_easy_setopt(e, option, value);                                   \
	} while (0)

static CURLcode set_tls(CURL *e, const struct fffa_sink_http_conf *c)
{
	CURLcode rc = CURLE_OK;

	SET_OPTION(CURLOPT_SSL_VERIFYPEER, (long)c->tls.verify);
	SET_OPTION(CURLOPT_SSL_VERIFYHOST, c->tls.verify ? 2L : 0L);
	SET_OPTION(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	return rc; /* tls_files.c has the certificates */
}

static bool is_https(const char *url)
{
	return !strncasecmp(url, "https:", 6);
}

static CURLcode set_transport(CURL *e, const struct fffa_sink_http_conf *c, const char *url)
{
	long timeout_ms = (long)(c->timeout_ns / 1000000);
	CURLcode rc = CURLE_OK;

	SET_OPTION(CURLOPT_URL, url);
#if LIBCURL_VERSION_NUM >= 0x075500
	SET_OPTION(CURLOPT_PROTOCOLS_STR, "http,https");
#else
	SET_OPTION(CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
	SET_OPTION(CURLOPT_FOLLOWLOCATION, 0L);
	SET_OPTION(CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	SET_OPTION(CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
	/* "": no proxy, not even from the environment. */
	SET_OPTION(CURLOPT_PROXY, c->proxy.url ? c->proxy.url : "");
	SET_OPTION(CURLOPT_NOPROXY, "");
	if (fffa_http_is_set(c->proxy.user)) {
		SET_OPTION(CURLOPT_PROXYAUTH, (long)CURLAUTH_BASIC);
		SET_OPTION(CURLOPT_PROXYUSERNAME, c->proxy.user);
		SET_OPTION(CURLOPT_PROXYPASSWORD, c->proxy.password ? c->proxy.password : "");
	}
	/* Each new connection asks for the address: a name may have moved. */
	SET_OPTION(CURLOPT_DNS_CACHE_TIMEOUT, 0L);
	SET_OPTION(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
	SET_OPTION(CURLOPT_HEADEROPT, (long)CURLHEADER_SEPARATE); /* ours are not for the proxy */
	SET_OPTION(CURLOPT_CONNECTTIMEOUT_MS, timeout_ms);
	SET_OPTION(CURLOPT_TCP_KEEPALIVE, 1L);
	/* HTTP/2 if the server offers it by ALPN. */
	SET_OPTION(CURLOPT_HTTP_VERSION,
		   (long)(is_https(url) ? CURL_HTTP_VERSION_2TLS : CURL_HTTP_VERSION_1_1));
	SET_OPTION(CURLOPT_UPLOAD_BUFFERSIZE, UPLOAD_BUFFER_BYTES);
	SET_OPTION(CURLOPT_USERAGENT, "fffa/" FFFA_VERSION);
	if (fffa_http_is_set(c->auth.user)) {
		SET_OPTION(CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
		SET_OPTION(CURLOPT_USERNAME, c->auth.user);
		SET_OPTION(CURLOPT_PASSWORD, c->auth.password ? c->auth.password : "");
	}
	return rc;
}

int fffa_http__exchange_init(struct fffa_http_exchange *x, const struct fffa_http_target *t)
{
	CURL *e = curl_easy_init();
	CURLcode rc;

	if (!e)
		return -ENOMEM;
	rc = set_transport(e, t->conf, t->url);
	if (rc == CURLE_OK)
		rc = set_tls(e, t->conf);
	x->first = (struct curl_slist){.data = x->batch_line, .next = t->headers};
	x->reply.most = t->shape->reply_max ? t->shape->reply_max : FFFA_HTTP_EXCERPT_BYTES;
	SET_OPTION(CURLOPT_POST, 1L);
	SET_OPTION(CURLOPT_HTTPHEADER, &x->first);
	/* Asks for no compression; an answer that is compressed all the same is read. */
	SET_OPTION(CURLOPT_ACCEPT_ENCODING, "identity");
	SET_OPTION(CURLOPT_WRITEFUNCTION, fffa_http__reply_on_body);
	SET_OPTION(CURLOPT_WRITEDATA, &x->reply);
	SET_OPTION(CURLOPT_HEADERFUNCTION, fffa_http__reply_on_header);
	SET_OPTION(CURLOPT_HEADERDATA, &x->reply);
	SET_OPTION(CURLOPT_ERRORBUFFER, x->error);
	if (rc != CURLE_OK) {
		curl_easy_cleanup(e);
		return -ENOMEM;
	}
	x->request.easy = e;
	x->request.timeout_ms = (uint32_t)(t->conf->timeout_ns / 1000000);
	return 0;
}

#undef SET_OPTION

void fffa_http__exchange_fini(struct fffa_http_exchange *x)
{
	curl_easy_cleanup(x->request.easy);
	x->request.easy = NULL;
	fffa_http__reply_fini(&x->reply);
}

static void name_batch(struct fffa_http_exchange *x, const struct fffa_batch *b)
{
	struct fffa_buf line = {.ptr = (uint8_t *)x->batch_line,
				.held = sizeof(x->batch_line),
				.max = sizeof(x->batch_line)};

	/* Fits: 12 + 63 + 40 + 3 * 20 + 4. */
	fffa_buf_text(&line, "FFFA-Batch: ");
	fffa_http_shape__put_origin(&line, fffa_batch_origin(b));
	fffa_http_json_number(&line, fffa_batch_first_seq(b));
	fffa_buf_text(&line, "-");
	fffa_http_json_number(&line, fffa_batch_last_seq(b));
	fffa_buf_add(&line, "", 1);
}

int fffa_http__exchange_send(struct fffa_http_exchange *x, struct fffa_curl_loop *bridge,
			     const struct fffa_batch *batch, struct fffa_span body)
{
	name_batch(x, batch);
	fffa_http__reply_reset(&x->reply);
	x->error[0] = '\0';
	if (curl_easy_setopt(x->request.easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.len) ||
	    curl_easy_setopt(x->request.easy, CURLOPT_POSTFIELDS, body.ptr))
		return -ENOMEM;
	return fffa_curl_loop_start(bridge, &x->request);
}
