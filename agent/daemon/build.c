// SPDX-License-Identifier: MIT
#include "agent/daemon/build.h"

#include "commit.h"

const char *fffa_build_version(void)
{
	return FFFA_VERSION;
}

const char *fffa_build_commit(void)
{
	return FFFA_COMMIT;
}
