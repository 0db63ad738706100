/* SPDX-License-Identifier: MIT */
/* The sink as its own files see it. All on the loop thread, except what job and tidy lend out. */
#ifndef FFFA_SINKS_FILE_STATE_H
#define FFFA_SINKS_FILE_STATE_H

#include <uv.h>

#include "agent/base/format.h"
#include "sinks/file/aws/aws.h"
#include "sinks/file/tidy.h"
#include "sinks/file/write.h"

enum fffa_file_phase { FFFA_FILE_IDLE, FFFA_FILE_WORKING, FFFA_FILE_WAITING };

struct fffa_sink {
	const struct fffa_sink_env *env;
	const struct fffa_sink_file_conf *conf;
	struct fffa_file_access access;
	uv_work_t work;
	uv_timer_t timer; /* a file that is due though no batch comes; its close callback is the
			     later turn in which the sink ends */
	uv_poll_t waiter; /* of epoll_fd */
	int epoll_fd;	  /* -1 until there was something to wait for */
	enum fffa_file_phase phase;
	bool refused; /* submit said -EAGAIN: ready is due */
	bool reopen;
	bool closing;
	bool ending; /* handles are being closed */
	unsigned int handles;
	struct fffa_delivery
		*delivery; /* borrowed until done; NULL: the job writes only what is owed */
	struct fffa_file_job job;
	/* With an AWS layout aws_job takes the place of job. */
	struct fffa_aws *aws;
	struct fffa_aws_conf aws_conf;
	struct fffa_aws_job aws_job;
	bool started;
	bool wound_up; /* the AWS layout's objects were completed for the end */
	bool rotates;
	int rotation_error; /* or that of a completion, that was logged last */
	/* How far the last failed batch came where it could not be cut off again; done_bytes 0: not
	 * at all. */
	struct {
		uint64_t first_seq, last_seq;
		size_t done_bytes;
	} partial;
	struct {
		uv_work_t work;
		struct fffa_file_tidy task;
		bool running, again;
		int error; /* that was logged last */
	} tidy;
	/* For report, which may come while a job runs. */
	struct {
		int64_t file_bytes; /* -1: no regular file of ours */
		int64_t rotated_at_s;
		uint64_t errors;
		int last_error;
	} seen;
	void (*closed)(void *arg);
	void *closed_arg;
	/* Rest of the torn record, owed when another batch comes first. */
	uint8_t tail[FFFA_RECORD_BYTES_MAX];
};

/* run.c: hands the job to a pool thread; done follows. */
void fffa_file__run(struct fffa_sink *s);
/* Runs the job without a batch. */
void fffa_file__run_empty(struct fffa_sink *s);
void fffa_file__stop_waiting(struct fffa_sink *s);
/* file.c: what comes after a job. */
void fffa_file__finish(struct fffa_sink *s, int result);
/* Ends the sink when nothing of it is in the pool any more. */
void fffa_file__end(struct fffa_sink *s);
/* upkeep.c: logs what became of a rotation that was due, and has old files tidied. */
void fffa_file__after_job(struct fffa_sink *s, int result);
/* Begins to tidy, or does it again once the present run has ended. */
void fffa_file__start_tidy(struct fffa_sink *s);
/* (Re)starts the timer for a file that comes due without a batch. */
void fffa_file__arm(struct fffa_sink *s);

#endif
