/* SPDX-License-Identifier: MIT */
/* Is this an EC2 instance? Answered from DMI alone, without a packet. */
#ifndef FFFA_AGENT_ENRICH_DMI_H
#define FFFA_AGENT_ENRICH_DMI_H

#include <stdbool.h>

struct fffa_dmi {
	bool is_ec2;
	char instance_id[32]; /* Nitro keeps it as the board's asset tag; empty when not there */
};

/*
 * Nitro and bare metal: the vendor is "Amazon EC2". Xen: the UUID begins with ec2 (in either byte
 * order) and a hypervisor is there. root: "" or a directory that stands for /. Source: AWS EC2 User
 * Guide, "Detect whether a host is an EC2 instance". What cannot be read does not count.
 */
void fffa_dmi_read(const char *root, struct fffa_dmi *out);

#endif
