/* SPDX-License-Identifier: MIT */
#ifndef FFFA_AGENT_LOOP_CURL_VERSION_H
#define FFFA_AGENT_LOOP_CURL_VERSION_H

/* "libcurl/7.88.1 OpenSSL/3.0.15 ...", for files that must not include libcurl; static. */
const char *fffa_curl_loop_library(void);

#endif
