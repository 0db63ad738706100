// SPDX-License-Identifier: MIT
#include "tests/contract/peer_file.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/contract/peer.h"
#include "tests/stubs/files.h"

void file_peer_init(struct file_peer *f)
{
	memset(f, 0, sizeof(*f));
	f->reader = -1;
	strcpy(f->dir, "fffa-contract-XXXXXX");
	if (!mkdtemp(f->dir))
		abort();
	(void)snprintf(f->fifo, sizeof(f->fifo), "%s/fifo", f->dir);
}

void file_peer_fini(struct file_peer *f)
{
	if (f->reader >= 0)
		(void)close(f->reader);
	files_remove(f->dir);
}

void file_peer_break(const char *path, size_t bytes)
{
	struct stat st;

	if (stat(path, &st))
		abort();
	files_limit_size((rlim_t)st.st_size + bytes);
}

void file_peer_repair(void)
{
	files_limit_size(RLIM_INFINITY);
}

const void *file_peer_stalled_conf(struct file_peer *f)
{
	if (mkfifo(f->fifo, 0600))
		abort();
	f->reader = open(f->fifo, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	f->conf.path = f->fifo;
	return &f->conf;
}

struct peer {
	struct file_peer file;
	char path[64];
	char missing[64];
};

static struct peer *open_peer(void)
{
	struct peer *f = calloc(1, sizeof(*f));

	if (!f)
		abort();
	file_peer_init(&f->file);
	(void)snprintf(f->path, sizeof(f->path), "%s/flows", f->file.dir);
	(void)snprintf(f->missing, sizeof(f->missing), "%s/missing/flows", f->file.dir);
	return f;
}

static void close_peer(struct peer *f)
{
	file_peer_fini(&f->file);
	free(f);
}

static const void *conf(struct peer *f)
{
	f->file.conf.path = f->path;
	f->file.conf.sync = FFFA_FILE_SYNC_BATCH;
	return &f->file.conf;
}

static const void *bad_conf(struct peer *f)
{
	f->file.conf.path = f->missing;
	return &f->file.conf;
}

static struct fffa_span bytes(struct peer *f)
{
	struct fffa_span all;

	all.ptr = (const uint8_t *)files_read(f->path, &all.len);
	return all;
}

static void break_it(struct peer *f)
{
	file_peer_break(f->path, 33);
}

static void repair(struct peer *f)
{
	(void)f;
	file_peer_repair();
}

static const void *stalled_conf(struct peer *f)
{
	return file_peer_stalled_conf(&f->file);
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
	.stall_bytes = FILE_PEER_STALL_BYTES,
};
