/* SPDX-License-Identifier: MIT */
/*
 * Saves the captured devices' counters in a file. From it the next start computes how many packets
 * passed while no agent counted: during an upgrade, after a crash or a kill. Loop thread only; a
 * thread of its own writes the file.
 */
#ifndef FFFA_AGENT_CAPTURE_UNATTENDED_CHECKPOINT_H
#define FFFA_AGENT_CAPTURE_UNATTENDED_CHECKPOINT_H

#include <stdbool.h>

#include "agent/capture/unattended/checkpoint_state.h"
#include "agent/capture/live_devices.h"
#include "agent/loop/worker.h"

struct fffa_checkpoint {
	struct fffa_worker *worker; /* while on */
	bool on;		    /* the file can be written */
	bool changed;		    /* next holds counters that are not saved yet */
	bool saving;		    /* the worker has text */
	bool save_again;	    /* next is to be saved when the worker is back */
	int error;		    /* of the last save */
	bool error_logged;	    /* the log knows of the error */
	uint64_t saved_ns;
	struct fffa_checkpoint_state next;
	struct fffa_worker_job job;
	size_t len;
	char text[FFFA_CHECKPOINT_TEXT_MAX];
	char path[512];
	char tmp[520];
};

/*
 * dir: where the file lies (spool_dir); when it does not exist, gaps are not counted and the log
 * says so. r is zeroed before and stays where it is until the loop has ended. Blocks for one stat.
 */
void fffa_checkpoint_init(struct fffa_checkpoint *r, struct uv_loop_s *loop, const char *dir);

/*
 * Right after the hooks were attached: what passed since the last agent's checkpoint. *since_ms:
 * when that was, untouched without a checkpoint. Blocks for one small read.
 */
struct fffa_amount fffa_checkpoint_gap(struct fffa_checkpoint *r, const struct fffa_hooked *hooks,
				       size_t n, int64_t *since_ms);

/* Before a drain or a detach: notes the devices' counters. At most once a second unless last. */
void fffa_checkpoint_note(struct fffa_checkpoint *r, const struct fffa_hooked *hooks, size_t n,
			  bool last);

/*
 * What the counters of the last checkpoint showed has been merged; held of it is in no record yet.
 */
void fffa_checkpoint_save(struct fffa_checkpoint *r, struct fffa_amount held, int64_t unix_ms);

/* Ends the thread as the loop runs on, after what is to be saved. Nothing is saved any more. */
void fffa_checkpoint_close(struct fffa_checkpoint *r);

#endif
