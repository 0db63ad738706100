/* SPDX-License-Identifier: MIT */
#ifndef FFFA_AGENT_ENRICH_DEVICE_H
#define FFFA_AGENT_ENRICH_DEVICE_H

#include <stdint.h>

/* A device that is captured on, as the kernel names it. */
struct fffa_device {
	uint32_t ifindex;
	char name[16];
	uint8_t mac[6];
};

#endif
