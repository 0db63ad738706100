/* SPDX-License-Identifier: MIT */
/*
 * What passed while nobody counted: a mark of the devices' own counters is kept over a restart, and
 * the next start compares. Pure; agent/capture/unattended/checkpoint.c keeps the file.
 */
#ifndef FFFA_AGENT_CAPTURE_UNATTENDED_CHECKPOINT_STATE_H
#define FFFA_AGENT_CAPTURE_UNATTENDED_CHECKPOINT_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/base/ledger.h"
#include "agent/capture/devices/devices.h"
#include "agent/capture/devices/dev_counters.h"

struct fffa_checkpoint_device {
	char name[16];
	uint8_t mac[6];
	uint32_t ifindex;
	struct fffa_dev_counters passed;
	bool dirs[2]; /* which directions are captured */
};

struct fffa_checkpoint_state {
	char boot_id[40];
	uint64_t netns;
	int64_t unix_ms;
	struct fffa_amount held; /* counted but in no record yet; lost when the agent is killed */
	size_t n;
	struct fffa_checkpoint_device v[FFFA_DEVICES_MAX];
};

/* Longest text of a checkpoint. */
#define FFFA_CHECKPOINT_TEXT_MAX (256 + FFFA_DEVICES_MAX * 192)

/* Writes m as text with its NUL; returns the length without it. */
size_t fffa_checkpoint_state_format(const struct fffa_checkpoint_state *m,
				    char dst[FFFA_CHECKPOINT_TEXT_MAX]);
/* 0; -EINVAL for text that fffa_checkpoint_state_format did not write; *m is then undefined. */
int fffa_checkpoint_state_parse(const char *text, struct fffa_checkpoint_state *m);

/*
 * What passed the devices that both marks have, between the two, with what was held at the first.
 * Bytes are without Ethernet headers, so about those of the IP packets; frames that are no IP
 * packets and segments of super-packets cannot be told from the device's counters. A device made
 * anew, another boot or another namespace: its part is not known and 0.
 */
struct fffa_amount fffa_checkpoint_state_between(const struct fffa_checkpoint_state *before,
						 const struct fffa_checkpoint_state *now);

#endif
