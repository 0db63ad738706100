// SPDX-License-Identifier: MIT
#include "agent/daemon/nodata_watch.h"

static void set_devices(struct fffa_nodata *w, const struct fffa_source *s, uint64_t now_ns)
{
	uint32_t ifindexes[FFFA_NODATA_DEVICES_MAX];
	size_t n = fffa_source_watched(s, ifindexes, FFFA_NODATA_DEVICES_MAX);

	fffa_nodata_set_devices(w, ifindexes, n, now_ns);
}

void fffa_nodata_watch_devices(struct fffa_nodata *w, const struct fffa_source *s)
{
	uint64_t mono_ns, unix_ns;

	fffa_source_now(s, &mono_ns, &unix_ns);
	set_devices(w, s, mono_ns);
}

/* With sampling, a device without a counted packet may have had traffic. */
static bool is_wanted(const struct fffa_config *conf, const struct fffa_source *s)
{
	return conf->flows.nodata && fffa_source_watches(s) && s->sampled <= 1;
}

void fffa_nodata_watch_start(struct fffa_nodata *w, const struct fffa_config *conf,
			     const struct fffa_source *s)
{
	uint64_t mono_ns, unix_ns;

	*w = (struct fffa_nodata){0};
	if (!is_wanted(conf, s))
		return;
	fffa_source_now(s, &mono_ns, &unix_ns);
	fffa_nodata_init(w, (uint64_t)conf->flows.active_timeout_ns, mono_ns);
	set_devices(w, s, mono_ns);
}

void fffa_nodata_watch_follow(struct fffa_nodata *w, const struct fffa_config *conf,
			      const struct fffa_source *s)
{
	if (is_wanted(conf, s) != fffa_nodata_is_on(w))
		fffa_nodata_watch_start(w, conf, s);
}
