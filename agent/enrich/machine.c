// SPDX-License-Identifier: MIT
#include "agent/enrich/machine.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "agent/enrich/input/ident_text.h"

#define CONTAINER_ID_DIGITS 64
#define CONTAINER_ID_SHOWN  12 /* as docker ps shows it */

static int join_path(const char *root, const char *path, char *dst, size_t cap)
{
	int n = snprintf(dst, cap, "%s%s", root, path);

	return n < 0 || (size_t)n >= cap ? -ENAMETOOLONG : 0;
}

int fffa_machine_read_line(const char *root, const char *path, char *dst, size_t cap)
{
	char full[PATH_MAX];
	ssize_t n;
	int fd, rc;

	dst[0] = '\0';
	rc = join_path(root, path, full, sizeof(full));
	if (rc)
		return rc;
	fd = open(full, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return -errno;
	n = read(fd, dst, cap - 1);
	rc = n < 0 ? -errno : 0;
	(void)close(fd); /* nothing was written */
	dst[n < 0 ? 0 : n] = '\0';
	dst[strcspn(dst, "\r\n")] = '\0';
	return rc ? rc : (int)strlen(dst);
}

void fffa_machine_id(const char *root, char *dst, size_t cap)
{
	struct utsname uts;
	char line[128];
	int n = fffa_machine_read_line(root, "/etc/machine-id", line, sizeof(line));

	/* During the first boot of an image the file says "uninitialized". */
	if (n == 32 && strspn(line, "0123456789abcdefABCDEF") == 32 &&
	    fffa_ident_text_set(dst, cap, line, 32) == 0)
		return;
	if (uname(&uts) == 0 && uts.nodename[0] &&
	    fffa_ident_text_set(dst, cap, uts.nodename, strlen(uts.nodename)) == 0)
		return;
	(void)fffa_ident_text_set(dst, cap, "unknown", 7); /* fits every cap in use */
}

/* The 64 hexadecimal digits between two slashes of path; NULL: it has none. */
static const char *find_container_id(const char *path)
{
	for (const char *p = strchr(path, '/'); p; p = strchr(p + 1, '/')) {
		if (strspn(p + 1, "0123456789abcdef") == CONTAINER_ID_DIGITS &&
		    (p[1 + CONTAINER_ID_DIGITS] == '/' || !p[1 + CONTAINER_ID_DIGITS]))
			return p + 1;
	}
	return NULL;
}

/* A line of mountinfo (proc_pid_mountinfo(5)): id, parent, device, root, mount point, ... */
static bool read_mount(const char *line, char *dst, size_t cap)
{
	char from[512], at[64];
	const char *id;

	if (sscanf(line, "%*s %*s %*s %511s %63s", from, at) != 2 ||
	    (strcmp(at, "/etc/hostname") && strcmp(at, "/etc/hosts") &&
	     strcmp(at, "/etc/resolv.conf")))
		return false;
	id = find_container_id(from);
	return id && !fffa_ident_text_set(dst, cap, id, CONTAINER_ID_SHOWN);
}

void fffa_machine_container_id(const char *root, char *dst, size_t cap)
{
	char full[PATH_MAX], line[4096];
	FILE *in;

	dst[0] = '\0';
	if (join_path(root, "/proc/self/mountinfo", full, sizeof(full)))
		return;
	in = fopen(full, "re");
	while (in && fgets(line, sizeof(line), in)) {
		if (read_mount(line, dst, cap))
			break;
	}
	if (in)
		(void)fclose(in); /* nothing was written */
}

bool fffa_machine_in_container(const char *root)
{
	static const char *const container_files[] = {"/.dockerenv", "/run/.containerenv"};
	char full[PATH_MAX];

	for (size_t i = 0; i < sizeof(container_files) / sizeof(container_files[0]); i++) {
		if (join_path(root, container_files[i], full, sizeof(full)) == 0 &&
		    access(full, F_OK) == 0)
			return true;
	}
	return getenv("KUBERNETES_SERVICE_HOST") != NULL || getenv("container") != NULL;
}
