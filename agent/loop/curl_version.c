// SPDX-License-Identifier: MIT
#include "agent/loop/curl_version.h"

#include <curl/curl.h>

const char *fffa_curl_loop_library(void)
{
	return curl_version();
}
