// SPDX-License-Identifier: MIT
#include "agent/service/limits.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "agent/base/log.h"

#define FILES_WANTED 65536
/* Measured: what a start has open at most, for the loop and the files, and for the kernel. */
#define FILES_LOOP 12
#define FILES_LIVE 28
#define FILES_SINK 6
#define FILES_MAX  (FILES_LOOP + FILES_LIVE + FILES_SINK * FFFA_CONFIG_SINKS_MAX)

static void raise_limit(void)
{
	struct rlimit l;

	if (getrlimit(RLIMIT_NOFILE, &l) || l.rlim_cur >= FILES_WANTED)
		return;
	l.rlim_cur = l.rlim_max < FILES_WANTED ? l.rlim_max : FILES_WANTED;
	(void)setrlimit(RLIMIT_NOFILE, &l); /* with less there may be room, too */
}

/* How many more descriptors there are, up to most. */
static size_t count_free(size_t most)
{
	int fds[FILES_MAX];
	size_t n = 0;

	while (n < most && (fds[n] = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC)) >= 0)
		n++;
	for (size_t i = 0; i < n; i++)
		(void)close(fds[i]);
	return n;
}

bool fffa_limits_check(const struct fffa_config *conf, bool live)
{
	size_t need = FILES_LOOP + (live ? FILES_LIVE : 0) + FILES_SINK * conf->sink_count, n;

	raise_limit();
	n = count_free(need);
	if (n == need)
		return true;
	fffa_error(
		"agent",
		"only %zu more files can be opened, %zu are needed: raise the limit of open files "
		"(LimitNOFILE=, ulimit -n)",
		n, need);
	return false;
}

int fffa_limits_set_core_dumps(bool allowed)
{
	struct rlimit l;

	if (getrlimit(RLIMIT_CORE, &l))
		return -errno;
	l.rlim_cur = allowed ? l.rlim_max : 0;
	if (setrlimit(RLIMIT_CORE, &l))
		return -errno;
	(void)prctl(PR_SET_DUMPABLE, allowed ? 1 : 0, 0, 0, 0); /* cannot fail with these */
	return 0;
}
