// SPDX-License-Identifier: MIT
/* The file sink with AWS's layout: what has arrived is what the complete objects hold. */
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "sinks/file/file.h"
#include "tests/contract/peer.h"

#define PREAMBLE "the first line\n" /* of test_sink_contract.c */

struct peer {
	char dir[40];
	char folder[64];
	char fifo[64];
	char blocked[80];
	int reader; /* of the FIFO; -1 */
	struct fffa_sink_file_conf conf;
};

struct path {
	char text[512];
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
	(void)snprintf(f->folder, sizeof(f->folder), "%s/new/bucket", f->dir);
	(void)snprintf(f->fifo, sizeof(f->fifo), "%s/fifo", f->dir);
	(void)snprintf(f->blocked, sizeof(f->blocked), "%s/file/bucket", f->dir);
	return f;
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
	(void)st;
	(void)kind;
	(void)ftw;
	return remove(path);
}

static void close_peer(struct peer *f)
{
	if (f->reader >= 0)
		(void)close(f->reader);
	(void)nftw(f->dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	free(f);
}

static const void *conf(struct peer *f)
{
	f->conf.path = f->folder;
	f->conf.layout = FFFA_FILE_LAYOUT_AWS;
	f->conf.sync = FFFA_FILE_SYNC_BATCH;
	return &f->conf;
}

/* A file stands where a folder has to be. */
static const void *bad_conf(struct peer *f)
{
	char file[64];
	int fd;

	(void)conf(f);
	(void)snprintf(file, sizeof(file), "%s/file", f->dir);
	fd = open(file, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0 || close(fd))
		abort();
	f->conf.path = f->blocked;
	return &f->conf;
}

/* The one file below that find names; its name is left empty when there is none. */
static void find(const char *command, const char *dir, struct path *out)
{
	char line[256];
	FILE *pipe;

	(void)snprintf(line, sizeof(line), command, dir);
	pipe = popen(line, "r"); /* NOLINT: a fixed command on a folder of ours */
	if (!pipe)
		abort();
	if (!fgets(out->text, sizeof(out->text), pipe))
		out->text[0] = '\0';
	out->text[strcspn(out->text, "\n")] = '\0';
	if (fgets(line, sizeof(line), pipe) || pclose(pipe))
		abort(); /* more than one */
}

static struct fffa_span bytes(struct peer *f)
{
	size_t len = 0, cap = 8 << 20;
	uint8_t *all = malloc(cap);
	struct path path;
	gzFile in;
	int n;

	find("find %s -path '*AWSLogs*' -name '*_vpcflowlogs_*.log.gz'", f->dir, &path);
	if (!all)
		abort();
	if (!path.text[0])
		return (struct fffa_span){all, 0};
	in = gzopen(path.text, "rb");
	if (!in)
		abort();
	while ((n = gzread(in, all + len, (unsigned int)(cap - len))) > 0)
		len += (size_t)n;
	if (n < 0 || gzclose(in) != Z_OK)
		abort();
	if (len >= strlen(PREAMBLE) && !memcmp(all, PREAMBLE, strlen(PREAMBLE))) {
		len -= strlen(PREAMBLE);
		memmove(all, all + strlen(PREAMBLE), len);
	}
	return (struct fffa_span){all, len};
}

/* The next write comes a few bytes far, then fails. */
static void break_it(struct peer *f)
{
	struct path path;
	struct stat st;

	find("find %s -path '*.part*' -name '*.log.gz'", f->dir, &path);
	if (stat(path.text, &st))
		abort();
	set_limit((rlim_t)st.st_size + 5);
}

static void repair(struct peer *f)
{
	(void)f;
	set_limit(RLIM_INFINITY);
}

/* Regular files do not stall: what ends the sink is the same for every layout. */
static const void *stalled_conf(struct peer *f)
{
	if (mkfifo(f->fifo, 0600))
		abort();
	f->reader = open(f->fifo, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	f->conf.path = f->fifo;
	return &f->conf;
}

const struct peer_ops peer_file_aws_ops = {
	.sink = &fffa_sink_file_ops,
	.no_preamble = true, /* each object has it; bytes leaves it out */
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
