// SPDX-License-Identifier: MIT
#include "tests/unit/capture/kernel_fixture.h"

#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "agent/capture/devices/link_watch.h"
#include "agent/capture/hook_watch.h"
#include "agent/capture/live_tunnels.h"
#include "tests/stubs/cmocka_all.h"

struct fffa_kernel kernel_fixture;

int __wrap_fffa_kernel_open(const struct fffa_kernel_conf *conf, struct fffa_kernel **out,
			    struct fffa_err *err);
void __wrap_fffa_kernel_close(struct fffa_kernel *k);
void __wrap_fffa_kernel_change(struct fffa_kernel *k, const struct fffa_kernel_settings *s);
int __wrap_fffa_kernel_drain(struct fffa_kernel *k, struct fffa_deltas *out);
int __wrap_fffa_kernel_ring_fd(const struct fffa_kernel *k);
size_t __wrap_fffa_kernel_ring_read(struct fffa_kernel *k, size_t budget, fffa_delta_fn fn,
				    void *arg, uint64_t *bad_events);
void __wrap_fffa_kernel_ring_arm(struct fffa_kernel *k);
void __wrap_fffa_kernel_limit_window(struct fffa_kernel *k, uint64_t window_ns);
const struct fffa_tunnel *__wrap_fffa_kernel_tunnel(const struct fffa_kernel *k, uint16_t id);
void __wrap_fffa_kernel_tunnels_ask(struct fffa_kernel *k);
uint64_t __wrap_fffa_kernel_tunnels_closed(const struct fffa_kernel *k);
void __wrap_fffa_kernel_read_counts(const struct fffa_kernel *k, struct fffa_ledger *l);
const char *__wrap_fffa_kernel_clock_name(const struct fffa_kernel *k);
void __wrap_fffa_hook_watch_run(struct fffa_hook_watch *w, struct fffa_kernel *k);
void __wrap_fffa_live_tunnels_turn(struct fffa_live_tunnels *t, struct fffa_kernel *k,
				   bool (*used)(void *arg, uint16_t id), void *arg);
int __wrap_fffa_link_watch_open(uv_loop_t *loop, void (*changed)(void *arg, bool addresses),
				void *arg, struct fffa_link_watch **out);
void __wrap_fffa_link_watch_close(struct fffa_link_watch *w);

int __wrap_fffa_kernel_open(const struct fffa_kernel_conf *conf, struct fffa_kernel **out,
			    struct fffa_err *err)
{
	(void)err;
	kernel_fixture.conf = *conf;
	*out = &kernel_fixture;
	return 0;
}

void __wrap_fffa_kernel_close(struct fffa_kernel *k)
{
	k->closed++;
}

void __wrap_fffa_kernel_change(struct fffa_kernel *k, const struct fffa_kernel_settings *s)
{
	k->settings = *s;
}

/* On the drain's thread. */
int __wrap_fffa_kernel_drain(struct fffa_kernel *k, struct fffa_deltas *out)
{
	(void)pthread_mutex_lock(&k->lock);
	k->capacity = out->capacity;
	k->hooks_checked_first &= k->checked;
	k->checked = false;
	k->entered = true;
	(void)pthread_cond_broadcast(&k->changed);
	while (k->held)
		(void)pthread_cond_wait(&k->changed, &k->lock);
	k->entered = false;
	k->drains++;
	if (k->in_table) {
		assert_int_equal(out->count, 0);
		if (out->capacity < k->in_table) {
			fffa_drain_deltas_fini(out);
			out->capacity = k->in_table;
			out->v = mmap(NULL, out->capacity * sizeof(*out->v), PROT_READ | PROT_WRITE,
				      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		}
		for (; out->count < k->in_table; out->count++)
			out->v[out->count] =
				(struct fffa_delta){.packets = (uint32_t)out->count + 1};
		k->in_table = 0;
	}
	(void)pthread_mutex_unlock(&k->lock);
	return k->drain_error;
}

int __wrap_fffa_kernel_ring_fd(const struct fffa_kernel *k)
{
	return k->fd;
}

size_t __wrap_fffa_kernel_ring_read(struct fffa_kernel *k, size_t budget, fffa_delta_fn fn,
				    void *arg, uint64_t *bad_events)
{
	const struct fffa_delta d = {.packets = 1, .seen_now = true};
	size_t n = k->in_ring < budget ? k->in_ring : budget;
	eventfd_t ignored;

	assert_int_equal(budget, 8192); /* then timers and signals get their turn */
	(void)eventfd_read(k->fd, &ignored);
	for (size_t i = 0; i < n; i++)
		fn(arg, &d);
	k->in_ring -= n;
	*bad_events += k->bad;
	k->bad = 0;
	return n;
}

void __wrap_fffa_kernel_ring_arm(struct fffa_kernel *k)
{
	k->arms++;
}

void __wrap_fffa_kernel_limit_window(struct fffa_kernel *k, uint64_t window_ns)
{
	k->window_ns = window_ns;
}

const struct fffa_tunnel *__wrap_fffa_kernel_tunnel(const struct fffa_kernel *k, uint16_t id)
{
	static const struct fffa_tunnel t = {.vni = 7};

	assert_ptr_equal(k, &kernel_fixture);
	return id == 7 ? &t : NULL;
}

void __wrap_fffa_kernel_tunnels_ask(struct fffa_kernel *k)
{
	k->asks++;
}

uint64_t __wrap_fffa_kernel_tunnels_closed(const struct fffa_kernel *k)
{
	return k->closed_tunnels;
}

void __wrap_fffa_kernel_read_counts(const struct fffa_kernel *k, struct fffa_ledger *l)
{
	(void)k;
	l->seen[0].packets++;
}

const char *__wrap_fffa_kernel_clock_name(const struct fffa_kernel *k)
{
	(void)k;
	return "sundial";
}

void __wrap_fffa_hook_watch_run(struct fffa_hook_watch *w, struct fffa_kernel *k)
{
	k->checked = true;
	for (size_t i = 0; i < w->n; i++)
		w->v[i].hook[0].place = w->v[i].hook[1].place = FFFA_PLACE_FIRST;
}

void __wrap_fffa_live_tunnels_turn(struct fffa_live_tunnels *t, struct fffa_kernel *k,
				   bool (*used)(void *arg, uint16_t id), void *arg)
{
	(void)t;
	k->retired_for += used(arg, 1);
}

int __wrap_fffa_link_watch_open(uv_loop_t *loop, void (*changed)(void *arg, bool addresses),
				void *arg, struct fffa_link_watch **out)
{
	(void)loop;
	kernel_fixture.on_links = changed;
	kernel_fixture.on_links_arg = arg;
	*out = NULL;
	return -kernel_fixture.watch_error;
}

void __wrap_fffa_link_watch_close(struct fffa_link_watch *w)
{
	assert_null(w);
	kernel_fixture.watches_closed++;
}

void kernel_fixture_reset(void)
{
	memset(&kernel_fixture, 0, sizeof(kernel_fixture));
	(void)pthread_mutex_init(&kernel_fixture.lock, NULL);
	(void)pthread_cond_init(&kernel_fixture.changed, NULL);
	kernel_fixture.hooks_checked_first = true;
	kernel_fixture.fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
}

void kernel_fixture_close(void)
{
	if (kernel_fixture.fd >= 0)
		(void)close(kernel_fixture.fd);
	kernel_fixture.fd = -1;
}

void kernel_fixture_fill(size_t n)
{
	(void)pthread_mutex_lock(&kernel_fixture.lock);
	kernel_fixture.in_table = n;
	(void)pthread_mutex_unlock(&kernel_fixture.lock);
}

void kernel_fixture_fill_ring(size_t n)
{
	kernel_fixture.in_ring = n;
	assert_int_equal(eventfd_write(kernel_fixture.fd, 1), 0);
}

int kernel_fixture_drains(void)
{
	int n;

	(void)pthread_mutex_lock(&kernel_fixture.lock);
	n = kernel_fixture.drains;
	(void)pthread_mutex_unlock(&kernel_fixture.lock);
	return n;
}

void kernel_fixture_hold(void)
{
	(void)pthread_mutex_lock(&kernel_fixture.lock);
	kernel_fixture.held = true;
	(void)pthread_mutex_unlock(&kernel_fixture.lock);
}

bool kernel_fixture_is_held(void)
{
	bool entered;

	(void)pthread_mutex_lock(&kernel_fixture.lock);
	entered = kernel_fixture.entered;
	(void)pthread_mutex_unlock(&kernel_fixture.lock);
	return entered;
}

void kernel_fixture_let_go(void)
{
	(void)pthread_mutex_lock(&kernel_fixture.lock);
	kernel_fixture.held = false;
	(void)pthread_cond_broadcast(&kernel_fixture.changed);
	(void)pthread_mutex_unlock(&kernel_fixture.lock);
}
