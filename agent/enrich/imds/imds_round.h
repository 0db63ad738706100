/* SPDX-License-Identifier: MIT */
/*
 * One round of questions to IMDS: which path is next and where its answer goes. No I/O, no time.
 * Questions are asked in order; those of an interface once for each. Source: AWS EC2 User Guide,
 * "Instance metadata categories"; outpost-arn is not in that list, AWS's own EBS CSI driver reads
 * it.
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
	const char *tag_keys[FFFA_IMDS_TAG_KEYS_MAX]; /* borrowed; NULL: no such tag is asked for */
	struct fffa_imds_data *data;		      /* borrowed; filled by the answers */
	bool tag_there[FFFA_IMDS_TAG_KEYS_MAX];
	size_t question;
	size_t iface;
};

/* Begins anew: data and what was learned of tags are emptied. tag_keys and data are set before. */
void fffa_imds_round_begin(struct fffa_imds_round *r);

/* True when there is nothing left to ask. */
bool fffa_imds_round_over(const struct fffa_imds_round *r);

/* Path of the question at hand, beginning with /latest/. 0; -ENAMETOOLONG. Not when it is over. */
int fffa_imds_round_path(const struct fffa_imds_round *r, char dst[FFFA_IMDS_PATH_BYTES]);

/*
 * Takes a 200's body. Values that may not be used are absent and counted in *rejected (added to).
 * 0; -EINVAL or -EFBIG: the body is no answer at all, to be asked for again.
 */
int fffa_imds_round_take(struct fffa_imds_round *r, const char *body, size_t len,
			 uint32_t *rejected);

/* Goes on to the next question: after take, or when the answer was 404. */
void fffa_imds_round_next(struct fffa_imds_round *r);

#endif
