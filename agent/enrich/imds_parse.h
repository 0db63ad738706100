/* SPDX-License-Identifier: MIT */
/*
 * Pure readers of what IMDS answers. Bodies are hostile: at most 64 KiB, every value through
 * fffa_ident_text_set; what does not pass is absent and counted in *rejected (added to, never
 * reset).
 */
#ifndef FFFA_AGENT_ENRICH_IMDS_PARSE_H
#define FFFA_AGENT_ENRICH_IMDS_PARSE_H

#include <stddef.h>
#include <stdint.h>

#include "agent/enrich/imds_data.h"

#define FFFA_IMDS_BODY_MAX_BYTES  65536
#define FFFA_IMDS_TOKEN_MAX_BYTES 1024

/*
 * dynamic/instance-identity/document (JSON). Sets account_id, instance_id, region and az; az_id is
 * left empty. Null or missing members are absent. 0; -EFBIG; -EINVAL when it is not a JSON object
 * (out is empty then).
 */
int fffa_imds_parse_document(const char *body, size_t len, struct fffa_imds_host *out,
			     uint32_t *rejected);

/* A single value; white space around it is dropped. 0 (dst may be empty), -EFBIG, -EINVAL,
 * -ENAMETOOLONG. */
int fffa_imds_parse_value(const char *body, size_t len, char *dst, size_t cap);

/*
 * network/interfaces/macs/: one "aa:bb:cc:dd:ee:ff/" a line. Fills mac of ifaces[0..*n) and empties
 * the rest of each; lines that are no MAC, repeat one or find no room are rejected. 0 or -EFBIG
 * with *n 0.
 */
int fffa_imds_parse_macs(const char *body, size_t len, struct fffa_imds_iface *ifaces, size_t cap,
			 size_t *n, uint32_t *rejected);

/* The answer to a token request: 1 to 1024 printable bytes. dst takes one more. 0 or -EINVAL with
 * dst empty. */
int fffa_imds_parse_token(const char *body, size_t len, char dst[FFFA_IMDS_TOKEN_MAX_BYTES + 1]);

#endif
