/* SPDX-License-Identifier: MIT */
/*
 * What passed while nobody counted: a mark of the devices' own counters is kept over a restart, and
 * the next start compares. Pure; agent/capture/unattended/restart.c keeps the file.
 */
#ifndef FFFA_AGENT_CAPTURE_UNATTENDED_GAP_H
#define FFFA_AGENT_CAPTURE_UNATTENDED_GAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/base/ledger.h"
#include "agent/capture/devices/devices.h"
#include "agent/capture/unattended/passed.h"

struct fffa_gap_device {
	char name[16];
	uint8_t mac[6];
	uint32_t ifindex;
	struct fffa_passed passed;
	bool dirs[2]; /* which ways are captured */
};

struct fffa_gap_mark {
	char boot_id[40];
	uint64_t netns;
	int64_t unix_ms;
	struct fffa_amount held; /* counted, but in no record yet: gone when the agent was killed */
	size_t n;
	struct fffa_gap_device v[FFFA_DEVICES_MAX];
};

/* Longest text of a mark. */
#define FFFA_GAP_TEXT_MAX (256 + FFFA_DEVICES_MAX * 192)

/* Writes m as text with its NUL; returns the length without it. */
size_t fffa_gap_format(const struct fffa_gap_mark *m, char dst[FFFA_GAP_TEXT_MAX]);
/* 0; -EINVAL for what fffa_gap_format did not write whole, *m is then of no use. */
int fffa_gap_parse(const char *text, struct fffa_gap_mark *m);

/*
 * What passed the devices that both marks have, between the two, with what was held at the first. Bytes
 * are without Ethernet headers, so about those of the IP packets; frames that are no IP packets and
 * segments of super-packets cannot be told from the device's counters. A device made anew, another
 * boot or another namespace: its part is not known and 0.
 */
struct fffa_amount fffa_gap_between(const struct fffa_gap_mark *before,
				    const struct fffa_gap_mark *now);

#endif
