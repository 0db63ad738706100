/* SPDX-License-Identifier: MIT */
/*
 * The certificates and the key of a sink, and the system's CA bundle. libcurl would read them on the
 * loop, at each connection; here a thread reads them, again when a file has changed, and libcurl
 * gets their bytes.
 */
#ifndef FFFA_SINKS_HTTP_TLS_FILES_H
#define FFFA_SINKS_HTTP_TLS_FILES_H

#include <curl/curl.h>
#include <stdint.h>

#include "sinks/http/shape/http_shape.h"

enum { FFFA_TLS_CA, FFFA_TLS_CERT, FFFA_TLS_KEY, FFFA_TLS_FILES };

/* The bytes of all files; .data is NULL where no file is configured. */
struct fffa_http_tls_set {
	struct curl_blob v[FFFA_TLS_FILES];
};

/* Which files were read last. Of the thread alone. Zero it before the first look, but for bundle. */
struct fffa_http_tls_look {
	const char *bundle; /* see fffa_http__tls_files_bundle; NULL: it is not read */
	struct {
		uint64_t device, inode, size;
		int64_t changed_ns;
	} v[FFFA_TLS_FILES];
	bool has_set;
	int logged_rc;
};

/* True if the sink has such files. */
bool fffa_http__tls_files_any(const struct fffa_sink_http_conf *c);

/*
 * Where the system's CA certificates are: the file that is built into libcurl or, where it has none,
 * that of the environment. NULL: in no file alone. Not freed.
 */
const char *fffa_http__tls_files_place(const char *built_in);

/*
 * The file of the system's CA certificates, which libcurl would read for this sink: it has no
 * tls.ca_file, but verifies an https server. NULL: it would read none. Not freed.
 */
const char *fffa_http__tls_files_bundle(const struct fffa_sink_http_conf *c);

/*
 * Blocks; on the sink's thread. Reads all files if one has changed since l saw it, or was never
 * read. 0: *out is the new set, which the caller frees with fffa_http__tls_files_free, or NULL when
 * nothing has changed. -errno: there is no set to go on with. Where there was one before, it stays
 * in use: a failure is logged and is no failure. A bundle that was never there is left to libcurl,
 * which has other places.
 */
int fffa_http__tls_files_look(struct fffa_http_tls_look *l, const struct fffa_sink_http_conf *c,
			      const char *tag, struct fffa_http_tls_set **out);

/* Gives a copy of the bytes to e, which must not be in use. 0 or -ENOMEM. */
int fffa_http__tls_files_apply(const struct fffa_http_tls_set *s, CURL *e);

/* NULL is allowed. Wipes the bytes. */
void fffa_http__tls_files_free(struct fffa_http_tls_set *s);

#endif
