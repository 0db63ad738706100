/* SPDX-License-Identifier: MIT */
/* The devices that are watched for NODATA records, and the intervals. */
#ifndef FFFA_AGENT_DAEMON_NODATA_WATCH_H
#define FFFA_AGENT_DAEMON_NODATA_WATCH_H

#include "agent/daemon/source/source.h"
#include "agent/flow/nodata.h"
#include "config/config.h"

/*
 * Starts to watch the devices of s, in intervals of flows.active_timeout from now on. Call it again
 * when active_timeout has changed. Where conf asks for no NODATA records, or s does not count every
 * packet, w emits nothing.
 */
void fffa_nodata_watch_start(struct fffa_nodata *w, const struct fffa_config *conf,
			     const struct fffa_source *s);

/* Starts or ends the watch when conf or s wants something else now. */
void fffa_nodata_watch_follow(struct fffa_nodata *w, const struct fffa_config *conf,
			      const struct fffa_source *s);

/* The captured devices have changed: only those that are captured now are watched. */
void fffa_nodata_watch_devices(struct fffa_nodata *w, const struct fffa_source *s);

#endif
