// SPDX-License-Identifier: MIT
#include "agent/cli/http_get.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

#include <curl/curl.h>

#include "agent/base/buf.h"
#include "config/address.h"

#define TIMEOUT_MS     5000L		 /* for the whole answer */
#define BODY_BYTES_MAX (2 * 1024 * 1024) /* with the NUL */
#define URL_BYTES      4096

static size_t on_body(char *data, size_t size, size_t n, void *arg)
{
	struct fffa_buf *body = arg;

	fffa_buf_add(body, data, size * n);
	return body->error ? 0 : size * n; /* any other number ends the transfer */
}

/* A listener at all addresses is asked at loopback. The path of a unix socket is not in the URL. */
static int format_url(char dst[URL_BYTES], const struct fffa_address *a, const char *path)
{
	const struct sockaddr_in *in = (const struct sockaddr_in *)&a->sa;
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)&a->sa;
	char host[INET6_ADDRSTRLEN] = "localhost";
	int n;

	if (a->sa.ss_family == AF_INET6) {
		const struct in6_addr *at = &in6->sin6_addr;

		(void)inet_ntop(AF_INET6, IN6_IS_ADDR_UNSPECIFIED(at) ? &in6addr_loopback : at,
				host, sizeof(host));
		n = snprintf(dst, URL_BYTES, "http://[%s]:%u%s", host, ntohs(in6->sin6_port), path);
	} else if (a->sa.ss_family == AF_INET) {
		struct in_addr at = in->sin_addr;

		if (at.s_addr == htonl(INADDR_ANY))
			at.s_addr = htonl(INADDR_LOOPBACK);
		(void)inet_ntop(AF_INET, &at, host, sizeof(host));
		n = snprintf(dst, URL_BYTES, "http://%s:%u%s", host, ntohs(in->sin_port), path);
	} else {
		n = snprintf(dst, URL_BYTES, "http://%s%s", host, path);
	}
	return n < 0 || n >= URL_BYTES ? -EINVAL : 0;
}

static CURLcode set_options(CURL *e, const struct fffa_address *a, const char *url, long timeout_ms,
			    size_t (*write)(char *data, size_t size, size_t n, void *arg),
			    void *arg)
{
	CURLcode rc = CURLE_OK;

	/* The first failure stays in rc. Each call can only fail for lack of memory. */
#define SET(option, value)                                                                         \
	do {                                                                                       \
		if (rc == CURLE_OK)                                                                \
			rc = curl_easy_setopt(e, option, value);                                   \
	} while (0)
	SET(CURLOPT_URL, url);
	if (a->sa.ss_family == AF_UNIX)
		SET(CURLOPT_UNIX_SOCKET_PATH, ((const struct sockaddr_un *)&a->sa)->sun_path);
	SET(CURLOPT_PROXY, "");
	SET(CURLOPT_NOPROXY, "*");
	SET(CURLOPT_FOLLOWLOCATION, 0L);
	SET(CURLOPT_NOSIGNAL, 1L);
	SET(CURLOPT_CONNECTTIMEOUT_MS, TIMEOUT_MS);
	SET(CURLOPT_TIMEOUT_MS, timeout_ms);
	SET(CURLOPT_WRITEFUNCTION, write);
	SET(CURLOPT_WRITEDATA, arg);
#undef SET
	return rc;
}

/* Why the body does not hold all; 0: it does. */
static int error_of_body(const struct fffa_buf *body)
{
	return body->error == -EMSGSIZE ? -EFBIG : body->error;
}

/* A failed transfer as -errno. */
static int error_of(CURL *e, CURLcode rc, const struct fffa_buf *body)
{
	long os_errno = 0;

	if (body->error)
		return error_of_body(body);
	if (rc == CURLE_OUT_OF_MEMORY)
		return -ENOMEM;
	if (rc == CURLE_OPERATION_TIMEDOUT)
		return -ETIMEDOUT;
	(void)curl_easy_getinfo(e, CURLINFO_OS_ERRNO, &os_errno);
	return os_errno ? -(int)os_errno : -EPROTO;
}

/* wanted: the only status that is no error; 0: each one. */
static int fetch_page(CURL *e, const char *listen, long wanted, long *status, struct fffa_buf *body,
		      struct fffa_err *err)
{
	CURLcode rc = curl_easy_perform(e);
	int error = 0;

	if (rc != CURLE_OK)
		error = error_of(e, rc, body);
	if (rc == CURLE_COULDNT_CONNECT)
		return fffa_fail(err, -error, "no agent answers at %s: %s", listen,
				 strerror(-error));
	(void)curl_easy_getinfo(e, CURLINFO_RESPONSE_CODE, status);
	if (!error && wanted && *status != wanted)
		error = -EPROTO;
	if (!error) {
		fffa_buf_add(body, "", 1); /* the NUL */
		error = error_of_body(body);
	}
	if (!error)
		return 0;
	return fffa_fail(err, -error, "%s does not answer as an agent: %s", listen,
			 strerror(-error));
}

static int get_page(const char *listen, const char *path, long wanted, long *status, char **body,
		    struct fffa_err *err)
{
	struct fffa_buf got = {.max = BODY_BYTES_MAX};
	struct fffa_address a;
	char url[URL_BYTES];
	CURL *e;
	int rc = fffa_address_parse(listen, &a, err);

	if (rc)
		return rc;
	rc = format_url(url, &a, path);
	if (rc)
		return fffa_fail(err, -rc, "%s is too long", path);
	e = curl_easy_init();
	if (!e || set_options(e, &a, url, TIMEOUT_MS, on_body, &got) != CURLE_OK)
		rc = fffa_fail(err, ENOMEM, "no memory");
	if (!rc)
		rc = fetch_page(e, listen, wanted, status, &got, err);
	curl_easy_cleanup(e);
	if (rc)
		fffa_buf_fini(&got);
	else
		*body = (char *)got.ptr;
	return rc;
}

int fffa_http_get(const char *listen, const char *path, char **body, struct fffa_err *err)
{
	long status = 0;

	return get_page(listen, path, 200, &status, body, err);
}

int fffa_http_get_any(const char *listen, const char *path, long *status, char **body,
		      struct fffa_err *err)
{
	return get_page(listen, path, 0, status, body, err);
}

struct stream {
	CURL *e;
	bool (*take)(void *arg, const char *p, size_t n);
	void *arg;
	bool stopped; /* take wants no more */
	char refusal[1024];
};

static size_t on_piece(char *data, size_t size, size_t n, void *arg)
{
	struct stream *s = arg;
	long status = 0;

	(void)curl_easy_getinfo(s->e, CURLINFO_RESPONSE_CODE, &status);
	if (status != 200) {
		size_t have = strlen(s->refusal);

		(void)snprintf(s->refusal + have, sizeof(s->refusal) - have, "%.*s",
			       (int)(size * n), data);
		return size * n;
	}
	s->stopped = !s->take(s->arg, data, size * n);
	return s->stopped ? 0 : size * n;
}

static int read_stream(struct stream *s, const char *listen, struct fffa_err *err)
{
	const struct fffa_buf none = {.error = 0};
	CURLcode rc = curl_easy_perform(s->e);
	int error = rc == CURLE_OK ? 0 : error_of(s->e, rc, &none);

	if (s->stopped)
		return 0;
	s->refusal[strcspn(s->refusal, "\r\n")] = '\0';
	if (s->refusal[0])
		return fffa_fail(err, EPROTO, "%s", s->refusal);
	if (rc == CURLE_COULDNT_CONNECT)
		return fffa_fail(err, -error, "no agent answers at %s: %s", listen,
				 strerror(-error));
	if (rc == CURLE_OK || rc == CURLE_PARTIAL_FILE || rc == CURLE_RECV_ERROR)
		return 0; /* the agent has ended */
	return fffa_fail(err, -error, "%s does not answer as an agent: %s", listen,
			 strerror(-error));
}

int fffa_http_get_stream(const char *listen, const char *path,
			 bool (*take)(void *arg, const char *p, size_t n), void *arg,
			 struct fffa_err *err)
{
	struct stream s = {.take = take, .arg = arg};
	struct fffa_address a;
	char url[URL_BYTES];
	int rc = fffa_address_parse(listen, &a, err);

	if (rc)
		return rc;
	rc = format_url(url, &a, path);
	if (rc)
		return fffa_fail(err, -rc, "the request is too long");
	s.e = curl_easy_init();
	if (!s.e || set_options(s.e, &a, url, 0, on_piece, &s) != CURLE_OK)
		rc = fffa_fail(err, ENOMEM, "no memory");
	if (!rc)
		rc = read_stream(&s, listen, err);
	curl_easy_cleanup(s.e);
	return rc;
}
