// SPDX-License-Identifier: MIT
#include "agent/service/start_watch.h"

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>
#include <uv.h>

#include "agent/base/clock.h"
#include "agent/base/log.h"
#include "agent/base/thread.h"

#define TAG	"agent"
#define LOOK_NS (100 * FFFA_NS_PER_MS)
#define LOG_MS	200

struct fffa_start_watch {
	uint64_t say_ns, leave_ns;
	pthread_t thread;
	uv_mutex_t lock;
	uv_cond_t changed;
	const char *what;
	bool ended;
};

static bool is_asked_to_stop(void)
{
	sigset_t pending;

	return !sigpending(&pending) &&
	       (sigismember(&pending, SIGTERM) || sigismember(&pending, SIGINT));
}

static void say_that_it_takes_long(const struct fffa_start_watch *w, uint64_t waited_ns)
{
	fffa_warn(TAG,
		  "the start still waits, perhaps for a disk that stands still, while %s: "
		  "seconds=%llu",
		  w->what, (unsigned long long)(waited_ns / FFFA_NS_PER_S));
}

/* Nothing is recorded yet, so nothing is lost. */
static void leave(const struct fffa_start_watch *w)
{
	fffa_error(TAG,
		   "asked to stop, but the start still waits, perhaps for a disk that stands "
		   "still, while %s; ending without it",
		   w->what);
	(void)fffa_log_flush(LOG_MS);
	_exit(1);
}

static void *watch(void *arg)
{
	struct fffa_start_watch *w = arg;
	uint64_t began = uv_hrtime(), say = began + w->say_ns, asked = 0;

	uv_mutex_lock(&w->lock);
	while (!w->ended) {
		uint64_t now = uv_hrtime();

		if (now >= say) {
			say_that_it_takes_long(w, now - began);
			say = now + w->say_ns;
		}
		if (!asked && is_asked_to_stop())
			asked = now;
		if (asked && now - asked >= w->leave_ns)
			leave(w);
		(void)uv_cond_timedwait(&w->changed, &w->lock, LOOK_NS);
	}
	uv_mutex_unlock(&w->lock);
	return NULL;
}

struct fffa_start_watch *fffa_start_watch_begin(uint64_t say_ns, uint64_t leave_ns)
{
	struct fffa_start_watch *w = calloc(1, sizeof(*w));

	if (!w)
		return NULL;
	w->say_ns = say_ns;
	w->leave_ns = leave_ns;
	w->what = "it begins";
	if (uv_mutex_init(&w->lock) != 0)
		goto no_lock;
	if (uv_cond_init(&w->changed) != 0)
		goto no_cond;
	if (!fffa_thread_start(&w->thread, watch, w))
		return w;
	uv_cond_destroy(&w->changed);
no_cond:
	uv_mutex_destroy(&w->lock);
no_lock:
	free(w);
	return NULL;
}

void fffa_start_watch_note(struct fffa_start_watch *w, const char *what)
{
	if (!w)
		return;
	uv_mutex_lock(&w->lock);
	w->what = what;
	uv_mutex_unlock(&w->lock);
}

void fffa_start_watch_end(struct fffa_start_watch *w)
{
	if (!w)
		return;
	uv_mutex_lock(&w->lock);
	w->ended = true;
	uv_cond_signal(&w->changed);
	uv_mutex_unlock(&w->lock);
	(void)pthread_join(w->thread, NULL); /* it has to look at ended alone */
	uv_cond_destroy(&w->changed);
	uv_mutex_destroy(&w->lock);
	free(w);
}
