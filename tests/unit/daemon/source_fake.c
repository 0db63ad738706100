// SPDX-License-Identifier: MIT
#include "tests/unit/daemon/source_fake.h"

#include <stdarg.h>
#include <stdio.h>

#include "agent/base/log.h"
#include "agent/capture/kernel/kernel.h"
#include "agent/capture/unattended/checkpoint.h"
#include "agent/service/privileges.h"

struct source_fake fake;

static void note(const char *text)
{
	size_t len = strlen(fake.journal);

	(void)snprintf(fake.journal + len, sizeof(fake.journal) - len, "%s ", text);
}

void source_fake_expect(const char *calls)
{
	assert_string_equal(fake.journal, calls);
	fake.journal[0] = '\0';
}

void source_fake_expect_log(const char *lines)
{
	assert_string_equal(fake.log, lines);
	fake.log[0] = '\0';
}

void __wrap_fffa_log(enum fffa_log_level level, const char *tag, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
int __wrap_fffa_privileges_check(struct fffa_err *err);
int __wrap_fffa_privileges_restrict(enum fffa_privileges need, struct fffa_err *err);
uid_t __wrap_geteuid(void);
int __wrap_fffa_devices_select(const struct fffa_capture_conf *conf, struct fffa_netdevs *out,
			       struct fffa_err *err);
int __wrap_fffa_live_load(const struct fffa_capture_conf *conf, struct fffa_kernel **out,
			  struct fffa_err *err);
int __wrap_fffa_live_open(uv_loop_t *loop, const struct fffa_capture_conf *conf,
			  struct fffa_kernel *kernel, const struct fffa_netdevs *devices,
			  struct fffa_ledger *ledger, const struct fffa_live_events *events,
			  struct fffa_live **out, struct fffa_err *err);
void __wrap_fffa_live_change(struct fffa_live *l);
void __wrap_fffa_live_limit_window(struct fffa_live *l, uint64_t window_ns);
const struct fffa_tunnel *__wrap_fffa_live_tunnel(const struct fffa_live *l, uint16_t id);
const char *__wrap_fffa_live_problem(const struct fffa_live *l);
const struct fffa_hooked *__wrap_fffa_live_hooks(const struct fffa_live *l, size_t *n);
void __wrap_fffa_live_refresh(const struct fffa_live *l);
const struct fffa_kernel *__wrap_fffa_live_kernel(const struct fffa_live *l);
const struct fffa_histogram *__wrap_fffa_live_drains(const struct fffa_live *l);
void __wrap_fffa_live_stop(struct fffa_live *l);
void __wrap_fffa_live_close(struct fffa_live *l);
void __wrap_fffa_kernel_close(struct fffa_kernel *k);
void __wrap_fffa_kernel_facts(const struct fffa_kernel *k, struct fffa_kernel_facts *out);
void __wrap_fffa_kernel_program_runs(const struct fffa_kernel *k, enum fffa_program p,
				     struct fffa_program_runs *out);
void __wrap_fffa_kernel_ring_events(const struct fffa_kernel *k,
				    uint64_t out[FFFA_RING_EVENT_KINDS]);
void __wrap_fffa_checkpoint_init(struct fffa_checkpoint *r, struct uv_loop_s *loop,
				 const char *dir);
struct fffa_amount __wrap_fffa_checkpoint_gap(struct fffa_checkpoint *r,
					      const struct fffa_hooked *hooks, size_t n,
					      int64_t *since_ms);
void __wrap_fffa_checkpoint_note(struct fffa_checkpoint *r, const struct fffa_hooked *hooks,
				 size_t n, bool last);
void __wrap_fffa_checkpoint_save(struct fffa_checkpoint *r, struct fffa_amount held,
				 int64_t unix_ms);
void __wrap_fffa_checkpoint_close(struct fffa_checkpoint *r);

void __wrap_fffa_log(enum fffa_log_level level, const char *tag, const char *fmt, ...)
{
	size_t len = strlen(fake.log), cap = sizeof(fake.log);
	va_list ap;

	len += (size_t)snprintf(fake.log + len, cap - len, "%c %s: ", "EWID"[level], tag);
	va_start(ap, fmt);
	len += (size_t)vsnprintf(fake.log + len, cap - len, fmt, ap);
	va_end(ap);
	assert_true(len + 1 < cap);
	memcpy(fake.log + len, "\n", 2);
}

static int answer(int rc, struct fffa_err *err)
{
	return rc ? fffa_fail(err, -rc, "refused") : 0;
}

int __wrap_fffa_privileges_check(struct fffa_err *err)
{
	note("check");
	return answer(fake.may_not, err);
}

int __wrap_fffa_privileges_restrict(enum fffa_privileges need, struct fffa_err *err)
{
	note("restrict");
	assert_int_equal(need, FFFA_PRIVILEGES_ATTACH);
	return answer(fake.not_restricted, err);
}

uid_t __wrap_geteuid(void)
{
	return fake.user;
}

int __wrap_fffa_devices_select(const struct fffa_capture_conf *conf, struct fffa_netdevs *out,
			       struct fffa_err *err)
{
	note("select");
	assert_ptr_equal(conf, &fake.conf.capture);
	if (fake.no_device)
		return err ? answer(fake.no_device, err) : fake.no_device;
	*out = fake.selected;
	return 0;
}

int __wrap_fffa_live_load(const struct fffa_capture_conf *conf, struct fffa_kernel **out,
			  struct fffa_err *err)
{
	note("load");
	assert_ptr_equal(conf, &fake.conf.capture);
	if (!fake.not_loaded)
		*out = KERNEL;
	return answer(fake.not_loaded, err);
}

int __wrap_fffa_live_open(uv_loop_t *loop, const struct fffa_capture_conf *conf,
			  struct fffa_kernel *kernel, const struct fffa_netdevs *devices,
			  struct fffa_ledger *ledger, const struct fffa_live_events *events,
			  struct fffa_live **out, struct fffa_err *err)
{
	note("open");
	assert_ptr_equal(loop, &fake.loop);
	assert_ptr_equal(conf, &fake.conf.capture);
	assert_ptr_equal(kernel, KERNEL);
	assert_ptr_equal(ledger, &fake.ledger);
	assert_memory_equal(devices, &fake.selected, sizeof(fake.selected));
	fake.to = *events;
	if (!fake.not_opened)
		*out = LIVE;
	return answer(fake.not_opened, err);
}

void __wrap_fffa_live_change(struct fffa_live *l)
{
	assert_ptr_equal(l, LIVE);
	note("change");
}

void __wrap_fffa_live_limit_window(struct fffa_live *l, uint64_t window_ns)
{
	assert_ptr_equal(l, LIVE);
	assert_int_equal(window_ns, 60);
	note("limit");
}

const struct fffa_tunnel *__wrap_fffa_live_tunnel(const struct fffa_live *l, uint16_t id)
{
	assert_ptr_equal(l, LIVE);
	return id == 7 ? &fake.tunnel : NULL;
}

const char *__wrap_fffa_live_problem(const struct fffa_live *l)
{
	assert_ptr_equal(l, LIVE);
	return "a hook is gone";
}

const struct fffa_hooked *__wrap_fffa_live_hooks(const struct fffa_live *l, size_t *n)
{
	assert_ptr_equal(l, LIVE);
	*n = fake.n;
	return fake.hooks;
}

void __wrap_fffa_live_refresh(const struct fffa_live *l)
{
	assert_ptr_equal(l, LIVE);
	note("refresh");
}

const struct fffa_kernel *__wrap_fffa_live_kernel(const struct fffa_live *l)
{
	assert_ptr_equal(l, LIVE);
	return KERNEL;
}

const struct fffa_histogram *__wrap_fffa_live_drains(const struct fffa_live *l)
{
	assert_ptr_equal(l, LIVE);
	return DRAINS;
}

void __wrap_fffa_live_stop(struct fffa_live *l)
{
	assert_ptr_equal(l, LIVE);
	note("stop");
}

void __wrap_fffa_live_close(struct fffa_live *l)
{
	assert_ptr_equal(l, LIVE);
	note("close");
}

void __wrap_fffa_kernel_close(struct fffa_kernel *k)
{
	note(k ? "close_kernel" : "close_nothing");
}

void __wrap_fffa_kernel_facts(const struct fffa_kernel *k, struct fffa_kernel_facts *out)
{
	assert_ptr_equal(k, KERNEL);
	*out = (struct fffa_kernel_facts){.table_entries = 1000,
					  .slices = 8,
					  .ring_bytes = 4096,
					  .clock = "precise",
					  .grace_period = "membarrier"};
}

void __wrap_fffa_kernel_program_runs(const struct fffa_kernel *k, enum fffa_program p,
				     struct fffa_program_runs *out)
{
	assert_ptr_equal(k, KERNEL);
	*out = (struct fffa_program_runs){
		.name = p ? "another" : "first", .run_ns = 100U + p, .runs = 10U + p};
}

void __wrap_fffa_kernel_ring_events(const struct fffa_kernel *k,
				    uint64_t out[FFFA_RING_EVENT_KINDS])
{
	assert_ptr_equal(k, KERNEL);
	for (uint64_t i = 0; i < FFFA_RING_EVENT_KINDS; i++)
		out[i] = 50 + i;
}

void __wrap_fffa_checkpoint_init(struct fffa_checkpoint *r, struct uv_loop_s *loop, const char *dir)
{
	note("checkpoint");
	r->on = true;
	assert_ptr_equal(loop, &fake.loop);
	assert_string_equal(dir, "/spool");
}

struct fffa_amount __wrap_fffa_checkpoint_gap(struct fffa_checkpoint *r,
					      const struct fffa_hooked *hooks, size_t n,
					      int64_t *since_ms)
{
	note("gap");
	assert_true(r->on);
	assert_ptr_equal(hooks, fake.hooks);
	assert_int_equal(n, fake.n);
	if (!fake.first_start)
		*since_ms = SINCE;
	return fake.gap;
}

void __wrap_fffa_checkpoint_note(struct fffa_checkpoint *r, const struct fffa_hooked *hooks,
				 size_t n, bool last)
{
	note(last ? "last_counters" : "counters");
	assert_true(r->on);
	assert_ptr_equal(hooks, fake.hooks);
	assert_int_equal(n, fake.n);
}

void __wrap_fffa_checkpoint_save(struct fffa_checkpoint *r, struct fffa_amount held,
				 int64_t unix_ms)
{
	note("save");
	assert_true(r->on);
	assert_int_equal(held.packets, 5);
	assert_int_equal(held.bytes, 500);
	assert_int_equal(unix_ms, 77);
}

void __wrap_fffa_checkpoint_close(struct fffa_checkpoint *r)
{
	(void)r;
	note("close_checkpoint");
}

/* The agent. */

static void on_delta(void *arg, const struct fffa_delta *d)
{
	assert_ptr_equal(arg, &fake);
	fake.packets = d->packets;
	note("delta");
}

static void on_expect(void *arg, const struct fffa_delta *d)
{
	assert_ptr_equal(arg, &fake);
	fake.packets = d->packets;
	note("expect");
}

static struct fffa_amount on_counted(void *arg, const char *name, int dir)
{
	assert_ptr_equal(arg, &fake);
	assert_string_equal(name, "eth0");
	return (struct fffa_amount){20 + (uint64_t)dir, 2000};
}

static bool on_tunnel_used(void *arg, uint16_t id)
{
	assert_ptr_equal(arg, &fake);
	return id == 7;
}

static void on_time(void *arg)
{
	assert_ptr_equal(arg, &fake);
	note("time");
}

static void on_since(void *arg, int64_t unix_ms)
{
	assert_ptr_equal(arg, &fake);
	fake.since_ms = unix_ms;
	note("since");
}

static void on_turn(void *arg)
{
	assert_ptr_equal(arg, &fake);
	note("turn");
}

static void on_changed(void *arg)
{
	assert_ptr_equal(arg, &fake);
	assert_int_equal(fake.source->sampled, 9);
	note("changed");
}

static int on_devices(void *arg, const struct fffa_netdev *devices, size_t n)
{
	char text[32];

	assert_ptr_equal(arg, &fake);
	(void)snprintf(text, sizeof(text), "devices(%zu,%s)", n, devices[0].name);
	note(text);
	return fake.no_devices;
}

static void on_addresses(void *arg)
{
	assert_ptr_equal(arg, &fake);
	note("addresses");
}

static void on_ended(void *arg, int error)
{
	assert_ptr_equal(arg, &fake);
	assert_int_equal(error, 0);
	note("ended");
}

int source_fake_setup(void **state)
{
	(void)state;
	memset(&fake, 0, sizeof(fake));
	fake.user = 1000;
	fake.selected.n = 2;
	fake.selected.v[0] = (struct fffa_netdev){.ifindex = 2, .name = "eth0"};
	fake.selected.v[1] = (struct fffa_netdev){.ifindex = 3, .name = "eth1"};
	fake.n = 2;
	for (size_t i = 0; i < 2; i++) {
		fake.hooks[i].dev = fake.selected.v[i];
		fake.hooks[i].at[0].how = FFFA_ATTACH_TCX;
		fake.hooks[i].at[1].how = FFFA_ATTACH_CLSACT;
	}
	fake.conf.spool_dir = (char *)"/spool";
	fake.conf.capture.sample = 3;
	fake.events = (struct fffa_source_events){.delta = on_delta,
						  .expect = on_expect,
						  .counted = on_counted,
						  .tunnel_used = on_tunnel_used,
						  .time = on_time,
						  .since = on_since,
						  .turn = on_turn,
						  .changed = on_changed,
						  .devices = on_devices,
						  .addresses = on_addresses,
						  .ended = on_ended,
						  .arg = &fake};
	fake.source = fffa_source_live_new(&fake.conf);
	return fake.source ? 0 : -1;
}

int source_fake_teardown(void **state)
{
	(void)state;
	fffa_source_free(fake.source);
	return 0;
}
