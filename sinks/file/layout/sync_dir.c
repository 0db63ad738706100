// SPDX-License-Identifier: MIT
#include "sinks/file/layout/sync_dir.h"

#include <errno.h>
#include <unistd.h>

int fffa_sync_dir(int dir_fd)
{
	return fsync(dir_fd) && errno == EIO ? -EIO : 0;
}
