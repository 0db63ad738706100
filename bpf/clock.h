/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* The programs' clock. Kernel build only. */
#ifndef FFFA_BPF_CLOCK_H
#define FFFA_BPF_CLOCK_H

#include "bpf/maps.h"

static __always_inline __u32 fffa_now_ticks(void)
{
	if (fffa_conf.clock == FFFA_CLOCK_JIFFIES)
		return bpf_jiffies64();
	return bpf_ktime_get_ns() >> 20;
}

#endif
