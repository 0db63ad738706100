/* SPDX-License-Identifier: MIT */
/*
 * Builds frames from the outermost header to the innermost. Each call appends; packet_finish fills
 * the length fields.
 */
#ifndef FFFA_TESTS_STUBS_PACKETS_H
#define FFFA_TESTS_STUBS_PACKETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PACKET_MAX    2048
#define PACKET_LAYERS 16

struct packet {
	uint8_t b[PACKET_MAX];
	size_t len;
	struct {
		size_t at;   /* of the length field */
		size_t from; /* counted from here */
	} sized[PACKET_LAYERS];
	size_t sized_count;
	const char *name;
};

void packet_start(struct packet *p, const char *name);
void packet_eth(struct packet *p, uint16_t type);
void packet_vlan(struct packet *p, uint16_t type);
/* options: length in words after the fixed header. fragment: the raw flags and offset field. */
void packet_ipv4(struct packet *p, uint8_t proto, uint32_t src, uint32_t dst, int option_words,
		 uint16_t fragment);
void packet_ipv6(struct packet *p, uint8_t next, uint8_t src_tail, uint8_t dst_tail);
/*
 * Appends an extension header of 8 * units bytes. type decides how the length is written (44
 * fragment, 51 AH).
 */
void packet_ext(struct packet *p, uint8_t type, uint8_t next, int units, uint16_t fragment);
void packet_tcp(struct packet *p, uint16_t sport, uint16_t dport, uint8_t flags, int option_words);
void packet_udp(struct packet *p, uint16_t sport, uint16_t dport);
void packet_icmp(struct packet *p, uint8_t type, uint8_t code);
/* option_words: words of room for options, which the caller writes. */
void packet_geneve(struct packet *p, uint16_t type, uint32_t vni, int option_words);
void packet_geneve_option(struct packet *p, uint16_t class, uint8_t type, const void *value,
			  size_t bytes);
/* The three options of AWS Gateway Load Balancer: 8 words. */
void packet_gwlb(struct packet *p, uint64_t gwlbe, uint64_t attachment, uint32_t cookie);
void packet_vxlan(struct packet *p, uint32_t vni);
void packet_bytes(struct packet *p, const void *bytes, size_t n);
void packet_payload(struct packet *p, size_t bytes);
/* Writes the IP and UDP length fields. */
void packet_finish(struct packet *p);

/*
 * Fills v, which has room for max, with a corpus of ordinary and unusual packets. Returns
 * their number.
 */
size_t packet_corpus(struct packet *v, size_t max);

#endif
