// SPDX-License-Identifier: MIT
#include "sinks/http/tls_files.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "agent/base/io.h"
#include "agent/base/log.h"

#define FILE_BYTES_MAX ((size_t)8 << 20)

static const char *file_path(const struct fffa_http_tls_look *l,
			     const struct fffa_sink_http_conf *c, int i)
{
	switch (i) {
	case FFFA_TLS_CA:
		return fffa_http_is_set(c->tls.ca_file) ? c->tls.ca_file : l->bundle;
	case FFFA_TLS_CERT:
		return fffa_http_is_set(c->tls.cert_file) ? c->tls.cert_file : NULL;
	default:
		if (!fffa_http_is_set(c->tls.cert_file))
			return NULL;
		return fffa_http_is_set(c->tls.key_file) ? c->tls.key_file : c->tls.cert_file;
	}
}

bool fffa_http__tls_files_any(const struct fffa_sink_http_conf *c)
{
	return fffa_http_is_set(c->tls.ca_file) || fffa_http_is_set(c->tls.cert_file);
}

const char *fffa_http__tls_files_place(const char *built_in)
{
	if (built_in)
		return built_in;
	return getenv("SSL_CERT_DIR") ? NULL : getenv("SSL_CERT_FILE");
}

const char *fffa_http__tls_files_bundle(const struct fffa_sink_http_conf *c)
{
	const curl_version_info_data *v = curl_version_info(CURLVERSION_NOW);

	if (fffa_http_is_set(c->tls.ca_file) || !c->tls.verify || strncasecmp(c->url, "https:", 6))
		return NULL;
	return fffa_http__tls_files_place(v->age >= CURLVERSION_SEVENTH ? v->cainfo : NULL);
}

/* The system's bundle, as long as it was not read once. */
static bool may_be_missing(const struct fffa_http_tls_look *l, const char *path, int i)
{
	return path == l->bundle && !l->v[i].inode;
}

/* Fills now with what the files are. 0 or -errno, and *which is the file that failed. */
static int look_at_files(const struct fffa_http_tls_look *l, struct fffa_http_tls_look *now,
			 const struct fffa_sink_http_conf *c, const char **which)
{
	for (int i = 0; i < FFFA_TLS_FILES; i++) {
		const char *path = file_path(l, c, i);
		struct stat st;

		if (!path)
			continue;
		*which = path;
		if (stat(path, &st)) {
			if (may_be_missing(l, path, i))
				continue;
			return -errno;
		}
		now->v[i].device = (uint64_t)st.st_dev;
		now->v[i].inode = (uint64_t)st.st_ino;
		now->v[i].size = (uint64_t)st.st_size;
		now->v[i].changed_ns = (int64_t)st.st_ctim.tv_sec * 1000000000 + st.st_ctim.tv_nsec;
	}
	return 0;
}

static int read_files(const struct fffa_http_tls_look *now, const struct fffa_sink_http_conf *c,
		      struct fffa_http_tls_set *s, const char **which)
{
	for (int i = 0; i < FFFA_TLS_FILES; i++) {
		const char *path = file_path(now, c, i);
		char *text;
		int rc;

		if (!path || !now->v[i].inode)
			continue;
		*which = path;
		rc = fffa_io_read_regular(path, FILE_BYTES_MAX, &text, &s->v[i].len);
		if (rc)
			return rc;
		s->v[i].data = text;
		s->v[i].flags = CURL_BLOB_COPY;
	}
	return 0;
}

/* 1: nothing has changed. */
static int read_changed(struct fffa_http_tls_look *l, const struct fffa_sink_http_conf *c,
			struct fffa_http_tls_set **out, const char **which)
{
	struct fffa_http_tls_look now = {.bundle = l->bundle, .has_set = true};
	struct fffa_http_tls_set *s;
	int rc = look_at_files(l, &now, c, which);

	if (rc)
		return rc;
	if (l->has_set && !memcmp(now.v, l->v, sizeof(now.v)))
		return 1;
	s = calloc(1, sizeof(*s));
	rc = s ? read_files(&now, c, s, which) : -ENOMEM;
	if (rc) {
		fffa_http__tls_files_free(s);
		return rc;
	}
	*l = now;
	*out = s;
	return 0;
}

int fffa_http__tls_files_look(struct fffa_http_tls_look *l, const struct fffa_sink_http_conf *c,
			      const char *tag, struct fffa_http_tls_set **out)
{
	const char *which = "";
	int rc;

	*out = NULL;
	rc = read_changed(l, c, out, &which);
	if (rc >= 0) {
		l->logged_rc = 0;
		return 0;
	}
	if (rc != l->logged_rc)
		fffa_error(tag, "cannot read %s%s: %s", which,
			   l->has_set ? ", what was read before stays in use" : "",
			   fffa_io_strerror(rc));
	l->logged_rc = rc;
	return l->has_set ? 0 : rc;
}

int fffa_http__tls_files_apply(const struct fffa_http_tls_set *s, CURL *e)
{
	static const CURLoption options[] = {[FFFA_TLS_CA] = CURLOPT_CAINFO_BLOB,
					     [FFFA_TLS_CERT] = CURLOPT_SSLCERT_BLOB,
					     [FFFA_TLS_KEY] = CURLOPT_SSLKEY_BLOB};

	for (int i = 0; i < FFFA_TLS_FILES; i++) {
		if (s->v[i].data && curl_easy_setopt(e, options[i], &s->v[i]) != CURLE_OK)
			return -ENOMEM;
	}
	return 0;
}

void fffa_http__tls_files_free(struct fffa_http_tls_set *s)
{
	if (!s)
		return;
	for (int i = 0; i < FFFA_TLS_FILES; i++) {
		if (s->v[i].data)
			explicit_bzero(s->v[i].data, s->v[i].len);
		free(s->v[i].data);
	}
	free(s);
}
