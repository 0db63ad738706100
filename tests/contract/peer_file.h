/* SPDX-License-Identifier: MIT */
/* What the peers of both layouts of the file sink share: a folder, and a FIFO in it. */
#ifndef FFFA_TESTS_CONTRACT_PEER_FILE_H
#define FFFA_TESTS_CONTRACT_PEER_FILE_H

#include <stddef.h>

#include "sinks/file/file.h"

#define FILE_PEER_STALL_BYTES ((size_t)2 << 20) /* above the largest pipe that a user may have */

struct file_peer {
	char dir[40];
	char fifo[64];
	int reader; /* end of the FIFO; -1: not opened */
	struct fffa_sink_file_conf conf;
};

void file_peer_init(struct file_peer *f);
void file_peer_fini(struct file_peer *f);
/* From now on a write to the file at path fails after so many bytes; repair ends that. */
void file_peer_break(const char *path, size_t bytes);
void file_peer_repair(void);
/* Returns conf with a FIFO whose reader never reads. */
const void *file_peer_stalled_conf(struct file_peer *f);

#endif
