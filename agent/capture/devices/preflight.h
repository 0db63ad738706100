/* SPDX-License-Identifier: MIT */
/* Decides which ingress hook fits a device before anything is attached: the facts and the rules. */
#ifndef FFFA_AGENT_CAPTURE_DEVICES_PREFLIGHT_H
#define FFFA_AGENT_CAPTURE_DEVICES_PREFLIGHT_H

#include <stdbool.h>
#include <stdint.h>

#include "config/config.h"

enum fffa_native_xdp { FFFA_NATIVE_UNKNOWN, FFFA_NATIVE_NO, FFFA_NATIVE_YES };

/* 0 and "" stand for not known. */
struct fffa_hook_facts {
	char driver[32];
	char version[32]; /* of the driver */
	uint32_t mtu_bytes;
	uint32_t channels; /* combined ones, now */
	uint32_t channels_max;
	uint32_t xdp_prog_id; /* of the XDP program that is attached */
	enum fffa_native_xdp native;
};

struct fffa_hook_choice {
	int error;	   /* -errno: the configured hook does not fit, and why says what helps */
	bool xdp;	   /* else TC */
	bool bounces_link; /* attaching and detaching take the link down and up */
	char why[256];
};

/* Pure. hook: what is configured. */
void fffa_preflight_choose(enum fffa_hook hook, const char *ifname, const struct fffa_hook_facts *f,
			   struct fffa_hook_choice *out);

/* Asks the kernel. A fact that it does not give stays unknown. */
void fffa_hook_facts_read(uint32_t ifindex, const char *ifname, struct fffa_hook_facts *out);

#endif
