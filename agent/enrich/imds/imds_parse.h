/* SPDX-License-Identifier: MIT */
/*
 * Readers of the answers of IMDS. Pure. A body may be hostile: it has at most 64 KiB, and each
 * value passes fffa_ident_text_set. A value that is refused is absent and adds one to *rejected.
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
 * dynamic/instance-identity/document (JSON): sets account_id, instance_id, region and az of out,
 * and empties the rest. 0; -EFBIG or -EINVAL (no JSON object) with out empty.
 */
int fffa_imds_parse_document(const char *body, size_t len, struct fffa_imds_host *out,
			     uint32_t *rejected);

/* A single value, without the white space around it. 0, -EFBIG, -EINVAL or -ENAMETOOLONG. */
int fffa_imds_parse_value(const char *body, size_t len, char *dst, size_t cap);

/*
 * network/interfaces/macs/: a line such as "aa:bb:cc:dd:ee:ff/" for each interface. Sets mac of
 * ifaces[0..*n) and empties the rest of each. A line is rejected when it is no MAC, repeats one or
 * finds no room. 0, or -EFBIG with *n 0.
 */
int fffa_imds_parse_macs(const char *body, size_t len, struct fffa_imds_iface *ifaces, size_t cap,
			 size_t *n, uint32_t *rejected);

/* What the lines of a list are. */
enum fffa_imds_list_kind {
	FFFA_IL_IPV4, /* ADDRESS */
	FFFA_IL_IPV6,
	FFFA_IL_IPV4_PREFIX, /* ADDRESS/LENGTH */
	FFFA_IL_IPV6_PREFIX,
};

/*
 * A list of addresses or prefixes, one on each line. A line is rejected when it is of another kind,
 * repeats one or finds no room. 0, or -EFBIG with out empty.
 */
int fffa_imds_parse_list(const char *body, size_t len, enum fffa_imds_list_kind kind,
			 struct fffa_imds_list *out, uint32_t *rejected);

/* tags/instance/: one key on each line. True when key is among them. */
bool fffa_imds_parse_has_line(const char *body, size_t len, const char *key);

/*
 * tags/instance/KEY: the value without its line end, blanks included, percent-encoded by
 * fffa_percent_encode. 0; -EFBIG, -EINVAL (not UTF-8) or -ENAMETOOLONG with dst empty.
 */
int fffa_imds_parse_tag(const char *body, size_t len, char dst[FFFA_IDENT_TAG_BYTES]);

/*
 * outpost-arn: the id at the end of arn:PARTITION:outposts:REGION:ACCOUNT:outpost/op-ID. 0; -EFBIG,
 * -EINVAL or -ENAMETOOLONG with dst empty.
 */
int fffa_imds_parse_outpost(const char *body, size_t len, char *dst, size_t cap);

/* The answer to a token request: 1 to 1024 printable bytes. 0, or -EINVAL with dst empty. */
int fffa_imds_parse_token(const char *body, size_t len, char dst[FFFA_IMDS_TOKEN_MAX_BYTES + 1]);

#endif
