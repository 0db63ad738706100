/* SPDX-License-Identifier: MIT */
/* Shared by the kernel side and the program of bench_kernel. */
#ifndef FFFA_TESTS_BENCH_KERNEL_BENCH_H
#define FFFA_TESTS_BENCH_KERNEL_BENCH_H

#include <linux/types.h>

#define BENCH_IDS (1 << 20) /* number of flow ids that the mutator cycles through */

struct bench_ctl {
	__u32 offset; /* of the address in the frame that the mutator replaces, below 256 */
	__u32 next;
	__u64 missed; /* packets that did not reach the candidate: must stay 0 */
	__u64 lost;   /* packets that found no room in a hash map */
};

#endif
