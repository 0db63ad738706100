/* SPDX-License-Identifier: MIT */
/* Which devices NODATA records may be of, and the intervals that they are watched in. */
#ifndef FFFA_AGENT_DAEMON_NODATA_WATCH_H
#define FFFA_AGENT_DAEMON_NODATA_WATCH_H

#include "agent/daemon/source.h"
#include "agent/flow/nodata.h"
#include "config/config.h"

/*
 * Watches in intervals of flows.active_timeout from now on, if conf asks for it and s knows of every
 * packet. Else w stays as it is: all zero emits nothing. Also after active_timeout has changed.
 */
void fffa_nodata_watch_start(struct fffa_nodata *w, const struct fffa_config *conf,
			     const struct fffa_source *s);

/* Takes the devices that are captured on now: one that is gone is not one without traffic. */
void fffa_nodata_watch_devices(struct fffa_nodata *w, const struct fffa_source *s);

#endif
