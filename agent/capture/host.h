/* SPDX-License-Identifier: MIT */
#ifndef FFFA_AGENT_CAPTURE_HOST_H
#define FFFA_AGENT_CAPTURE_HOST_H

#include <stdio.h>

/* Writes what this host can do, a "name: value" line each: kernel, privileges, ring buffer, clock,
 * TCX, XDP. */
void fffa_host_report(FILE *out);
/* "libbpf v1.1" */
const char *fffa_host_library(void);

#endif
