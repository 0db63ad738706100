/* SPDX-License-Identifier: MIT */
/* What the readers of both formats share. */
#ifndef FFFA_AGENT_CAPTURE_REPLAY_CAPTURE_FILE_INTERNAL_H
#define FFFA_AGENT_CAPTURE_REPLAY_CAPTURE_FILE_INTERNAL_H

#include "agent/capture/replay/capture_file.h"
#include "agent/capture/replay/input.h"

/* More than any link holds: a longer packet or block means that the file is damaged. */
#define FFFA_CAPTURE_BYTES_MAX	    ((uint32_t)16 * 1024 * 1024)
#define FFFA_CAPTURE_INTERFACES_MAX 4096

/* An interface of a pcapng section; a pcap file has one. */
struct fffa_capture_interface {
	uint32_t snaplen; /* 0: none */
	uint16_t linktype;
	bool binary; /* time stamps count in 2^-exponent seconds, else in 10^-exponent */
	uint8_t exponent;
	int64_t offset_s;
};

struct fffa_capture_file {
	struct fffa_input *input;
	char *path;
	bool pcapng;
	bool swapped;
	uint8_t variant; /* of pcap */
	uint8_t *buf;	 /* a packet or block */
	size_t room;
	struct fffa_capture_interface *interfaces;
	size_t interface_count, interface_room;
};

uint16_t fffa_capture_file__u16(const struct fffa_capture_file *f, const void *at);
uint32_t fffa_capture_file__u32(const struct fffa_capture_file *f, const void *at);

/* Makes room for n bytes in f->buf. 0 or -ENOMEM. */
int fffa_capture_file__grow(struct fffa_capture_file *f, size_t n);
/*
 * Reads exactly n bytes; at NULL: into f->buf, which grows in steps: a length that is
 * a lie costs no more than the file has. 0; -errno with err, also for a file
 * that ends before. n is at most FFFA_CAPTURE_BYTES_MAX.
 */
int fffa_capture_file__read(struct fffa_capture_file *f, void *at, size_t n, struct fffa_err *err);
/* -ENOMEM or -E2BIG with err when there are too many. */
int fffa_capture_file__add_interface(struct fffa_capture_file *f,
				     const struct fffa_capture_interface *i, struct fffa_err *err);

/* The file begins with a section header, of which the first 4 bytes have been read. */
int fffa_pcapng_begin(struct fffa_capture_file *f, struct fffa_err *err);
int fffa_pcapng_next(struct fffa_capture_file *f, struct fffa_capture_packet *p,
		     struct fffa_err *err);

#endif
