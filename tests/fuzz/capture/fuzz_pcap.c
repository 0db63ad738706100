// SPDX-License-Identifier: MIT
/* A whole capture file, plain or compressed, as replay reads it. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "agent/capture/replay/link_types.h"
#include "tests/fuzz/capture/frame_checks.h"

#define FRAMES_MAX 256

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fffa_frame_conf c = {.geneve_ports = {6081}, .vxlan_ports = {4789}};
	int fd = memfd_create("capture", MFD_CLOEXEC);
	struct fffa_capture_packet p;
	struct fffa_capture_file *f;
	struct fffa_err err;
	char path[32];

	require(fd >= 0 && write(fd, data, size) == (ssize_t)size);
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (!fffa_capture_file_open(path, &f, &err)) {
		for (int i = 0; i < FRAMES_MAX && fffa_capture_file_next(f, &p, &err) == 1; i++) {
			require(p.captured <= p.wire);
			require(!p.timed || p.unix_ns <= INT64_MAX);
			c.linktype = p.linktype;
			c.swapped = p.swapped;
			c.way = p.way;
			if (fffa_link_types_has(p.linktype))
				check_frame(&c, p.bytes, p.captured, p.wire);
		}
		fffa_capture_file_close(f);
	}
	(void)close(fd);
	return 0;
}
