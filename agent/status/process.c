// SPDX-License-Identifier: MIT
#include "agent/status/process.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "agent/base/clock.h"

static uint64_t count_fds(void)
{
	DIR *d = opendir("/proc/self/fd");
	uint64_t n = 0;

	if (!d)
		return 0;
	for (const struct dirent *e = readdir(d); e; e = readdir(d))
		n += e->d_name[0] != '.';
	(void)closedir(d);
	return n ? n - 1 : 0; /* without the one of d */
}

/* statm begins with the pages of the address space and the resident pages (proc(5)). */
static void read_memory(struct fffa_process *out)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
	char text[128], *rest;
	ssize_t n;

	if (fd < 0)
		return;
	n = read(fd, text, sizeof(text) - 1);
	(void)close(fd);
	if (n <= 0)
		return;
	text[n] = '\0';
	out->virtual_bytes = strtoull(text, &rest, 10) * page;
	out->rss_bytes = strtoull(rest, NULL, 10) * page;
}

static uint64_t time_ns(struct timeval t)
{
	return (uint64_t)t.tv_sec * FFFA_NS_PER_S + (uint64_t)t.tv_usec * 1000;
}

void fffa_process_read(struct fffa_process *out)
{
	struct rusage used;
	struct rlimit fds;

	memset(out, 0, sizeof(*out));
	if (!getrusage(RUSAGE_SELF, &used))
		out->cpu_ns = time_ns(used.ru_utime) + time_ns(used.ru_stime);
	if (!getrlimit(RLIMIT_NOFILE, &fds))
		out->max_fds = fds.rlim_cur;
	out->open_fds = count_fds();
	read_memory(out);
}
