// SPDX-License-Identifier: MIT
#include "tests/unit/enrich/worker_fake.h"

#include <errno.h>
#include <unistd.h>

#include "tests/stubs/cmocka_all.h"
#include "tests/unit/enrich/fake_loop.h"

struct worker_fake worker_fake;

static struct fffa_worker *const worker = (void *)&worker_fake; /* any address */

int __wrap_fffa_worker_open(struct uv_loop_s *loop, const char *name, struct fffa_worker **out);
void __wrap_fffa_worker_submit(struct fffa_worker *w, struct fffa_worker_job *job);
void __wrap_fffa_worker_close(struct fffa_worker *w, void (*closed)(void *arg), void *arg);
ssize_t __real_read(int fd, void *buf, size_t n);
ssize_t __wrap_read(int fd, void *buf, size_t n);

int __wrap_fffa_worker_open(struct uv_loop_s *loop, const char *name, struct fffa_worker **out)
{
	assert_ptr_equal(loop, &fake_loop.loop);
	assert_string_equal(name, "names");
	if (!worker_fake.open_error)
		*out = worker;
	return worker_fake.open_error;
}

void __wrap_fffa_worker_submit(struct fffa_worker *w, struct fffa_worker_job *job)
{
	assert_ptr_equal(w, worker);
	assert_null(worker_fake.job);
	worker_fake.job = job;
}

void __wrap_fffa_worker_close(struct fffa_worker *w, void (*closed)(void *arg), void *arg)
{
	assert_ptr_equal(w, worker);
	worker_fake.closed = closed;
	worker_fake.closed_arg = arg;
}

ssize_t __wrap_read(int fd, void *buf, size_t n)
{
	if (worker_fake.interrupted) {
		worker_fake.interrupted--;
		errno = EINTR;
		return -1;
	}
	if (worker_fake.read_error) {
		errno = worker_fake.read_error;
		return -1;
	}
	return __real_read(fd, buf, worker_fake.bytewise ? 1 : n);
}
