// SPDX-License-Identifier: MIT
/*
 * One frame. The first byte picks the link type, the second how much longer the frame was on
 * the wire.
 */
#include <pcap/dlt.h>

#include "tests/fuzz/capture/frame_checks.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* Add new ones at the end: the seeds name them by their place. */
	static const int types[] = {DLT_EN10MB,	   DLT_RAW,	   DLT_IPV4, DLT_IPV6,
				    DLT_LINUX_SLL, DLT_LINUX_SLL2, DLT_NULL, DLT_LOOP};
	struct fffa_cidr local[2];
	struct fffa_frame_conf c = {
		.geneve_ports = {6081}, .vxlan_ports = {4789}, .local = local, .local_count = 2};

	if (size < 2)
		return 0;
	require(!fffa_cidr_parse("10.0.0.1/31", &local[0], NULL));
	require(!fffa_cidr_parse("fd00::/16", &local[1], NULL));
	c.linktype = types[data[0] % (sizeof(types) / sizeof(types[0]))];
	require(fffa_frame_supports(c.linktype));
	check_frame(&c, data + 2, size - 2, size - 2 + data[1] * UINT32_C(400));
	return 0;
}
