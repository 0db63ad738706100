// SPDX-License-Identifier: MIT
/*
 * librdkafka under ThreadSanitizer, in tests and in the agent of that build; empty in other builds.
 * The library is not instrumented, so the checker does not see its atomics: races on the library's
 * own memory are not reported. The checker knows POSIX threads only and crashes in a C11 thread,
 * whose start it did not see. So the functions of C11 threads are defined here with POSIX threads.
 * glibc uses the same objects for both, and the linker prefers a function of the program to one of
 * the C library.
 */
#ifdef __SANITIZE_THREAD__
#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <threads.h>

_Static_assert(sizeof(mtx_t) == sizeof(pthread_mutex_t), "the same object in glibc");
_Static_assert(sizeof(cnd_t) == sizeof(pthread_cond_t), "the same object in glibc");

/*
 * libcurl 7.88 closes a socket whose connection timed out, and then says that it need not be watched.
 * The loop takes a number out of its own poll set that may be another thread's socket by then; the
 * kernel finds none of that in the set. The checker takes it for a use of the other socket.
 */
const char *__tsan_default_suppressions(void);
const char *__tsan_default_suppressions(void)
{
	return "race:librdkafka.so\n"
	       "race:fffa_curl_socket_watch\n";
}

/* At the end the checker would wait a second for late races. The agent must end in time. */
const char *__tsan_default_options(void);
const char *__tsan_default_options(void)
{
	return "atexit_sleep_ms=0";
}

struct begin {
	thrd_start_t run;
	void *arg;
};

static int result(int rc)
{
	if (!rc)
		return thrd_success;
	if (rc == ETIMEDOUT)
		return thrd_timedout;
	return rc == ENOMEM ? thrd_nomem : thrd_error;
}

static void *begin(void *arg)
{
	struct begin b = *(struct begin *)arg;

	free(arg);
	return (void *)(intptr_t)b.run(b.arg);
}

int thrd_create(thrd_t *t, thrd_start_t run, void *arg)
{
	struct begin *b = malloc(sizeof(*b));
	int rc;

	if (!b)
		return thrd_nomem;
	*b = (struct begin){run, arg};
	rc = pthread_create(t, NULL, begin, b);
	if (rc)
		free(b);
	return result(rc);
}

int thrd_join(thrd_t t, int *res)
{
	void *r;
	int rc = pthread_join(t, &r);

	if (!rc && res)
		*res = (int)(intptr_t)r;
	return result(rc);
}

int mtx_init(mtx_t *m, int type)
{
	pthread_mutexattr_t a;
	int rc;

	(void)pthread_mutexattr_init(&a);
	if (type & mtx_recursive)
		(void)pthread_mutexattr_settype(&a, PTHREAD_MUTEX_RECURSIVE);
	rc = pthread_mutex_init((pthread_mutex_t *)m, &a);
	(void)pthread_mutexattr_destroy(&a);
	return result(rc);
}

int mtx_lock(mtx_t *m)
{
	return result(pthread_mutex_lock((pthread_mutex_t *)m));
}

int mtx_unlock(mtx_t *m)
{
	return result(pthread_mutex_unlock((pthread_mutex_t *)m));
}

void mtx_destroy(mtx_t *m)
{
	(void)pthread_mutex_destroy((pthread_mutex_t *)m);
}

int cnd_init(cnd_t *c)
{
	return result(pthread_cond_init((pthread_cond_t *)c, NULL));
}

int cnd_signal(cnd_t *c)
{
	return result(pthread_cond_signal((pthread_cond_t *)c));
}

int cnd_broadcast(cnd_t *c)
{
	return result(pthread_cond_broadcast((pthread_cond_t *)c));
}

int cnd_wait(cnd_t *c, mtx_t *m)
{
	return result(pthread_cond_wait((pthread_cond_t *)c, (pthread_mutex_t *)m));
}

int cnd_timedwait(cnd_t *c, mtx_t *m, const struct timespec *until)
{
	return result(pthread_cond_timedwait((pthread_cond_t *)c, (pthread_mutex_t *)m, until));
}

void cnd_destroy(cnd_t *c)
{
	(void)pthread_cond_destroy((pthread_cond_t *)c);
}
#endif
