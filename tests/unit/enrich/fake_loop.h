/* SPDX-License-Identifier: MIT */
/*
 * In place of libuv and of the log: timers that fire when the test says so, handles that close then, and the lines that
 * were logged. The linker puts them in the place of the real ones (CMakeLists.txt).
 */
#ifndef FFFA_TESTS_UNIT_ENRICH_FAKE_LOOP_H
#define FFFA_TESTS_UNIT_ENRICH_FAKE_LOOP_H

#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#define FAKE_LOOP_NEVER	  UINT64_MAX
#define FAKE_LOOP_HANDLES 16

struct fake_loop {
	uv_loop_t loop; /* nobody looks into it */
	uint64_t now_ms;
	uint64_t repeat_ms; /* of every timer; 0: they fire once */
	struct {
		uv_timer_t *timer;
		uv_timer_cb call;
		uint64_t due_ms; /* on the clock; FAKE_LOOP_NEVER: it is not started */
	} timers[FAKE_LOOP_HANDLES];
	size_t n;
	struct {
		uv_handle_t *handle;
		uv_close_cb call;
	} closing[FAKE_LOOP_HANDLES];
	size_t closing_n;
	char log[4096]; /* a letter for the level, a space and the text, in lines */
};

extern struct fake_loop fake_loop;

/* Begins anew, with a clock that shows an hour. */
void fake_loop_reset(void);
/* How many milliseconds remain until the first timer fires. */
uint64_t fake_loop_due_in_ms(void);
/* Turns the clock on to when the first timer is due, and lets it fire. One has been started. */
void fake_loop_fire(void);
/* Calls back those that uv_close has; there is one. */
void fake_loop_close(void);
/* How many lines of the log have this text. */
size_t fake_loop_logged(const char *text);

#endif
