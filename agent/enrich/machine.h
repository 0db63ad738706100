/* SPDX-License-Identifier: MIT */
/* What the machine itself says about itself, read once at the start. root: "" or a directory that
 * stands for /. */
#ifndef FFFA_AGENT_ENRICH_MACHINE_H
#define FFFA_AGENT_ENRICH_MACHINE_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Reads a small file below root into dst, cut at the first NUL or line end and at cap - 1 bytes.
 * Returns the length, or -errno with dst empty.
 */
int fffa_machine_read_line(const char *root, const char *path, char *dst, size_t cap);

/* /etc/machine-id (machine-id(5)), else the host name, else "unknown"; always text that may enter a
 * record. */
void fffa_machine_id(const char *root, char *dst, size_t cap);

/* True when the process looks like it runs in a container (Docker, Podman, Kubernetes). */
bool fffa_machine_in_container(const char *root);

#endif
