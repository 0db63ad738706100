/* SPDX-License-Identifier: MIT */
/*
 * One round of questions to IMDS: which path is next, and where its answer goes. Pure. The
 * questions have an order; those about an interface are asked for each. Source: AWS EC2 User
 * Guide, "Instance metadata categories". outpost-arn is not in that list, but AWS's own EBS CSI
 * driver reads it.
 */
#ifndef FFFA_AGENT_ENRICH_IMDS_IMDS_ROUND_H
#define FFFA_AGENT_ENRICH_IMDS_IMDS_ROUND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/enrich/imds/imds_data.h"

#define FFFA_IMDS_TAG_KEYS_MAX 2
#define FFFA_IMDS_PATH_BYTES   256 /* longest path, NUL included */

struct fffa_imds_round {
	const char *tag_keys[FFFA_IMDS_TAG_KEYS_MAX]; /* borrowed; NULL: not asked for */
	struct fffa_imds_data *data;		      /* borrowed; the answers fill it */
	bool tag_there[FFFA_IMDS_TAG_KEYS_MAX];
	size_t question;
	size_t iface;
};

/* Begins a round and empties data. Set tag_keys and data before. */
void fffa_imds_round_begin(struct fffa_imds_round *r);

/* True when no question is left. */
bool fffa_imds_round_over(const struct fffa_imds_round *r);

/* The path of the current question, from /latest/ on. 0 or -ENAMETOOLONG. The round is not over. */
int fffa_imds_round_path(const struct fffa_imds_round *r, char dst[FFFA_IMDS_PATH_BYTES]);

/*
 * Takes the body of a 200. Values that are refused are absent and add to *rejected. 0; -EINVAL or
 * -EFBIG: the body is no answer, so ask again.
 */
int fffa_imds_round_take(struct fffa_imds_round *r, const char *body, size_t len,
			 uint32_t *rejected);

/* Moves on to the next question, after fffa_imds_round_take or a 404. */
void fffa_imds_round_next(struct fffa_imds_round *r);

#endif
