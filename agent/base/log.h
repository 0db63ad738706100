/* SPDX-License-Identifier: MIT */
/*
 * One line per event on standard error: a short message, then key=value pairs. The function that
 * decides what to do about an event logs it; others return. Hot paths count instead. No line holds
 * a secret or payload.
 */
#ifndef FFFA_AGENT_BASE_LOG_H
#define FFFA_AGENT_BASE_LOG_H

#include <stdbool.h>
#include <stdint.h>

enum fffa_log_level { FFFA_LOG_ERROR, FFFA_LOG_WARN, FFFA_LOG_INFO, FFFA_LOG_DEBUG };
enum fffa_log_format { FFFA_LOG_TEXT, FFFA_LOG_JSON };

/*
 * When standard error is the journal (JOURNAL_STREAM names it), each line begins with its priority,
 * as sd-daemon(3) has it. Call it before the first thread.
 */
void fffa_log_detect_journal(void);

/* Any time. */
void fffa_log_setup(enum fffa_log_level level, enum fffa_log_format format);

/*
 * tag: what the line is about, such as "capture" or "sink.local". Any thread. A line is written in
 * one piece.
 */
void fffa_log(enum fffa_log_level level, const char *tag, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/*
 * From now on a thread writes the lines, so that a reader of standard error that stands still holds
 * up nobody. When 64 KiB wait for it, further lines are lost; the log says how many when it goes on.
 * 0 or -errno; then the lines are written at once, as before.
 */
int fffa_log_start_thread(void);
/*
 * Waits until all lines are written, at most wait_ms, and then writes them itself if only the
 * thread had no turn. False: some are not written.
 */
bool fffa_log_flush(uint32_t wait_ms);
/* The same, then ends the thread, unless it waits for the reader. */
void fffa_log_stop_thread(uint32_t wait_ms);
/* Lines lost so far. Any thread. */
uint64_t fffa_log_lost(void);

/* For what may happen often: at most one line a minute. Zero at first; loop thread only. */
struct fffa_log_limit {
	uint64_t records; /* not logged yet */
	uint64_t last_ns;
};

/* Warns "TEXT: records=N" of all records since the last such line, unless it is too early for one. */
void fffa_log_limited(struct fffa_log_limit *l, const char *tag, const char *text,
		      uint64_t records);

#define fffa_error(tag, ...) fffa_log(FFFA_LOG_ERROR, tag, __VA_ARGS__)
#define fffa_warn(tag, ...)  fffa_log(FFFA_LOG_WARN, tag, __VA_ARGS__)
#define fffa_info(tag, ...)  fffa_log(FFFA_LOG_INFO, tag, __VA_ARGS__)
#define fffa_debug(tag, ...) fffa_log(FFFA_LOG_DEBUG, tag, __VA_ARGS__)

#endif
