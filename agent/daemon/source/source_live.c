// SPDX-License-Identifier: MIT
/*
 * The host's interfaces as a source, with the checkpoint that the next start compares its
 * counters to.
 */
#include "agent/daemon/source/source.h"

#include <stdlib.h>
#include <unistd.h>

#include "agent/base/clock.h"
#include "agent/base/log.h"
#include "agent/capture/kernel/kernel.h"
#include "agent/capture/live.h"
#include "agent/capture/live_devices.h"
#include "agent/service/privileges.h"
#include "agent/capture/unattended/checkpoint.h"
#include "agent/status/view.h"

struct source_live {
	struct fffa_source base;
	const struct fffa_config *conf;
	struct fffa_source_events ev;
	struct fffa_ledger *ledger;
	struct fffa_netdevs selected; /* by prepare_live */
	struct fffa_kernel *kernel;   /* loaded, and not in live yet */
	struct fffa_live *live;	      /* NULL: not started, or closed */
	struct fffa_checkpoint checkpoint;
	bool changed; /* the configuration, since the last turn */
};

static void on_delta(void *arg, const struct fffa_delta *d)
{
	const struct source_live *s = arg;

	s->ev.delta(s->ev.arg, d);
}

static void on_expect(void *arg, const struct fffa_delta *d)
{
	const struct source_live *s = arg;

	s->ev.expect(s->ev.arg, d);
}

static struct fffa_amount on_counted(void *arg, const char *name, int dir)
{
	const struct source_live *s = arg;

	return s->ev.counted(s->ev.arg, name, dir);
}

static bool on_tunnel_used(void *arg, uint16_t id)
{
	const struct source_live *s = arg;

	return s->ev.tunnel_used(s->ev.arg, id);
}

static void note_counters(struct source_live *s, bool last)
{
	const struct fffa_hooked *hooks;
	size_t n;

	hooks = fffa_live_hooks(s->live, &n);
	fffa_checkpoint_note(&s->checkpoint, hooks, n, last);
}

static void on_draining(void *arg)
{
	note_counters(arg, false);
}

static void on_turn(void *arg)
{
	struct source_live *s = arg;

	s->ev.turn(s->ev.arg);
	if (!s->changed)
		return;
	/* From here on no delta holds packets that were counted before the change. */
	s->changed = false;
	s->base.sampled = (uint32_t)s->conf->capture.sample;
	s->ev.changed(s->ev.arg);
}

static void on_changed(void *arg)
{
	struct source_live *s = arg;

	s->changed = true;
}

static void on_devices(void *arg, const struct fffa_netdev *devices, size_t n)
{
	const struct source_live *s = arg;

	if (s->ev.devices(s->ev.arg, devices, n))
		fffa_error("agent", "no memory for the list of interfaces: new ones stay unknown");
}

static void on_addresses(void *arg)
{
	const struct source_live *s = arg;

	s->ev.addresses(s->ev.arg);
}

static void on_stopped(void *arg)
{
	const struct source_live *s = arg;

	s->ev.ended(s->ev.arg, 0);
}

static int prepare_live(struct fffa_source *base, struct fffa_err *err)
{
	struct source_live *s = (struct source_live *)base;
	int rc = fffa_privileges_check(err);

	if (!rc)
		rc = fffa_devices_select(&s->conf->capture, &s->selected, err);
	if (!rc)
		rc = fffa_live_load(&s->conf->capture, &s->kernel, err);
	/* Root without `user:` stays root: its files may be readable for root alone. */
	if (!rc && geteuid() != 0)
		rc = fffa_privileges_restrict(FFFA_PRIVILEGES_ATTACH, err);
	return rc;
}

/* Packets that passed since the last agent stopped counting are seen, and lost. */
static void count_unattended(struct source_live *s, int64_t *since_ms)
{
	const struct fffa_hooked *hooks;
	struct fffa_amount gap;
	size_t n;

	hooks = fffa_live_hooks(s->live, &n);
	gap = fffa_checkpoint_gap(&s->checkpoint, hooks, n, since_ms);
	if (!gap.packets)
		return;
	fffa_amount_add(&s->ledger->unattended, gap.packets, gap.bytes);
	fffa_amount_add(&s->ledger->lost[FFFA_PL_NOT_ATTACHED], gap.packets, gap.bytes);
	fffa_warn("restart", "packets passed while no agent ran packets=%llu bytes=%llu",
		  (unsigned long long)gap.packets, (unsigned long long)gap.bytes);
}

static int fail_ambiguous(size_t devices, struct fffa_err *err)
{
	return fffa_fail(err, EINVAL,
			 "metadata.static.interface_id names one interface, but %zu are captured "
			 "on; name each in metadata.interfaces, or capture on one",
			 devices);
}

int fffa_source_live_check(const struct fffa_config *conf, struct fffa_err *err)
{
	struct fffa_netdevs found;

	if (!fffa_source_names_one_interface(conf) ||
	    fffa_devices_select(&conf->capture, &found, NULL) || found.n < 2)
		return 0;
	return fail_ambiguous(found.n, err);
}

static int start_live(struct fffa_source *base, uv_loop_t *loop, struct fffa_ledger *ledger,
		      const struct fffa_source_events *ev, struct fffa_err *err)
{
	struct source_live *s = (struct source_live *)base;
	const struct fffa_live_events live_ev = {.delta = on_delta,
						 .expect = on_expect,
						 .counted = on_counted,
						 .tunnel_used = on_tunnel_used,
						 .draining = on_draining,
						 .turn = on_turn,
						 .changed = on_changed,
						 .devices = on_devices,
						 .addresses = on_addresses,
						 .stopped = on_stopped,
						 .arg = s};
	int64_t since_ms;
	int rc;

	s->ev = *ev;
	s->ledger = ledger;
	rc = ev->devices(ev->arg, s->selected.v, s->selected.n);
	if (rc == -EINVAL)
		return fail_ambiguous(s->selected.n, err);
	if (rc)
		return fffa_fail(err, -rc, "no memory for the list of interfaces");
	ev->time(ev->arg);
	since_ms = (int64_t)(fffa_clock_unix_ns(&fffa_clock_system) / FFFA_NS_PER_MS);
	rc = fffa_live_open(loop, &s->conf->capture, s->kernel, &s->selected, ledger, &live_ev,
			    &s->live, err);
	s->kernel = NULL;
	if (rc)
		return rc;
	fffa_checkpoint_init(&s->checkpoint, loop, s->conf->spool_dir);
	count_unattended(s, &since_ms);
	ev->since(ev->arg, since_ms);
	return 0;
}

static void stop_live(struct fffa_source *base)
{
	struct source_live *s = (struct source_live *)base;

	note_counters(s, true);
	fffa_live_stop(s->live);
}

static void change_live(struct fffa_source *base)
{
	fffa_live_change(((struct source_live *)base)->live);
}

static void close_live(struct fffa_source *base)
{
	struct source_live *s = (struct source_live *)base;

	if (s->live)
		fffa_live_close(s->live);
	s->live = NULL;
	fffa_kernel_close(s->kernel);
	s->kernel = NULL;
	fffa_checkpoint_close(&s->checkpoint);
}

static void read_clock(const struct fffa_source *base, uint64_t *mono_ns, uint64_t *unix_ns)
{
	(void)base;
	*unix_ns = fffa_clock_unix_ns(&fffa_clock_system);
	*mono_ns = fffa_clock_mono_ns(&fffa_clock_system);
}

static const struct fffa_tunnel *find_tunnel(const struct fffa_source *base, uint16_t id)
{
	return fffa_live_tunnel(((const struct source_live *)base)->live, id);
}

static struct fffa_amount count_held(struct fffa_source *base)
{
	struct source_live *s = (struct source_live *)base;

	if (!s->live)
		return (struct fffa_amount){0, 0};
	fffa_live_refresh(s->live);
	return fffa_ledger_held_kernel(s->ledger);
}

static size_t list_watched(const struct fffa_source *base, uint32_t *ifindexes, size_t max)
{
	const struct source_live *s = (const struct source_live *)base;
	const struct fffa_hooked *hooks;
	size_t n = 0, found = 0;

	if (!s->live)
		return 0;
	hooks = fffa_live_hooks(s->live, &n);
	for (size_t i = 0; i < n && found < max; i++) {
		if (!hooks[i].state[0].missed && !hooks[i].state[1].missed)
			ifindexes[found++] = hooks[i].dev.ifindex;
	}
	return found;
}

static void save_checkpoint(struct fffa_source *base, struct fffa_amount held, int64_t unix_ms)
{
	fffa_checkpoint_save(&((struct source_live *)base)->checkpoint, held, unix_ms);
}

static void view_hooks(const struct fffa_live *live, struct fffa_status_view *v)
{
	static const char *const directions[] = {"ingress", "egress"};
	const struct fffa_hooked *h;
	size_t n;

	h = fffa_live_hooks(live, &n);
	for (size_t i = 0; i < n; i++) {
		for (int dir = 0; dir < 2; dir++) {
			if (h[i].at[dir].how == FFFA_ATTACH_NONE ||
			    v->hook_count == FFFA_STATUS_HOOKS_MAX)
				continue;
			v->hooks[v->hook_count++] = (struct fffa_status_hook){
				.interface = h[i].dev.name,
				.ifindex = h[i].dev.ifindex,
				.direction = directions[dir],
				.hook = fffa_attach_name(h[i].at[dir].how),
				.selected_by = fffa_devices_match_text(h[i].dev.match),
				.why = dir == 0 ? h[i].choice.why : "egress is always TC",
				.up = h[i].state[dir].condition == FFFA_HOOK_UP,
				.problem = h[i].state[dir].problem,
				.put_backs = h[i].state[dir].put_backs,
			};
		}
	}
}

static void view_kernel(const struct fffa_live *live, struct fffa_status_kernel *out)
{
	static const char *const kinds[FFFA_RING_EVENT_KINDS] = {[0] = "no_room",
								 [FFFA_EV_VICTIM] = "victim",
								 [FFFA_EV_END] = "end",
								 [FFFA_EV_AGED] = "aged"};
	const struct fffa_kernel *k = fffa_live_kernel(live);
	uint64_t events[FFFA_RING_EVENT_KINDS];
	struct fffa_program_runs runs;
	struct fffa_kernel_facts facts;

	fffa_kernel_facts(k, &facts);
	out->table_entries = facts.table_entries;
	out->slices = facts.slices;
	out->ring_bytes = facts.ring_bytes;
	out->clock = facts.clock;
	out->grace_period = facts.grace_period;
	out->drains = fffa_live_drains(live);
	fffa_kernel_ring_events(k, events);
	for (; out->ring_event_count < FFFA_RING_EVENT_KINDS; out->ring_event_count++)
		out->ring_events[out->ring_event_count] = (struct fffa_status_count){
			kinds[out->ring_event_count], events[out->ring_event_count]};
	for (int p = 0; p < FFFA_PROGRAM_MAX; p++) {
		fffa_kernel_program_runs(k, (enum fffa_program)p, &runs);
		out->programs[out->program_count++] =
			(struct fffa_status_program){runs.name, runs.run_ns, runs.runs};
	}
}

static void view_live(struct fffa_source *base, struct fffa_status_view *v)
{
	const struct source_live *s = (const struct source_live *)base;

	if (!s->live)
		return;
	v->held_kernel = count_held(base);
	view_hooks(s->live, v);
	v->not_ready = fffa_live_problem(s->live);
	view_kernel(s->live, &v->kernel);
}

static void limit_window(struct fffa_source *base, uint64_t window_ns)
{
	struct source_live *s = (struct source_live *)base;

	if (s->live)
		fffa_live_limit_window(s->live, window_ns);
}

static const struct fffa_source_ops live_ops = {.prepare = prepare_live,
						.start = start_live,
						.stop = stop_live,
						.change = change_live,
						.close = close_live,
						.now = read_clock,
						.tunnel = find_tunnel,
						.held = count_held,
						.watched = list_watched,
						.checkpoint = save_checkpoint,
						.view = view_live,
						.limit_window = limit_window};

struct fffa_source *fffa_source_live_new(const struct fffa_config *conf)
{
	struct source_live *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->base = (struct fffa_source){.ops = &live_ops,
				       .metadata = &conf->metadata,
				       .sampled = (uint32_t)conf->capture.sample};
	s->conf = conf;
	return &s->base;
}
