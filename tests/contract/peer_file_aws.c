// SPDX-License-Identifier: MIT
/* The file sink with the AWS layout. Complete objects hold what has arrived. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "tests/contract/peer.h"
#include "tests/contract/peer_file.h"
#include "tests/stubs/files.h"

#define PREAMBLE "the first line\n" /* of test_sink_contract.c */

struct peer {
	struct file_peer file;
	char folder[64];
	char blocked[80];
};

struct path {
	char text[512];
};

static struct peer *open_peer(void)
{
	struct peer *f = calloc(1, sizeof(*f));

	if (!f)
		abort();
	file_peer_init(&f->file);
	(void)snprintf(f->folder, sizeof(f->folder), "%s/new/bucket", f->file.dir);
	(void)snprintf(f->blocked, sizeof(f->blocked), "%s/file/bucket", f->file.dir);
	return f;
}

static void close_peer(struct peer *f)
{
	file_peer_fini(&f->file);
	free(f);
}

static const void *conf(struct peer *f)
{
	f->file.conf.path = f->folder;
	f->file.conf.layout = FFFA_FILE_LAYOUT_AWS;
	f->file.conf.sync = FFFA_FILE_SYNC_BATCH;
	return &f->file.conf;
}

/* A file stands where the sink needs a folder. */
static const void *bad_conf(struct peer *f)
{
	char file[64];

	(void)conf(f);
	(void)snprintf(file, sizeof(file), "%s/file", f->file.dir);
	files_write(file, "", 0);
	f->file.conf.path = f->blocked;
	return &f->file.conf;
}

/* Fills *out with the one file that find prints; an empty text if it prints none. */
static void find_one(const char *command, const char *dir, struct path *out)
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
		abort(); /* more than one file */
}

static struct fffa_span bytes(struct peer *f)
{
	size_t len = 0, cap = 8 << 20;
	uint8_t *all = malloc(cap);
	struct path path;
	gzFile in;
	int n;

	find_one("find %s -path '*AWSLogs*' -name '*_vpcflowlogs_*.log.gz'", f->file.dir, &path);
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

static void break_it(struct peer *f)
{
	struct path path;

	find_one("find %s -path '*.part*' -name '*.log.gz'", f->file.dir, &path);
	file_peer_break(path.text, 5);
}

static void repair(struct peer *f)
{
	(void)f;
	file_peer_repair();
}

/* A regular file does not stall, so this is layout plain. Both layouts close in the same way. */
static const void *stalled_conf(struct peer *f)
{
	return file_peer_stalled_conf(&f->file);
}

const struct peer_ops peer_file_aws_ops = {
	.sink = &fffa_sink_file_ops,
	.no_preamble = true, /* each object has one; bytes leaves it out */
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
