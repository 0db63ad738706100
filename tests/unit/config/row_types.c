/* SPDX-License-Identifier: MIT */
/* Compiles with RIGHT. With WRONG (a duration row for an int field) it must not compile. */
#include "config/option.h"

struct conf {
	int64_t wait_ns;
	int number;
};

const struct fffa_option rows[] = {
#ifdef RIGHT
	FFFA_OPT_DURATION("wait", struct conf, wait_ns, "1s", 0, 0, 0, "A wait."),
#else
	FFFA_OPT_DURATION("wait", struct conf, number, "1s", 0, 0, 0, "A wait."),
#endif
	FFFA_OPT_END,
};
