// SPDX-License-Identifier: MIT
#include "agent/enrich/meta.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/clock.h"
#include "agent/base/log.h"
#include "agent/enrich/machine.h"
#include "agent/enrich/meta_tuning.h"
#include "agent/enrich/meta_internal.h"

#define LOST_AFTER	3 /* failures in a row after which a known identity is failing */
#define RETIRE_PREPARES 2 /* prepares after which the loop has surely turned */

static void free_snapshots(struct fffa_snapshot *s)
{
	while (s) {
		struct fffa_snapshot *next = s->next;

		free(s);
		s = next;
	}
}

static void on_prepare(uv_prepare_t *prepare)
{
	struct fffa_meta *m = prepare->data;

	if (++m->prepares < RETIRE_PREPARES)
		return;
	(void)uv_prepare_stop(prepare);
	free_snapshots(m->retired);
	m->retired = NULL;
}

static struct fffa_snapshot *make_snapshot(const struct fffa_meta *m,
					   const struct fffa_device *devices, size_t n)
{
	struct fffa_snapshot_inputs inputs = {
		.fixed = &m->fixed,
		.fixed_ifindex = m->fixed_ifindex,
		.fixed_ifaces = &m->fixed_ifaces,
		.of_capture = m->of_capture,
		.imds = m->learned,
		.task = fffa_meta_sources_task(&m->sources),
		.machine_id = m->machine_id,
		.container_id = m->container_id,
		.host_name = fffa_meta_sources_host_name(&m->sources),
		.dmi_instance_id = m->endpoint[0] ? m->dmi.instance_id : "",
		.devices = devices,
		.n = n,
	};

	return fffa_snapshot_new(&inputs);
}

static void swap_snapshot(struct fffa_meta *m, struct fffa_snapshot *s)
{
	m->snapshot->next = m->retired;
	m->retired = m->snapshot;
	m->snapshot = s;
	m->prepares = 0;
	(void)uv_prepare_start(&m->prepare, on_prepare); /* fails only without a callback */
}

static void on_wait_end(uv_timer_t *timer)
{
	struct fffa_meta *m = timer->data;
	void (*settled)(void *arg) = m->settled;

	m->settled = NULL; /* before the call, which may wait again */
	settled(m->settled_arg);
}

static void schedule_settled(struct fffa_meta *m)
{
	if (m->settled && fffa_meta_settled(m))
		(void)uv_timer_start(&m->wait_timer, on_wait_end, 0, 0);
}

static void set_state(struct fffa_meta *m, enum fffa_meta_state state)
{
	m->state = state;
	schedule_settled(m);
}

void fffa_meta__renew_snapshot(struct fffa_meta *m)
{
	struct fffa_snapshot *s = make_snapshot(m, m->devices, m->device_count);

	if (s)
		swap_snapshot(m, s); /* without memory the next round tries again */
}

/* A source other than IMDS has learned something, or failed. */
static void on_source_changed(void *arg)
{
	fffa_meta__renew_snapshot(arg);
	schedule_settled(arg);
}

static void on_learned(void *arg, const struct fffa_imds_data *data)
{
	struct fffa_meta *m = arg;

	m->learned = data;
	m->last_error = FFFA_IE_NONE;
	m->learned_ns = uv_hrtime();
	fffa_meta__renew_snapshot(m);
	if (m->state != FFFA_META_KNOWN)
		fffa_info(FFFA_META_TAG,
			  "identity learned from IMDS: instance=%s account=%s region=%s az=%s "
			  "az_id=%s interfaces=%zu",
			  data->host.instance_id, data->host.account_id, data->host.region,
			  data->host.az, data->host.az_id, data->n);
	set_state(m, FFFA_META_KNOWN);
}

static void on_failed(void *arg, const struct fffa_imds_failure *f)
{
	struct fffa_meta *m = arg;

	m->last_error = f->error;
	if (m->state == FFFA_META_FAILING && !fffa_meta__is_hop_limit(m, f))
		return;
	if (m->state == FFFA_META_KNOWN && !f->refused && f->in_a_row < LOST_AFTER)
		return;
	fffa_meta__log_failing(m, f);
	set_state(m, FFFA_META_FAILING);
}

static int open_imds(struct fffa_meta *m, uv_loop_t *loop, const struct fffa_metadata_conf *conf,
		     const struct fffa_imds_timing *timing)
{
	struct fffa_imds_options o = {
		.endpoint = m->endpoint,
		.timeout_ns = m->timeout_ns,
		.refresh_ns = (uint64_t)conf->imds.refresh_ns,
		.timing = timing,
		.events = {.learned = on_learned, .failed = on_failed, .arg = m},
	};

	for (size_t i = 0; i < conf->instance_tags.n && i < FFFA_IMDS_TAG_KEYS_MAX; i++) {
		m->tag_keys[i] = strdup(conf->instance_tags.v[i]);
		if (!m->tag_keys[i])
			return -ENOMEM;
		o.tag_keys[i] = m->tag_keys[i];
	}
	return m->endpoint[0] ? fffa_imds_open(loop, &o, &m->imds) : 0;
}

static void free_meta(struct fffa_meta *m)
{
	free_snapshots(m->retired);
	free(m->snapshot);
	fffa_fixed_ifaces_fini(&m->fixed_ifaces);
	for (size_t i = 0; i < FFFA_IMDS_TAG_KEYS_MAX; i++)
		free(m->tag_keys[i]);
	free(m->inherited);
	free(m->devices);
	free(m);
}

/* m->dmi is read. */
static int read_settings(struct fffa_meta *m, const struct fffa_metadata_conf *conf,
			 struct fffa_err *err)
{
	int rc = fffa_static_ident_read(&conf->fixed, &m->fixed, err);

	if (!rc)
		rc = fffa_meta_sources_read(&m->sources, conf, err);
	if (!rc)
		rc = fffa_fixed_ifaces_read(&conf->interfaces, &m->fixed_ifaces, err);
	return rc ? rc
		  : fffa_imds_settings_choose(conf, m->dmi.is_ec2, m->endpoint, &m->timeout_ns,
					      err);
}

int fffa_meta_check(const struct fffa_metadata_conf *conf, struct fffa_err *err)
{
	struct fffa_meta *m = calloc(1, sizeof(*m));
	int rc;

	if (!m)
		return fffa_fail(err, ENOMEM, "metadata: no memory");
	fffa_dmi_read("", &m->dmi);
	rc = read_settings(m, conf, err);
	free_meta(m);
	return rc;
}

int fffa_meta_open_tuned(uv_loop_t *loop, const struct fffa_metadata_conf *conf,
			 const struct fffa_meta_tuning *tuning, struct fffa_meta **out,
			 struct fffa_err *err)
{
	struct fffa_meta *m = calloc(1, sizeof(*m));
	int rc;

	if (!m)
		return fffa_fail(err, ENOMEM, "metadata: no memory");
	fffa_dmi_read(tuning->root, &m->dmi);
	fffa_machine_id(tuning->root, m->machine_id, sizeof(m->machine_id));
	fffa_machine_container_id(tuning->root, m->container_id, sizeof(m->container_id));
	m->in_container = fffa_machine_in_container(tuning->root);
	m->of_capture = conf->of_capture;
	rc = read_settings(m, conf, err);
	if (rc)
		goto fail;
	m->snapshot = make_snapshot(m, NULL, 0);
	rc = m->snapshot ? open_imds(m, loop, conf, &tuning->timing) : -ENOMEM;
	if (rc) {
		rc = fffa_fail(err, -rc, "metadata: %s", strerror(-rc));
		goto fail;
	}
	(void)uv_timer_init(loop, &m->wait_timer); /* these two always give 0 */
	(void)uv_prepare_init(loop, &m->prepare);
	uv_unref((uv_handle_t *)&m->prepare);
	m->wait_timer.data = m;
	m->prepare.data = m;
	fffa_meta_sources_open(&m->sources, loop, conf, tuning, on_source_changed, m);
	fffa_meta__renew_snapshot(m); /* with what the sources know at once */
	m->open_children = (m->imds ? 3 : 2) + fffa_meta_sources_count(&m->sources);
	*out = m;
	return 0;
fail:
	free_meta(m);
	return rc;
}

int fffa_meta_open(uv_loop_t *loop, const struct fffa_metadata_conf *conf, struct fffa_meta **out,
		   struct fffa_err *err)
{
	struct fffa_meta_tuning tuning = {.timing = fffa_imds_timing_default,
					  .root = "",
					  .ecs_agent_url = FFFA_ECS_AGENT_URL};

	return fffa_meta_open_tuned(loop, conf, &tuning, out, err);
}

static bool is_known_device(const struct fffa_meta *m, const uint8_t mac[6])
{
	for (size_t i = 0; i < m->device_count; i++) {
		if (memcmp(m->devices[i].mac, mac, 6) == 0)
			return true;
	}
	return false;
}

/*
 * A device that neither we nor IMDS knew may be an interface that was attached since. The first
 * devices do not count: the first round asks about them anyway.
 */
static bool has_unknown_device(const struct fffa_meta *m, const struct fffa_device *devices,
			       size_t n)
{
	if (!m->imds || (!m->learned && !m->device_count))
		return false;
	for (size_t i = 0; i < n; i++) {
		if (!is_known_device(m, devices[i].mac) &&
		    !(m->learned && fffa_imds_data_find(m->learned, devices[i].mac)))
			return true;
	}
	return false;
}

static bool has_device(const struct fffa_device *devices, size_t n, uint32_t ifindex)
{
	for (size_t i = 0; i < n; i++)
		if (devices[i].ifindex == ifindex)
			return true;
	return false;
}

/* One interface_id for all cannot name two devices: the one that had it first keeps it. */
static void choose_fixed_device(struct fffa_meta *m, const struct fffa_device *devices, size_t n)
{
	if (!m->fixed.iface.interface_id[0] || !n)
		return;
	if (!has_device(devices, n, m->fixed_ifindex))
		m->fixed_ifindex = devices[0].ifindex;
	if (n == 1 || m->fixed_logged)
		return;
	m->fixed_logged = true;
	fffa_error(FFFA_META_TAG,
		   "metadata.static.interface_id names one interface, but %zu are captured on: the "
		   "others have no interface id; name each in metadata.interfaces",
		   n);
}

int fffa_meta_set_devices(struct fffa_meta *m, const struct fffa_device *devices, size_t n)
{
	struct fffa_device *copy = NULL;
	struct fffa_snapshot *s = NULL;
	bool unknown;

	if (n > FFFA_META_DEVICES_MAX)
		return -E2BIG;
	choose_fixed_device(m, devices, n);
	copy = calloc(n ? n : 1, sizeof(*copy));
	s = make_snapshot(m, devices, n);
	if (!copy || !s) {
		free(copy);
		free(s);
		return -ENOMEM;
	}
	if (n)
		memcpy(copy, devices, n * sizeof(*copy));
	unknown = has_unknown_device(m, devices, n);
	free(m->devices);
	m->devices = copy;
	m->device_count = n;
	swap_snapshot(m, s);
	if (unknown)
		fffa_imds_trigger(m->imds);
	return 0;
}

void fffa_meta_addresses_changed(struct fffa_meta *m)
{
	if (m->imds)
		fffa_imds_trigger(m->imds);
}

void fffa_meta_apply(const struct fffa_meta *m, struct fffa_record *r)
{
	fffa_snapshot_enrich(m->snapshot, r);
	fffa_meta_sources_apply(&m->sources, r);
}

void fffa_meta_count_traffic(const struct fffa_meta *m, const struct fffa_record *r)
{
	fffa_meta_sources_count_traffic(&m->sources, r);
}

bool fffa_meta_settled(const struct fffa_meta *m)
{
	return (!m->imds || m->state != FFFA_META_FIRST) && fffa_meta_sources_settled(&m->sources);
}

void fffa_meta__wait_ms(struct fffa_meta *m, uint64_t ms, void (*settled)(void *arg), void *arg)
{
	m->settled = settled;
	m->settled_arg = arg;
	(void)uv_timer_start(&m->wait_timer, on_wait_end, ms, 0);
}

void fffa_meta_wait(struct fffa_meta *m, uint64_t max_wait_ns, void (*settled)(void *arg),
		    void *arg)
{
	uint64_t wait_ms = (max_wait_ns + FFFA_NS_PER_MS - 1) / FFFA_NS_PER_MS;

	fffa_meta__wait_ms(m, fffa_meta_settled(m) ? 0 : wait_ms, settled, arg);
}

static void child_closed(void *arg)
{
	struct fffa_meta *m = arg;

	if (--m->open_children)
		return;
	m->closed(m->closed_arg);
	free_meta(m);
}

static void on_handle_closed(uv_handle_t *handle)
{
	child_closed(handle->data);
}

void fffa_meta_close(struct fffa_meta *m, void (*closed)(void *arg), void *arg)
{
	m->closed = closed;
	m->closed_arg = arg;
	if (m->successor) {
		m->open_children++;
		fffa_meta_close(m->successor, child_closed, m);
	}
	uv_close((uv_handle_t *)&m->wait_timer, on_handle_closed);
	uv_close((uv_handle_t *)&m->prepare, on_handle_closed);
	if (m->imds)
		fffa_imds_close(m->imds, child_closed, m);
	fffa_meta_sources_close(&m->sources, child_closed, m);
}
