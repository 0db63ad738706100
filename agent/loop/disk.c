// SPDX-License-Identifier: MIT
#include "agent/loop/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

/* Of both threads; the last one frees it. */
struct question {
	uv_mutex_t lock;
	uv_cond_t changed;
	unsigned int users;
	bool answered;
	char path[];
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

static void leave(struct question *q)
{
	bool last = !--q->users;

	uv_mutex_unlock(&q->lock);
	if (!last)
		return;
	uv_cond_destroy(&q->changed);
	uv_mutex_destroy(&q->lock);
	free(q);
}

static void *ask(void *arg)
{
	struct question *q = arg;
	int fd;

	do {
		fd = open(q->path, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	} while (fd < 0 && errno == ENOENT && cut_name(q->path));
	if (fd >= 0)
		(void)close(fd); /* nothing was written to it */
	uv_mutex_lock(&q->lock);
	q->answered = true;
	uv_cond_signal(&q->changed);
	leave(q);
	return NULL;
}

/* The signals are for the loop's thread. */
static int start_thread(struct question *q)
{
	sigset_t all, before;
	pthread_t thread;
	int rc;

	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	rc = pthread_create(&thread, NULL, ask, q);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (!rc)
		(void)pthread_detach(thread); /* cannot fail */
	return -rc;
}

static struct question *new_question(const char *path)
{
	struct question *q = calloc(1, sizeof(*q) + strlen(path) + 2); /* "." may be longer */

	if (!q)
		return NULL;
	strcpy(q->path, path);
	q->users = 2;
	if (uv_mutex_init(&q->lock) != 0) {
		free(q);
		return NULL;
	}
	if (uv_cond_init(&q->changed) == 0)
		return q;
	uv_mutex_destroy(&q->lock);
	free(q);
	return NULL;
}

int fffa_disk_await(const char *path, uint64_t timeout_ns)
{
	uint64_t now = uv_hrtime(), end = now + timeout_ns;
	struct question *q = new_question(path);
	int rc = q ? start_thread(q) : -ENOMEM;

	if (rc) {
		if (q) {
			q->users = 1;
			uv_mutex_lock(&q->lock);
			leave(q);
		}
		return rc;
	}
	uv_mutex_lock(&q->lock);
	for (; !q->answered && now < end; now = uv_hrtime())
		(void)uv_cond_timedwait(&q->changed, &q->lock, end - now);
	rc = q->answered ? 0 : -ETIMEDOUT;
	leave(q);
	return rc;
}
