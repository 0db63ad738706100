/* SPDX-License-Identifier: MIT */
/* Whether this is an EC2 instance, from DMI alone: nothing is sent. */
#ifndef FFFA_AGENT_ENRICH_DMI_H
#define FFFA_AGENT_ENRICH_DMI_H

#include <stdbool.h>

struct fffa_dmi {
	bool is_ec2;
	char instance_id[32]; /* Nitro has it as the asset tag of the board; else empty */
};

/*
 * Nitro and bare metal have the vendor "Amazon EC2". On Xen the UUID begins with ec2, in either
 * byte order, and there is a hypervisor. A file that cannot be read counts as absent. root: ""
 * or a directory that stands for /. Source: AWS EC2 User Guide, "Detect whether a host is an
 * EC2 instance".
 */
void fffa_dmi_read(const char *root, struct fffa_dmi *out);

#endif
