// SPDX-License-Identifier: MIT
/* What the source says while it runs, and the records that come of it. */
#include "agent/daemon/agent_internal.h"

#include <errno.h>
#include <string.h>

#include "agent/base/assert.h"
#include "agent/base/clock.h"
#include "agent/base/log.h"
#include "agent/base/minmax.h"
#include "agent/capture/live_devices.h"
#include "agent/daemon/nodata_watch.h"
#include "agent/daemon/status_view.h"
#include "agent/flow/parity.h"

#define FLOWS_PER_TURN	 8192
#define PATIENCE_NS	 (5 * FFFA_NS_PER_S) /* a sink that takes nothing for so long is away */
#define WAIT_MS		 2		     /* until the next look for room */
#define METADATA_WAIT_NS (5 * FFFA_NS_PER_S)
#define TUNNEL_WARN_NS	 (60 * FFFA_NS_PER_S) /* the log says so at most this often */

static void set_time(void *arg)
{
	struct fffa_agent *a = arg;

	fffa_source_now(a->source, &a->mono_ns, &a->unix_ns);
	fffa_flow_set_time(a->flows, a->mono_ns, a->unix_ns);
}

static bool is_left_out(const struct fffa_agent *a, const struct fffa_delta *d)
{
	size_t n;
	const uint8_t(*resolvers)[16] = fffa_meta_resolvers(a->meta, &n);

	return fffa_parity_leaves_out(&d->key, resolvers, n);
}

static void on_delta(void *arg, const struct fffa_delta *d)
{
	struct fffa_agent *a = arg;

	fffa_interfaces_count(&a->interfaces, d->key.ifindex, d->key.view & FFFA_VIEW_EGRESS,
			      d->packets, d->bytes);
	if (a->conf->capture.parity_filter && is_left_out(a, d)) {
		fffa_amount_add(&a->ledger.filtered, d->packets, d->bytes);
		return;
	}
	fffa_nodata_seen(&a->nodata, d);
	if (a->filter && !fffa_filter_reads_flags(a->filter) &&
	    !fffa_filter_passes(a->filter, &d->key, 0)) {
		fffa_amount_add(&a->ledger.filtered, d->packets, d->bytes);
		return;
	}
	fffa_flow_merge(a->flows, d);
}

/* The flags of a window are known when it ends, so a filter that reads them is asked then. */
bool fffa_agent__is_wanted(void *arg, const struct fffa_record *r)
{
	const struct fffa_agent *a = arg;

	return !a->filter || !fffa_filter_reads_flags(a->filter) ||
	       fffa_filter_passes(a->filter, &r->key, r->flags);
}

/* Records that wait for the identity may have any id. */
static bool on_tunnel_used(void *arg, uint16_t id)
{
	const struct fffa_agent *a = arg;

	return !a->identity_known || fffa_flow_tunnel_flows(a->flows, id);
}

static void on_expect(void *arg, const struct fffa_delta *d)
{
	const struct fffa_agent *a = arg;

	fffa_flow_expect(a->flows, d);
}

void fffa_agent__on_record(void *arg, struct fffa_record *r)
{
	struct fffa_agent *a = arg;

	if (!a->identity_known && fffa_pending_records_add(&a->pending, r))
		return;
	r->sampled = a->source->sampled;
	r->tunnel = fffa_source_tunnel(a->source, r->key.tunnel);
	fffa_meta_apply(a->meta, r);
	fffa_meta_count_traffic(a->meta, r);
	fffa_pipeline_record(a->pipeline, r);
	fffa_status_record(a->status, r);
}

static void on_sweep(uv_idle_t *h);

static void on_wait(uv_timer_t *h)
{
	struct fffa_agent *a = h->data;

	(void)uv_idle_start(&a->sweep, on_sweep);
}

static void wait_for_room(struct fffa_agent *a)
{
	(void)uv_idle_stop(&a->sweep);
	(void)uv_timer_start(&a->wait, on_wait, WAIT_MS, 0);
}

/*
 * At the end. A replay waits for every sink. A live source has shutdown_timeout only, so it waits
 * for those that work: what is left for the last moment is lost for all of them.
 */
static bool flush_should_wait(const struct fffa_agent *a)
{
	uint64_t patience_ns =
		fffa_min_u64(PATIENCE_NS, (uint64_t)a->conf->shutdown_timeout_ns / 2);

	if (a->ignore_room)
		return false;
	return a->source->repeatable ? !fffa_pipeline_has_room(a->pipeline)
				     : fffa_pipeline_should_wait(a->pipeline, patience_ns);
}

/*
 * Many flows may be due at once. They wait in the flow table for a sink that works, until the table
 * needs their room.
 */
static bool expiry_should_wait(const struct fffa_agent *a)
{
	uint32_t max_flows = (uint32_t)a->conf->flows.max_flows;

	return fffa_flow_count(a->flows) < max_flows - max_flows / 8 &&
	       fffa_pipeline_should_wait(a->pipeline, PATIENCE_NS);
}

/* Ends a bounded number of flows each turn, while the pipeline has room. */
static void flush_slice(struct fffa_agent *a)
{
	if (flush_should_wait(a)) {
		wait_for_room(a);
		return;
	}
	if (fffa_flow_flush(a->flows, FLOWS_PER_TURN))
		return;
	(void)uv_idle_stop(&a->sweep);
	fffa_agent__close_pipeline(a);
}

static void on_sweep(uv_idle_t *h)
{
	struct fffa_agent *a = h->data;

	if (a->stage == FFFA_STAGE_FLUSH)
		flush_slice(a);
	else if (expiry_should_wait(a))
		wait_for_room(a);
	else if (!fffa_flow_expire(a->flows, FLOWS_PER_TURN))
		(void)uv_idle_stop(h);
}

/* Puts what was lost since the last call into the stream. */
static void emit_losses(struct fffa_agent *a)
{
	uint64_t unnamed = a->ledger.no_tunnel_id - a->skip.reported_no_tunnel_id;

	if (unnamed && (!a->tunnel_warn_ns || a->mono_ns - a->tunnel_warn_ns > TUNNEL_WARN_NS)) {
		a->tunnel_warn_ns = a->mono_ns;
		fffa_warn(
			"capture",
			"no tunnel id is free: packets in new tunnels are recorded as the packets "
			"around them, until flows of others are over packets=%llu",
			(unsigned long long)a->ledger.no_tunnel_id);
	}
	fffa_skipdata_emit(&a->skip, &a->ledger, fffa_agent__now_ms(a), a->only_ifindex,
			   fffa_agent__on_record, a);
}

static void on_since(void *arg, int64_t unix_ms)
{
	struct fffa_agent *a = arg;

	a->skip.since_ms = unix_ms;
}

static void on_turn(void *arg)
{
	struct fffa_agent *a = arg;

	set_time(a);
	if (a->stage == FFFA_STAGE_RUN)
		fffa_source_checkpoint(a->source, fffa_flow_held(a->flows), fffa_agent__now_ms(a));
	if (!a->identity_known || a->stage != FFFA_STAGE_RUN)
		return;
	emit_losses(a);
	fffa_nodata_turn(&a->nodata, &a->ledger, a->mono_ns, a->unix_ns, fffa_agent__on_record, a);
	(void)uv_idle_start(&a->sweep, on_sweep);
}

static void on_elapsed(void *arg)
{
	struct fffa_agent *a = arg;

	emit_losses(a);
	while (fffa_flow_expire(a->flows, FLOWS_PER_TURN)) {
	}
}

/* The identity is known, or not expected any more: records may leave. */
static void on_identity(void *arg)
{
	struct fffa_agent *a = arg;

	a->identity_known = true;
	fffa_pipeline_report_missing(a->pipeline);
	fffa_pending_records_release(&a->pending, fffa_agent__on_record, a);
}

static bool on_has_room(void *arg)
{
	const struct fffa_agent *a = arg;

	return fffa_meta_settled(a->meta) && fffa_pipeline_has_room(a->pipeline);
}

/* One id would name several interfaces. Later, a device that comes has none. */
static bool is_id_ambiguous(const struct fffa_agent *a, size_t n)
{
	return !a->started && n > 1 && fffa_source_names_one_interface(a->conf);
}

static int on_devices(void *arg, const struct fffa_netdev *devices, size_t n)
{
	struct fffa_device d[FFFA_LIVE_DEVICES_LIST_MAX];
	struct fffa_agent *a = arg;

	if (is_id_ambiguous(a, n)) {
		a->misconfigured = true;
		return -EINVAL;
	}

	for (size_t i = 0; i < n; i++) {
		d[i].ifindex = devices[i].ifindex;
		memcpy(d[i].name, devices[i].name, sizeof(d[i].name));
		memcpy(d[i].mac, devices[i].mac, sizeof(d[i].mac));
	}
	fffa_interfaces_clear(&a->interfaces);
	for (size_t i = 0; i < n; i++)
		fffa_interfaces_name(&a->interfaces, devices[i].ifindex, devices[i].name);
	a->only_ifindex = n == 1 ? devices[0].ifindex : 0;
	fffa_nodata_watch_devices(&a->nodata, a->source);
	return fffa_meta_set_devices(a->meta, d, n);
}

static void on_addresses(void *arg)
{
	struct fffa_agent *a = arg;

	fffa_meta_addresses_changed(a->meta);
}

static void on_source_ended(void *arg, int error)
{
	struct fffa_agent *a = arg;

	FFFA_ASSERT(a->stage < FFFA_STAGE_FLUSH);
	if (error)
		a->code = FFFA_EXIT_FAILED;
	set_time(a);
	on_identity(a);
	emit_losses(a);
	a->stage = FFFA_STAGE_FLUSH;
	(void)uv_idle_start(&a->sweep, on_sweep);
}

static void on_source_changed(void *arg)
{
	struct fffa_agent *a = arg;

	fffa_nodata_watch_follow(&a->nodata, a->conf, a->source);
}

int fffa_agent__start_source(struct fffa_agent *a, struct fffa_err *err)
{
	const struct fffa_source_events ev = {.delta = on_delta,
					      .expect = on_expect,
					      .counted = fffa_status_view_counted,
					      .tunnel_used = on_tunnel_used,
					      .time = set_time,
					      .since = on_since,
					      .turn = on_turn,
					      .elapsed = on_elapsed,
					      .changed = on_source_changed,
					      .has_room = on_has_room,
					      .devices = on_devices,
					      .addresses = on_addresses,
					      .ended = on_source_ended,
					      .arg = a};
	int rc = fffa_source_start(a->source, &a->loop, &a->ledger, &ev, err);

	if (rc)
		return rc;
	fffa_source_limit_window(a->source, (uint64_t)a->conf->flows.active_timeout_ns);
	fffa_nodata_watch_start(&a->nodata, a->conf, a->source);
	a->identity_known = a->source->repeatable; /* on_has_room has it wait for the metadata */
	if (!a->identity_known)
		fffa_meta_wait(a->meta, METADATA_WAIT_NS, on_identity, a);
	return 0;
}
