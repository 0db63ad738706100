/* SPDX-License-Identifier: MIT */
/* Records for the encoder tests. */
#ifndef FFFA_TESTS_UNIT_ENCODE_SAMPLE_H
#define FFFA_TESTS_UNIT_ENCODE_SAMPLE_H

#include <stdint.h>

#include "agent/encode/encoder.h"
#include "agent/flow/record.h"

/* A record with all that it borrows. */
struct sample {
	struct fffa_record r;
	struct fffa_ident ident;
	struct fffa_ident_host host;
	struct fffa_tunnel tunnel;
	struct fffa_network src_network, dst_network; /* r points to them when they count */
};

/* TCP 10.0.5.9:40112 -> 10.0.5.20:22, ingress by TC, on an interface whose identity is known. */
void sample_tcp(struct sample *s);
/* Each of these changes s. */
void sample_addrs(struct sample *s, const char *src, const char *dst);
void sample_icmp(struct sample *s, uint8_t proto, uint8_t type, uint8_t code);
void sample_geneve(struct sample *s);  /* with all three AWS options */
void sample_unknown(struct sample *s); /* identity not known */

/* Converts the text of an IPv4 or IPv6 address to the form of the key. */
void sample_addr(uint8_t addr[16], const char *text);

/* Encodes with a new encoder and asserts that the result is exactly the text. */
void assert_encodes(enum fffa_format format, const char *fields, const struct fffa_record *r,
		    const char *text);

/* The next number of a generator that gives the same numbers in every run. */
uint64_t sample_random(uint64_t *state);

#endif
