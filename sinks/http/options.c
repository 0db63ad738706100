// SPDX-License-Identifier: MIT
#include "sinks/http/options.h"

#include <ctype.h>
#include <curl/curl.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "agent/base/format.h"
#include "agent/base/io.h"
#include "sinks/http/shape/http_shape.h"

#define MS INT64_C(1000000)
#define S  (1000 * MS)
#define M  (60 * S)
#define H  (60 * M)

#define URL_BYTES_MAX 2048
#define PEM_BYTES_MAX ((size_t)8 << 20)

static const char *const compress_words[] = {
	[FFFA_HTTP_ZSTD] = "zstd", [FFFA_HTTP_GZIP] = "gzip", [FFFA_HTTP_NONE] = "none", NULL};
static const char *const shape_words[] = {[FFFA_HTTP_PLAIN] = "plain",
					  [FFFA_HTTP_SPLUNK_HEC] = "splunk_hec",
					  [FFFA_HTTP_ELASTICSEARCH] = "elasticsearch",
					  [FFFA_HTTP_OTLP] = "otlp",
					  [FFFA_HTTP_LOKI] = "loki",
					  [FFFA_HTTP_DATADOG] = "datadog",
					  NULL};

#define C struct fffa_sink_http_conf

const struct fffa_option fffa_http__options[] = {
	FFFA_OPT_STRING("url", C, url, NULL, FFFA_OPTION_URL,
			"URL to post batches to, http:// or https://. A shape adds its own path "
			"when the URL has none. Required."),
	FFFA_OPT_ENUM("shape", C, shape, "plain", shape_words, 0,
		      "Form of the body. plain sends the records as they are; each other shape is "
		      "for the product it names."),
	FFFA_OPT_MAP("headers", C, headers, "{}", NULL, FFFA_OPTION_SECRETS | FFFA_OPTION_PRIVATE,
		     "Headers of each request."),
	FFFA_OPT_STRING("auth.user", C, auth.user, NULL, 0, "User of basic authentication."),
	FFFA_OPT_SECRET("auth.password", C, auth.password, 0, "Password of basic authentication."),
	FFFA_OPT_SECRET("auth.bearer", C, auth.bearer, 0,
			"Token. Sent as Authorization: Bearer; splunk_hec: Authorization: Splunk; "
			"datadog: DD-API-KEY."),
	FFFA_OPT_ENUM("compress", C, compress, "zstd", compress_words, 0,
		      "Content-Encoding of the body. Of the shapes only otlp takes zstd."),
	FFFA_OPT_STRING("tls.ca_file", C, tls.ca_file, NULL, 0,
			"Certificates (PEM) that the server's certificate is checked against. "
			"Default: the system's."),
	FFFA_OPT_STRING("tls.cert_file", C, tls.cert_file, NULL, 0,
			"Client certificate (PEM). Read again when the file changes."),
	FFFA_OPT_STRING(
		"tls.key_file", C, tls.key_file, NULL, 0,
		"Private key of the client certificate (PEM). Default: the key in cert_file."),
	FFFA_OPT_BOOL("tls.verify", C, tls.verify, "true", 0,
		      "false disables certificate verification; for tests only."),
	FFFA_OPT_DURATION("timeout", C, timeout_ns, "10s", 100 * MS, 10 * M, 0,
			  "Time limit of one request, connection included."),
	FFFA_OPT_INT("requests", C, requests, "4", 1, 64, 0,
		     "Requests that may be in flight at once."),
	FFFA_OPT_DURATION("connection_lifetime", C, connection_lifetime_ns, "3m", 1 * S, 24 * H, 0,
			  "A connection is used this long, a busy one too. Then a new one asks for "
			  "the server's address again."),
	FFFA_OPT_STRING("proxy.url", C, proxy.url, NULL, FFFA_OPTION_PLAIN,
			"Proxy, as http://HOST:PORT. Also as `proxy: URL`. Default: none; proxy "
			"variables of the environment are ignored."),
	FFFA_OPT_STRING("proxy.user", C, proxy.user, NULL, 0,
			"User at the proxy (basic authentication)."),
	FFFA_OPT_SECRET("proxy.password", C, proxy.password, 0, "Password at the proxy."),
	FFFA_OPT_STRING("index", C, index, NULL, 0,
			"elasticsearch: index or data stream. splunk_hec: index."),
	FFFA_OPT_STRING("source", C, source, "fffa", 0, "splunk_hec: source. datadog: ddsource."),
	FFFA_OPT_STRING("sourcetype", C, sourcetype, NULL, 0, "splunk_hec: sourcetype."),
	FFFA_OPT_STRING("service", C, service, "fffa", 0,
			"otlp: service.name. datadog: service. loki: label job."),
	FFFA_OPT_MAP(
		"labels", C, labels, "{}", NULL, 0,
		"loki: labels. splunk_hec: fields. otlp: resource attributes. datadog: ddtags."),
	FFFA_OPT_END,
};

#undef C

static bool has_control(const char *s)
{
	for (; s && *s; s++) {
		if ((unsigned char)*s < 0x20 || *s == 0x7f)
			return true;
	}
	return false;
}

/* True if the URL has this component. */
static bool has_component(CURLU *u, CURLUPart component)
{
	char *text = NULL;
	bool has = curl_url_get(u, component, &text, 0) == CURLUE_OK && text && *text;

	curl_free(text);
	return has;
}

static int check_url(const char *key, const char *url, struct fffa_err *err)
{
	CURLU *u;
	int rc = 0;

	if (!strstr(url, "://") && *url && !has_control(url) && !strchr(url, ' '))
		return fffa_fail(err, EINVAL,
				 "%s: has no scheme; did you mean \"https://%.200s\"? allowed: "
				 "http://HOST or https://HOST, with port and path",
				 key, url);
	if (strlen(url) > URL_BYTES_MAX || has_control(url) || strchr(url, ' ') ||
	    (strncasecmp(url, "http://", 7) && strncasecmp(url, "https://", 8)) ||
	    strstr(url, ":///")) /* libcurl would take the path as the host */
		return fffa_fail(err, EINVAL,
				 "%s: is not a URL; allowed: http://HOST or https://HOST, with "
				 "port and path, at most %d characters",
				 key, URL_BYTES_MAX);
	u = curl_url();
	if (!u)
		return fffa_fail(err, ENOMEM, "no memory");
	if (curl_url_set(u, CURLUPART_URL, url, 0) != CURLUE_OK ||
	    !has_component(u, CURLUPART_HOST))
		rc = fffa_fail(err, EINVAL, "%s: is not a URL that can be read", key);
	else if (has_component(u, CURLUPART_USER) || has_component(u, CURLUPART_PASSWORD))
		rc = fffa_fail(err, EINVAL,
			       "%s: has a user or password, which would be shown; use %s", key,
			       strcmp(key, "url") ? "proxy.user and proxy.password"
						  : "auth for the server's");
	else if (has_component(u, CURLUPART_FRAGMENT))
		rc = fffa_fail(err, EINVAL, "%s: a #fragment is never sent; leave it out", key);
	curl_url_cleanup(u);
	return rc;
}

/* A token of RFC 9110 5.6.2. */
static bool is_token(const char *s)
{
	if (!*s)
		return false;
	for (; *s; s++) {
		if (!isalnum((unsigned char)*s) && !strchr("!#$%&'*+-.^_`|~", *s))
			return false;
	}
	return true;
}

static int check_headers(const struct fffa_pairs *m, struct fffa_err *err)
{
	static const char *const reserved[] = {"content-length", "content-encoding",
					       "content-type",	 "transfer-encoding",
					       "expect",	 "fffa-batch"};

	for (size_t i = 0; i < m->n; i++) {
		if (!is_token(m->v[i].key))
			return fffa_fail(
				err, EINVAL,
				"headers: name %zu is not a header name; allowed: letters, "
				"digits and !#$%%&'*+-.^_`|~",
				i + 1);
		if (has_control(m->v[i].value))
			return fffa_fail(err, EINVAL,
					 "headers: the value of %s has a control character",
					 m->v[i].key);
		for (size_t k = 0; k < sizeof(reserved) / sizeof(reserved[0]); k++) {
			if (!strcasecmp(reserved[k], m->v[i].key))
				return fffa_fail(err, EINVAL, "headers: %s is set by the sink",
						 m->v[i].key);
		}
	}
	return 0;
}

static int check_auth(const struct fffa_sink_http_conf *c, struct fffa_err *err)
{
	if (fffa_http_is_set(c->auth.bearer) &&
	    (fffa_http_is_set(c->auth.user) || fffa_http_is_set(c->auth.password)))
		return fffa_fail(err, EINVAL,
				 "auth.bearer: excludes auth.user and auth.password; set only one");
	if (fffa_http_is_set(c->auth.user) && !fffa_http_is_set(c->auth.password))
		return fffa_fail(
			err, EINVAL,
			"auth.password: is required with auth.user (or auth.password_file)");
	if (fffa_http_is_set(c->auth.password) && !fffa_http_is_set(c->auth.user))
		return fffa_fail(err, EINVAL, "auth.user: is required with auth.password");
	if (fffa_http_is_set(c->auth.user) && strchr(c->auth.user, ':'))
		return fffa_fail(err, EINVAL,
				 "auth.user: has a colon, which basic authentication "
				 "cannot carry");
	if (has_control(c->auth.bearer))
		return fffa_fail(err, EINVAL, "auth.bearer: has a control character");
	return 0;
}

/* Loki's rule for a label's name: https://grafana.com/docs/loki/latest/get-started/labels/ */
static bool is_label_name(const char *s)
{
	if (!isalpha((unsigned char)*s) && *s != '_')
		return false;
	for (; *s; s++) {
		if (!isalnum((unsigned char)*s) && *s != '_')
			return false;
	}
	return true;
}

/* Whether the path of the URL could name an index: "/INDEX/_bulk". */
static bool has_index_path(const char *url)
{
	const char *host = strstr(url, "://"), *path = host ? strchr(host + 3, '/') : NULL;
	size_t n = path ? strcspn(path, "?#") : 0;

	return n > 1 && !(n == 6 && !strncmp(path, "/_bulk", n));
}

static int check_shape(const struct fffa_sink_http_conf *c, struct fffa_err *err)
{
	const struct fffa_http_shape *shape = fffa_http_shape_find(c->shape);

	if (c->compress == FFFA_HTTP_ZSTD && !shape->takes_zstd)
		return fffa_fail(err, EINVAL,
				 "compress: shape %s does not take zstd; allowed: gzip, none",
				 shape_words[c->shape]);
	if (c->shape == FFFA_HTTP_ELASTICSEARCH && !fffa_http_is_set(c->index) &&
	    !has_index_path(c->url))
		return fffa_fail(err, EINVAL,
				 "index: is required with shape elasticsearch, or a url with it "
				 "(https://HOST/INDEX/_bulk)");
	for (size_t i = 0; c->shape == FFFA_HTTP_LOKI && i < c->labels.n; i++) {
		if (!is_label_name(c->labels.v[i].key))
			return fffa_fail(err, EINVAL,
					 "labels: name %zu is not one for Loki; allowed: letters, "
					 "digits and _, not a digit first",
					 i + 1);
	}
	return 0;
}

static int check_proxy(const struct fffa_sink_http_conf *c, struct fffa_err *err)
{
	if (fffa_http_is_set(c->proxy.password) && !fffa_http_is_set(c->proxy.user))
		return fffa_fail(err, EINVAL, "proxy.user: is required with proxy.password");
	if (fffa_http_is_set(c->proxy.url))
		return check_url("proxy", c->proxy.url, err);
	if (fffa_http_is_set(c->proxy.user))
		return fffa_fail(err, EINVAL, "proxy.url: is required with proxy.user");
	return 0;
}

int fffa_http__options_check(const void *conf, struct fffa_err *err)
{
	const struct fffa_sink_http_conf *c = conf;
	int rc;

	if (!fffa_http_is_set(c->url))
		return fffa_fail(err, EINVAL, "url: is required: http://... or https://...");
	rc = check_url("url", c->url, err);
	if (!rc)
		rc = check_proxy(c, err);
	if (!rc)
		rc = check_headers(&c->headers, err);
	if (!rc)
		rc = check_auth(c, err);
	if (!rc && fffa_http_is_set(c->tls.key_file) && !fffa_http_is_set(c->tls.cert_file))
		rc = fffa_fail(err, EINVAL, "tls.cert_file: is required with tls.key_file");
	if (!rc)
		rc = check_shape(c, err);
	return rc;
}

/* True when the file holds a PEM block whose name ends so. */
static bool holds_pem(const char *text, const char *name)
{
	const char *at = strstr(text, "-----BEGIN ");

	return at && strstr(at, name);
}

/* libcurl reads these at each connection: what it cannot use would stop the sink for ever. */
static int probe_pem(const char *key, const char *path, const char *name, struct fffa_err *err)
{
	char *text = NULL;
	size_t len = 0;
	int rc;

	if (!fffa_http_is_set(path))
		return 0;
	rc = fffa_io_read_regular(path, PEM_BYTES_MAX, &text, &len);
	if (rc)
		return fffa_err_also(err, EINVAL, "%s: cannot read %.200s: %s", key, path,
				     fffa_io_strerror(rc));
	if (!holds_pem(text, name))
		rc = fffa_err_also(err, EINVAL, "%s: %.200s holds no \"-----BEGIN ... %s\" (PEM)",
				   key, path, name);
	explicit_bzero(text, len);
	free(text);
	return rc;
}

int fffa_http__options_probe(const void *conf, struct fffa_err *err)
{
	static const char certificate[] = "CERTIFICATE-----", private_key[] = "PRIVATE KEY-----";
	const struct fffa_sink_http_conf *c = conf;
	bool own_key = fffa_http_is_set(c->tls.key_file);
	int rc = probe_pem("tls.ca_file", c->tls.ca_file, certificate, err);

	rc |= probe_pem("tls.cert_file", c->tls.cert_file, certificate, err);
	if (own_key || !rc) /* else the same file is wrong already */
		rc |= probe_pem(own_key ? "tls.key_file" : "tls.cert_file",
				own_key ? c->tls.key_file : c->tls.cert_file, private_key, err);
	return rc ? -EINVAL : 0;
}

int fffa_http__options_check_format(const void *conf, unsigned int format, struct fffa_err *err)
{
	const struct fffa_sink_http_conf *c = conf;
	const struct fffa_http_shape *shape = fffa_http_shape_find(c->shape);

	if (shape->formats & 1u << format)
		return 0;
	return fffa_fail(err, EINVAL,
			 "format: shape %s does not take %s; allowed: lines of text or JSON",
			 shape->name, fffa_format_name((enum fffa_format)format));
}
