// SPDX-License-Identifier: MIT
#include "tests/unit/enrich/fake_loop.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "agent/base/log.h"
#include "tests/stubs/cmocka_all.h"

struct fake_loop fake_loop;

uint64_t __wrap_uv_now(const uv_loop_t *loop);
int __wrap_uv_timer_init(uv_loop_t *loop, uv_timer_t *timer);
int __wrap_uv_timer_start(uv_timer_t *timer, uv_timer_cb call, uint64_t ms, uint64_t repeat);
uint64_t __wrap_uv_timer_get_due_in(const uv_timer_t *timer);
void __wrap_uv_close(uv_handle_t *handle, uv_close_cb closed);
void __wrap_fffa_log(enum fffa_log_level level, const char *tag, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

void fake_loop_reset(void)
{
	memset(&fake_loop, 0, sizeof(fake_loop));
	fake_loop.now_ms = 3600000;
}

uint64_t __wrap_uv_now(const uv_loop_t *loop)
{
	assert_ptr_equal(loop, &fake_loop.loop);
	return fake_loop.now_ms;
}

int __wrap_uv_timer_init(uv_loop_t *loop, uv_timer_t *timer)
{
	assert_ptr_equal(loop, &fake_loop.loop);
	assert_true(fake_loop.n < FAKE_LOOP_HANDLES);
	fake_loop.timers[fake_loop.n].timer = timer;
	fake_loop.timers[fake_loop.n++].due_ms = FAKE_LOOP_NEVER;
	return 0;
}

/* Its place; a timer that was not initialised has none. The last one: memory may be used again. */
static size_t place_of(const uv_handle_t *handle)
{
	size_t i = fake_loop.n;

	while (i-- > 0)
		if ((const uv_handle_t *)fake_loop.timers[i].timer == handle)
			return i;
	return FAKE_LOOP_HANDLES;
}

int __wrap_uv_timer_start(uv_timer_t *timer, uv_timer_cb call, uint64_t ms, uint64_t repeat)
{
	size_t i = place_of((const uv_handle_t *)timer);

	assert_true(i < FAKE_LOOP_HANDLES);
	assert_int_equal(repeat, fake_loop.repeat_ms);
	fake_loop.timers[i].call = call;
	fake_loop.timers[i].due_ms = fake_loop.now_ms + ms;
	return 0;
}

static uint64_t left_ms(size_t i)
{
	uint64_t due_ms = fake_loop.timers[i].due_ms;

	if (due_ms == FAKE_LOOP_NEVER)
		return FAKE_LOOP_NEVER;
	return due_ms > fake_loop.now_ms ? due_ms - fake_loop.now_ms : 0;
}

/* As libuv's: 0 for one that is not started. */
uint64_t __wrap_uv_timer_get_due_in(const uv_timer_t *timer)
{
	size_t i = place_of((const uv_handle_t *)timer);

	assert_true(i < FAKE_LOOP_HANDLES);
	return left_ms(i) == FAKE_LOOP_NEVER ? 0 : left_ms(i);
}

static size_t first_due(void)
{
	size_t first = 0;

	assert_true(fake_loop.n > 0);
	for (size_t i = 1; i < fake_loop.n; i++)
		if (left_ms(i) < left_ms(first))
			first = i;
	return first;
}

uint64_t fake_loop_due_in_ms(void)
{
	return left_ms(first_due());
}

void fake_loop_fire(void)
{
	size_t i = first_due();

	assert_true(left_ms(i) != FAKE_LOOP_NEVER);
	fake_loop.now_ms += left_ms(i);
	fake_loop.timers[i].due_ms =
		fake_loop.repeat_ms ? fake_loop.now_ms + fake_loop.repeat_ms : FAKE_LOOP_NEVER;
	fake_loop.timers[i].call(fake_loop.timers[i].timer);
}

void __wrap_uv_close(uv_handle_t *handle, uv_close_cb closed)
{
	size_t i = place_of(handle);

	assert_true(fake_loop.closing_n < FAKE_LOOP_HANDLES);
	fake_loop.closing[fake_loop.closing_n].handle = handle;
	fake_loop.closing[fake_loop.closing_n++].call = closed;
	if (i < FAKE_LOOP_HANDLES)
		fake_loop.timers[i].due_ms = FAKE_LOOP_NEVER;
}

void fake_loop_close(void)
{
	assert_true(fake_loop.closing_n > 0);
	for (size_t i = 0; i < fake_loop.closing_n; i++)
		fake_loop.closing[i].call(fake_loop.closing[i].handle);
	fake_loop.closing_n = 0;
}

void __wrap_fffa_log(enum fffa_log_level level, const char *tag, const char *fmt, ...)
{
	size_t len = strlen(fake_loop.log), cap = sizeof(fake_loop.log);
	va_list ap;

	assert_string_equal(tag, "metadata");
	len += (size_t)snprintf(fake_loop.log + len, cap - len, "%c ", "EWID"[level]);
	va_start(ap, fmt);
	len += (size_t)vsnprintf(fake_loop.log + len, cap - len, fmt, ap);
	va_end(ap);
	assert_true(len + 2 <= cap);
	memcpy(fake_loop.log + len, "\n", 2);
}

size_t fake_loop_logged(const char *text)
{
	const char *line = fake_loop.log;
	size_t n = 0;

	while ((line = strstr(line, text)) != NULL) {
		n++;
		line += strcspn(line, "\n");
	}
	return n;
}
