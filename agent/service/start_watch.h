/* SPDX-License-Identifier: MIT */
/*
 * A start asks disks and the kernel on the loop's thread, before the loop turns. A thread of its own
 * watches it: the log says when something takes long, and TERM and INT end the process although
 * nobody can handle them yet.
 */
#ifndef FFFA_AGENT_SERVICE_START_WATCH_H
#define FFFA_AGENT_SERVICE_START_WATCH_H

#include <stdint.h>

struct fffa_start_watch;

/*
 * Warns each say_ns, and exits with status 1 leave_ns after TERM or INT. Every thread blocks these
 * until fffa_start_watch_end, so that they stay pending. NULL: without memory or a thread nobody
 * watches it.
 */
struct fffa_start_watch *fffa_start_watch_begin(uint64_t say_ns, uint64_t leave_ns);
/* What the start does from now on, for the log; a literal. */
void fffa_start_watch_note(struct fffa_start_watch *w, const char *what);
/* The start is over, well or not. The thread has ended when this returns. */
void fffa_start_watch_end(struct fffa_start_watch *w);

#endif
