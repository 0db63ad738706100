// SPDX-License-Identifier: MIT
/* A whole capture file, as replay reads it: libpcap, then the parser. */
#include <pcap/pcap.h>
#include <stdio.h>

#include "tests/fuzz/capture/frame_checks.h"

#define FRAMES_MAX 256

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fffa_frame_conf c = {.geneve_ports = {6081}, .vxlan_ports = {4789}};
	char text[PCAP_ERRBUF_SIZE];
	const u_char *bytes;
	struct pcap_pkthdr *h;
	pcap_t *pcap;
	FILE *f;

	if (!size)
		return 0;
	f = fmemopen((void *)(uintptr_t)data, size, "r");
	require(f != NULL);
	pcap = pcap_fopen_offline_with_tstamp_precision(f, PCAP_TSTAMP_PRECISION_NANO, text);
	if (!pcap) {
		(void)fclose(f);
		return 0;
	}
	c.linktype = pcap_datalink(pcap);
	if (fffa_frame_supports(c.linktype)) {
		for (int i = 0; i < FRAMES_MAX && pcap_next_ex(pcap, &h, &bytes) == 1; i++)
			check_frame(&c, bytes, h->caplen, h->len);
	}
	pcap_close(pcap);
	return 0;
}
