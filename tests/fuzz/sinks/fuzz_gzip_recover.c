// SPDX-License-Identifier: MIT
/* Recovery makes valid gzip of whatever a crash leaves. A second recovery changes nothing. */
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "sinks/file/aws/gzip_member.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static off_t length(int fd)
{
	struct stat st;

	if (fstat(fd, &st))
		abort();
	return st.st_size;
}

/* Checks that the file can be read to its end, and that checksum and length are right. */
static void expect_sound(int fd)
{
	static const unsigned int chunk = 65536;
	uint8_t *out = malloc(chunk);
	gzFile in;
	int n;

	if (!out || lseek(fd, 0, SEEK_SET))
		abort();
	in = gzdopen(dup(fd), "rb");
	if (!in)
		abort();
	do {
		n = gzread(in, out, chunk);
	} while (n > 0);
	if (n < 0 || gzclose(in) != Z_OK)
		abort();
	free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int fd = memfd_create("object", MFD_CLOEXEC);
	atomic_bool cancel = false;
	off_t len;

	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	if (fffa_gzip_member_recover(fd, false, &cancel) == 1) {
		len = length(fd);
		expect_sound(fd);
		if (fffa_gzip_member_recover(fd, false, &cancel) != 1 || length(fd) != len)
			abort();
	}
	(void)close(fd);
	return 0;
}
