// SPDX-License-Identifier: MIT
#include "agent/enrich/imds/imds_http.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define TTL_HEADER   "X-aws-ec2-metadata-token-ttl-seconds"
#define TOKEN_HEADER "X-aws-ec2-metadata-token"

static uint32_t parse_ttl_s(const char *p, size_t len)
{
	uint32_t v = 0;

	while (len && (*p == ' ' || *p == '\t')) {
		p++;
		len--;
	}
	for (; len && *p >= '0' && *p <= '9' && v <= 21600; p++, len--)
		v = v * 10 + (uint32_t)(*p - '0');
	return v <= 21600 ? v : 0;
}

static size_t on_header(char *line, size_t size, size_t n, void *arg)
{
	static const char name[] = TTL_HEADER ":";
	struct fffa_imds_http *h = arg;
	size_t len = size * n, name_len = sizeof(name) - 1;

	if (!fffa_http_body_count_header(&h->body, len))
		return 0; /* ends the transfer */
	if (len > name_len && strncasecmp(line, name, name_len) == 0)
		h->token_ttl_s = parse_ttl_s(line + name_len, len - name_len);
	return len;
}

static void on_done(struct fffa_curl_request *r, CURLcode result)
{
	struct fffa_imds_http *h = r->arg;
	struct fffa_imds_reply reply = {
		.result = fffa_http_body_result(&h->body, result),
		.body = h->body.v,
		.len = h->body.len,
		.token_ttl_s = h->token_ttl_s,
	};

	if (result == CURLE_OK)
		(void)curl_easy_getinfo(r->easy, CURLINFO_RESPONSE_CODE, &reply.status);
	h->done(h->arg, &reply);
}

static int set_options(struct fffa_imds_http *h, CURL *e, uint64_t timeout_ms)
{
	int rc;

	h->body.v = h->bytes;
	h->body.cap = sizeof(h->bytes);
	rc = fffa_http_bounds_set(e, timeout_ms, &h->body);
	if (!rc && (curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, on_header) != CURLE_OK ||
		    curl_easy_setopt(e, CURLOPT_HEADERDATA, h) != CURLE_OK))
		rc = -ENOMEM;
	return rc;
}

int fffa_imds_http_init(struct fffa_imds_http *h, uint64_t timeout_ms)
{
	CURL *easy = NULL;
	int rc = -ENOMEM;

	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return rc;
	easy = curl_easy_init();
	if (!easy)
		goto fail;
	rc = set_options(h, easy, timeout_ms);
	if (rc)
		goto fail;
	h->request.easy = easy;
	h->request.done = on_done;
	h->request.arg = h;
	return 0;
fail:
	curl_easy_cleanup(easy);
	curl_global_cleanup();
	return rc;
}

/* Sets one header line. A PUT without a body needs an empty Content-Type, else libcurl adds one. */
static int set_headers(struct fffa_imds_http *h, const char *line, bool put)
{
	struct curl_slist *list = curl_slist_append(NULL, line), *more = list;

	if (list && put)
		more = curl_slist_append(list, "Content-Type:");
	if (!more || curl_easy_setopt(h->request.easy, CURLOPT_HTTPHEADER, more) != CURLE_OK) {
		curl_slist_free_all(list);
		return -ENOMEM;
	}
	curl_slist_free_all(h->headers);
	h->headers = more;
	return 0;
}

static int set_method(CURL *easy, bool put)
{
	if (!put)
		return curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L) ||
				       curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, NULL)
			       ? -ENOMEM
			       : 0;
	return curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE, 0L) ||
			       curl_easy_setopt(easy, CURLOPT_POSTFIELDS, "") ||
			       curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, "PUT")
		       ? -ENOMEM
		       : 0;
}

static int send_request(struct fffa_imds_http *h, const char *path, const char *header, bool put)
{
	char url[FFFA_IMDS_ENDPOINT_MAX_BYTES + 256];
	int n = snprintf(url, sizeof(url), "%s%s", h->endpoint, path), rc;

	if (h->request.active)
		return -EALREADY; /* the options of a request under way must not change */
	if (n < 0 || (size_t)n >= sizeof(url))
		return -EINVAL;
	rc = set_method(h->request.easy, put);
	if (!rc)
		rc = set_headers(h, header, put);
	if (!rc && curl_easy_setopt(h->request.easy, CURLOPT_URL, url) != CURLE_OK)
		rc = -ENOMEM;
	if (rc)
		return rc;
	fffa_http_body_reset(&h->body);
	h->token_ttl_s = 0;
	return fffa_curl_loop_start(h->bridge, &h->request);
}

int fffa_imds_http_put_token(struct fffa_imds_http *h, uint32_t ttl_s)
{
	char header[64];

	(void)snprintf(header, sizeof(header), TTL_HEADER ": %u", ttl_s);
	return send_request(h, "/latest/api/token", header, true);
}

int fffa_imds_http_get(struct fffa_imds_http *h, const char *path, const char *token)
{
	char header[FFFA_IMDS_TOKEN_MAX_BYTES + sizeof(TOKEN_HEADER) + 3];
	int n = snprintf(header, sizeof(header), TOKEN_HEADER ": %s", token), rc;

	if (!*token || n < 0 || (size_t)n >= sizeof(header))
		return -EINVAL;
	rc = send_request(h, path, header, false);
	explicit_bzero(header, sizeof(header));
	return rc;
}

void fffa_imds_http_fini(struct fffa_imds_http *h)
{
	if (!h->request.easy)
		return;
	fffa_curl_loop_cancel(h->bridge, &h->request);
	curl_easy_cleanup(h->request.easy);
	curl_slist_free_all(h->headers);
	h->request.easy = NULL;
	h->headers = NULL;
	curl_global_cleanup(); /* counted by libcurl */
}
