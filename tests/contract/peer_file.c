// SPDX-License-Identifier: MIT
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sinks/file/file.h"
#include "tests/contract/peer.h"

struct peer {
	char dir[32];
	char path[64];
	char fifo[64];
	char missing[64];
	int reader; /* of the FIFO; -1 */
	struct fffa_sink_file_conf conf;
};

static void set_limit(rlim_t bytes)
{
	struct rlimit l;

	if (getrlimit(RLIMIT_FSIZE, &l))
		abort();
	l.rlim_cur = bytes < l.rlim_max ? bytes : l.rlim_max;
	if (setrlimit(RLIMIT_FSIZE, &l))
		abort();
}

static struct peer *open_peer(void)
{
	struct peer *f = calloc(1, sizeof(*f));

	if (!f)
		abort();
	f->reader = -1;
	strcpy(f->dir, "fffa-contract-XXXXXX");
	if (!mkdtemp(f->dir))
		abort();
	(void)snprintf(f->path, sizeof(f->path), "%s/flows", f->dir);
	(void)snprintf(f->fifo, sizeof(f->fifo), "%s/fifo", f->dir);
	(void)snprintf(f->missing, sizeof(f->missing), "%s/missing/flows", f->dir);
	return f;
}

static void close_peer(struct peer *f)
{
	if (f->reader >= 0)
		(void)close(f->reader);
	(void)unlink(f->path);
	(void)unlink(f->fifo);
	(void)rmdir(f->dir);
	free(f);
}

static const void *conf(struct peer *f)
{
	f->conf.path = f->path;
	f->conf.sync = FFFA_FILE_SYNC_BATCH;
	return &f->conf;
}

static const void *bad_conf(struct peer *f)
{
	f->conf.path = f->missing;
	return &f->conf;
}

static struct fffa_span bytes(struct peer *f)
{
	int fd = open(f->path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	uint8_t *copy;

	if (fd < 0 || fstat(fd, &st))
		abort();
	copy = malloc((size_t)st.st_size + 1);
	if (!copy || read(fd, copy, (size_t)st.st_size) != st.st_size)
		abort();
	(void)close(fd);
	return (struct fffa_span){copy, (size_t)st.st_size};
}

/* The next write comes a few bytes far, then fails. */
static void break_it(struct peer *f)
{
	struct stat st;

	if (stat(f->path, &st))
		abort();
	set_limit((rlim_t)st.st_size + 33);
}

static void repair(struct peer *f)
{
	(void)f;
	set_limit(RLIM_INFINITY);
}

/* A reader that never reads. */
static const void *stalled_conf(struct peer *f)
{
	if (mkfifo(f->fifo, 0600))
		abort();
	f->reader = open(f->fifo, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	f->conf.path = f->fifo;
	return &f->conf;
}

const struct peer_ops peer_file_ops = {
	.sink = &fffa_sink_file_ops,
	.open = open_peer,
	.close = close_peer,
	.conf = conf,
	.bad_conf = bad_conf,
	.bytes = bytes,
	.break_it = break_it,
	.repair = repair,
	.stalled_conf = stalled_conf,
	.stall_bytes = 2 << 20, /* above the largest pipe that a user may have */
};
