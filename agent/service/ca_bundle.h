/* SPDX-License-Identifier: MIT */
/* Where this host has its CA certificates, for a program that brings its own OpenSSL. */
#ifndef FFFA_AGENT_SERVICE_CA_BUNDLE_H
#define FFFA_AGENT_SERVICE_CA_BUNDLE_H

#include <stddef.h>

/*
 * Writes the path of the first CA bundle below root ("" on a host) that can be read, from the places
 * where distributions have it. 0; -ENOENT: there is none; -ENAMETOOLONG.
 */
int fffa_ca_bundle_find(const char *root, char *path, size_t cap);

/*
 * Has OpenSSL, and so libcurl and librdkafka, read that bundle, unless SSL_CERT_FILE or SSL_CERT_DIR
 * says otherwise. The places that are built into a portable program are those of the system that it
 * was built on. Call it while there is one thread.
 */
void fffa_ca_bundle_use(void);

#endif
