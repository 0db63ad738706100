/* SPDX-License-Identifier: MIT */
/* The values of Prometheus' standard process_* metrics for this process. */
#ifndef FFFA_AGENT_STATUS_PROCESS_H
#define FFFA_AGENT_STATUS_PROCESS_H

#include <stdint.h>

struct fffa_process {
	uint64_t cpu_ns; /* user and system */
	uint64_t rss_bytes;
	uint64_t virtual_bytes;
	uint64_t open_fds;
	uint64_t max_fds;
};

/* Reads /proc/self, which does not block. A value that cannot be read is 0. */
void fffa_process_read(struct fffa_process *out);

#endif
