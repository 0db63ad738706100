// SPDX-License-Identifier: MIT
/* Other settings for a metadata reader that runs. */
#include <errno.h>
#include <stdlib.h>

#include "agent/base/clock.h"
#include "agent/base/log.h"
#include "agent/enrich/meta_internal.h"

#define ANSWER_NS (5 * FFFA_NS_PER_S) /* for the first answers */
#define AGAIN_MS  1000		      /* after a lack of memory */

static void on_closed(void *arg)
{
	(void)arg; /* it has freed itself */
}

static void drop_successor(struct fffa_meta *m)
{
	if (m->successor)
		fffa_meta_close(m->successor, on_closed, NULL);
	m->successor = NULL;
}

/* m has not been answered yet: it goes on with what the one before was told. False without memory. */
static bool inherit_answers(struct fffa_meta *m, const struct fffa_meta *before)
{
	if (!m->imds || m->learned || !before->learned)
		return true;
	m->inherited = calloc(1, sizeof(*m->inherited));
	if (!m->inherited)
		return false;
	fffa_imds_data_copy(m->inherited, before->learned);
	m->learned = m->inherited;
	m->learned_ns = before->learned_ns;
	return true;
}

static void inherit_errors(struct fffa_meta *m, const struct fffa_meta *before)
{
	uint64_t count;

	for (size_t i = 0; fffa_meta_error(before, i, &count); i++)
		m->errors_before[i + 1] = count; /* FFFA_IE_NONE is no reason */
}

/* The successor takes its place. */
static void on_answered(void *arg)
{
	struct fffa_meta *m = arg, *before = *m->place;

	if (!inherit_answers(m, before) ||
	    fffa_meta_set_devices(m, before->devices, before->device_count)) {
		fffa_meta__wait_ms(m, AGAIN_MS, on_answered, m);
		return;
	}
	fffa_meta_sources_inherit(&m->sources, &before->sources);
	inherit_errors(m, before);
	fffa_meta__renew_snapshot(m);
	before->successor = NULL;
	*m->place = m;
	if (before->settled) /* at the start */
		fffa_meta_wait(m, 0, before->settled, before->settled_arg);
	fffa_meta_close(before, on_closed, NULL);
	fffa_info(FFFA_META_TAG, "the new settings are in use");
}

int fffa_meta_change(struct fffa_meta **m, uv_loop_t *loop, const struct fffa_metadata_conf *conf,
		     struct fffa_err *err)
{
	struct fffa_meta *next;
	int rc = fffa_meta_open(loop, conf, &next, err);

	if (rc)
		return rc;
	drop_successor(*m);
	(*m)->successor = next;
	next->place = m;
	fffa_meta_wait(next, ANSWER_NS, on_answered, next);
	return 0;
}
