/* SPDX-License-Identifier: MIT */
/* The devices that are watched for NODATA records, and the intervals. */
#ifndef FFFA_AGENT_DAEMON_NODATA_WATCH_H
#define FFFA_AGENT_DAEMON_NODATA_WATCH_H

#include "agent/daemon/source.h"
#include "agent/flow/nodata.h"
#include "config/config.h"

/*
 * Starts to watch the devices of s, in intervals of flows.active_timeout from now on. Call it again
 * when active_timeout has changed. Does nothing where conf asks for no NODATA records or s does not
 * count every packet; w, all zero, then emits nothing.
 */
void fffa_nodata_watch_start(struct fffa_nodata *w, const struct fffa_config *conf,
			     const struct fffa_source *s);

/* The captured devices have changed: only those that are captured now are watched. */
void fffa_nodata_watch_devices(struct fffa_nodata *w, const struct fffa_source *s);

#endif
