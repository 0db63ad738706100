/* SPDX-License-Identifier: MIT */
/*
 * Pure readers of what IMDS answers. Bodies are hostile: at most 64 KiB, every value through
 * fffa_ident_text_set; what does not pass is absent and counted in *rejected (added to, never
 * reset).
 */
#ifndef FFFA_AGENT_ENRICH_IMDS_IMDS_PARSE_H
#define FFFA_AGENT_ENRICH_IMDS_IMDS_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/enrich/imds/imds_data.h"

#define FFFA_IMDS_BODY_MAX_BYTES  65536
#define FFFA_IMDS_TOKEN_MAX_BYTES 1024

/*
 * dynamic/instance-identity/document (JSON). Sets account_id, instance_id, region and az; the
 * rest is left empty. Null or missing members are absent. 0; -EFBIG; -EINVAL when it is not a JSON object
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

/* What a line of a list may be. */
enum fffa_imds_list_kind {
	FFFA_IL_IPV4, /* lone addresses */
	FFFA_IL_IPV6,
	FFFA_IL_IPV4_PREFIX, /* ADDRESS/LENGTH */
	FFFA_IL_IPV6_PREFIX,
};

/*
 * A list of addresses or prefixes, one a line. Lines that are none of this kind, repeat one or find
 * no room are rejected. 0 or -EFBIG with out empty.
 */
int fffa_imds_parse_list(const char *body, size_t len, enum fffa_imds_list_kind kind,
			 struct fffa_imds_list *out, uint32_t *rejected);

/* tags/instance/: one key a line. True when key is one of them. */
bool fffa_imds_parse_has_line(const char *body, size_t len, const char *key);

/*
 * tags/instance/KEY: the value, percent-encoded as fffa_percent_encode says; a line end behind it
 * is dropped, blanks are part of a value. 0, -EFBIG, -EINVAL (not UTF-8), -ENAMETOOLONG; dst is
 * empty on failure.
 */
int fffa_imds_parse_tag(const char *body, size_t len, char dst[FFFA_IDENT_TAG_BYTES]);

/*
 * outpost-arn: the id at the end of arn:PARTITION:outposts:REGION:ACCOUNT:outpost/op-ID. 0, -EFBIG,
 * -EINVAL, -ENAMETOOLONG; dst is empty on failure.
 */
int fffa_imds_parse_outpost(const char *body, size_t len, char *dst, size_t cap);

/* The answer to a token request: 1 to 1024 printable bytes. dst takes one more. 0 or -EINVAL with
 * dst empty. */
int fffa_imds_parse_token(const char *body, size_t len, char dst[FFFA_IMDS_TOKEN_MAX_BYTES + 1]);

#endif
