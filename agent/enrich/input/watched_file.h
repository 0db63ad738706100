/* SPDX-License-Identifier: MIT */
/*
 * A file of names on disk: read at the start and again when it has changed, on a thread of its own.
 * A file that cannot be used never replaces one that could. Loop thread only.
 */
#ifndef FFFA_AGENT_ENRICH_INPUT_WATCHED_FILE_H
#define FFFA_AGENT_ENRICH_INPUT_WATCHED_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "agent/base/err.h"

struct fffa_watched_file;

/* What is in the file. Constant. */
struct fffa_watched_kind {
	const char *key;     /* of the configuration, for the log */
	const char *thread;  /* its name */
	const char *missing; /* what it means that no file could be used yet, for the log */
	size_t bytes_max;
	/*
	 * Makes *out of the text, not NULL. 0, or -errno with err. On the thread: uses nothing but
	 * its arguments.
	 */
	int (*parse)(const char *text, size_t len, void **out, struct fffa_err *err);
	void (*destroy)(void *made); /* NULL is allowed */
	/* Logs that what was made is in use now. On the loop. */
	void (*log_use)(const void *made, const char *path);
};

/*
 * Borrows loop and kind, copies path. Looks at the file every refresh_ns, and at least every 10 s.
 * Calls changed on the loop, never from inside, when the first reading has ended and when another
 * file is in use. 0, or -ENOMEM, -EAGAIN without a thread; a handle may close later then.
 */
int fffa_watched_file_open(uv_loop_t *loop, const struct fffa_watched_kind *kind, const char *path,
			   uint64_t refresh_ns, void (*changed)(void *arg), void *arg,
			   struct fffa_watched_file **out);

/*
 * Takes what was made of the file of from, if to has made nothing yet: a good one is never replaced
 * by a bad one.
 */
void fffa_watched_file_inherit(struct fffa_watched_file *to, struct fffa_watched_file *from);

/* What was made of the last file that could be used; NULL: none. Valid until changed is called. */
const void *fffa_watched_file_made(const struct fffa_watched_file *w);

/* True once the first reading has ended, well or not. */
bool fffa_watched_file_settled(const struct fffa_watched_file *w);

/* How often a file could not be used. One that stays as it is counts once. */
uint64_t fffa_watched_file_errors(const struct fffa_watched_file *w);

/* Reads path, blocking, for `fffa check`: 0 and *made for kind->destroy, or -errno and err. */
int fffa_watched_file_read(const struct fffa_watched_kind *kind, const char *path, void **made,
			   struct fffa_err *err);

/*
 * Asynchronous: waits for a reading under way, calls closed on the loop, then frees w. Call once.
 */
void fffa_watched_file_close(struct fffa_watched_file *w, void (*closed)(void *arg), void *arg);

#endif
