// SPDX-License-Identifier: MIT
#include "agent/loop/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

#include "agent/base/thread.h"

/* Of both threads; the last one frees it. */
struct errand {
	uv_mutex_t lock;
	uv_cond_t changed;
	unsigned int users;
	bool ended;
	int result;
	int (*work)(void *arg);
	_Alignas(max_align_t) char arg[];
};

/* Leaves the name of the parent in path. False: there is none. */
static bool cut_name(char *path)
{
	size_t n = strlen(path);

	while (n > 1 && path[n - 1] == '/')
		n--;
	while (n && path[n - 1] != '/')
		n--;
	while (n > 1 && path[n - 1] == '/')
		n--;
	if (!n && strcmp(path, ".") != 0)
		path[n++] = '.';
	else if (!n || !path[n])
		return false;
	path[n] = '\0';
	return true;
}

static int ask(void *arg)
{
	char *path = arg;
	int fd;

	do {
		fd = open(path, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	} while (fd < 0 && errno == ENOENT && cut_name(path));
	if (fd >= 0)
		(void)close(fd); /* nothing was written to it */
	return 0;
}

static void leave(struct errand *e)
{
	bool last = !--e->users;

	uv_mutex_unlock(&e->lock);
	if (!last)
		return;
	uv_cond_destroy(&e->changed);
	uv_mutex_destroy(&e->lock);
	free(e);
}

static void *run_errand(void *arg)
{
	struct errand *e = arg;
	int result = e->work(e->arg);

	uv_mutex_lock(&e->lock);
	e->result = result;
	e->ended = true;
	uv_cond_signal(&e->changed);
	leave(e);
	return NULL;
}

static struct errand *new_errand(int (*work)(void *arg), const void *arg, size_t bytes)
{
	struct errand *e = calloc(1, sizeof(*e) + bytes);

	if (!e)
		return NULL;
	memcpy(e->arg, arg, bytes);
	e->work = work;
	e->users = 2;
	if (uv_mutex_init(&e->lock) != 0) {
		free(e);
		return NULL;
	}
	if (uv_cond_init(&e->changed) == 0)
		return e;
	uv_mutex_destroy(&e->lock);
	free(e);
	return NULL;
}

int fffa_disk_run(int (*work)(void *arg), const void *arg, size_t bytes, uint64_t timeout_ns,
		  int *result)
{
	uint64_t now = uv_hrtime(), end = now + timeout_ns;
	struct errand *e = new_errand(work, arg, bytes);
	pthread_t thread;
	int rc = e ? fffa_thread_start(&thread, run_errand, e) : -ENOMEM;

	if (rc) {
		if (e) {
			e->users = 1;
			uv_mutex_lock(&e->lock);
			leave(e);
		}
		return rc;
	}
	uv_mutex_lock(&e->lock);
	for (; !e->ended && now < end; now = uv_hrtime())
		(void)uv_cond_timedwait(&e->changed, &e->lock, end - now);
	rc = e->ended ? 0 : -ETIMEDOUT;
	if (!rc)
		*result = e->result;
	leave(e);
	if (rc)
		(void)pthread_detach(thread);
	else
		(void)pthread_join(thread, NULL); /* it only has to return */
	return rc;
}

int fffa_disk_await(const char *path, uint64_t timeout_ns)
{
	char copy[PATH_MAX + 2] = "";
	int ignored;

	if ((size_t)snprintf(copy, sizeof(copy), "%s", path) >= PATH_MAX)
		return -ENAMETOOLONG;
	/* With the NUL, and one more: "." may be longer than a name. */
	return fffa_disk_run(ask, copy, strlen(copy) + 2, timeout_ns, &ignored);
}
