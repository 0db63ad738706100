/* SPDX-License-Identifier: MIT */
/*
 * Reads capture files: pcap (also with nanoseconds, of either byte order, and the variants that
 * libpcap reads) and pcapng with any number of sections and interfaces, each with its own link
 * type, snap length and clock.
 */
#ifndef FFFA_AGENT_CAPTURE_REPLAY_CAPTURE_FILE_H
#define FFFA_AGENT_CAPTURE_REPLAY_CAPTURE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/base/err.h"

struct fffa_capture_file;

/* What the capture says about a packet's way. */
enum fffa_capture_way { FFFA_WAY_UNKNOWN, FFFA_WAY_IN, FFFA_WAY_OUT };

struct fffa_capture_packet {
	const uint8_t *bytes; /* valid until the next call for this file */
	uint32_t captured;
	uint32_t wire;	  /* >= captured */
	uint64_t unix_ns; /* valid when timed */
	bool timed;
	bool swapped;	   /* the capturing host has the other byte order */
	bool one_of_many;  /* the section has interfaces beside this packet's */
	uint16_t linktype; /* LINKTYPE_* of the file format */
	enum fffa_capture_way way;
};

/*
 * "-" is standard input. On failure *out is untouched; err names path and reason. Free with
 * fffa_capture_file_close (NULL is allowed).
 */
int fffa_capture_file_open(const char *path, struct fffa_capture_file **out, struct fffa_err *err);
void fffa_capture_file_close(struct fffa_capture_file *f);

/* 1: *p is the next packet. 0: the end. -errno with err: path and what is wrong with the file. */
int fffa_capture_file_next(struct fffa_capture_file *f, struct fffa_capture_packet *p,
			   struct fffa_err *err);

#endif
