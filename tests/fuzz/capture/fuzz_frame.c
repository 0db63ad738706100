// SPDX-License-Identifier: MIT
/*
 * One frame. The first byte picks the link type and what the file says beside it, the second how
 * much longer the frame was on the wire.
 */
#include "agent/capture/replay/link_types.h"
#include "tests/fuzz/capture/frame_checks.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* Add new ones at the end: the seeds name them by their place. */
	static const int types[] = {1,	101, 228, 229, 113, 276, 0,   108, 9,	12,  14,
				    50, 51,  104, 105, 109, 119, 127, 163, 166, 204, 239};
	const size_t count = sizeof(types) / sizeof(types[0]);
	struct fffa_cidr local[2];
	struct fffa_frame_conf c = {
		.geneve_ports = {6081}, .vxlan_ports = {4789}, .local = local, .local_count = 2};

	if (size < 2)
		return 0;
	require(!fffa_cidr_parse("10.0.0.1/31", &local[0], NULL));
	require(!fffa_cidr_parse("fd00::/16", &local[1], NULL));
	c.linktype = types[data[0] % count];
	c.swapped = data[0] / count & 1;
	c.local_count = data[0] / count & 2;
	require(fffa_link_types_has(c.linktype));
	check_frame(&c, data + 2, size - 2, size - 2 + data[1] * UINT32_C(400));
	return 0;
}
