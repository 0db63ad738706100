/* SPDX-License-Identifier: MIT */
/*
 * What the machine says about itself, read once at the start. root is "" or a directory that stands
 * for /.
 */
#ifndef FFFA_AGENT_ENRICH_MACHINE_H
#define FFFA_AGENT_ENRICH_MACHINE_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Reads the first line of a file below root into dst, at most cap - 1 bytes and up to the first
 * NUL. Returns the length, or -errno with dst empty.
 */
int fffa_machine_read_line(const char *root, const char *path, char *dst, size_t cap);

/*
 * Writes /etc/machine-id (machine-id(5)) to dst, else the host name, else "unknown". The text may
 * always enter a record.
 */
void fffa_machine_id(const char *root, char *dst, size_t cap);

/*
 * Writes the first 12 digits of the id of this process' container to dst (at least 13 bytes), as the
 * runtime names it in the mounts of /etc/hostname, /etc/hosts or /etc/resolv.conf. Empty: there is
 * none, or it cannot be read.
 */
void fffa_machine_container_id(const char *root, char *dst, size_t cap);

/* True when the process looks like it runs in a container (Docker, Podman, Kubernetes). */
bool fffa_machine_in_container(const char *root);

#endif
