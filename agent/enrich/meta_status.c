// SPDX-License-Identifier: MIT
/* What the metadata reader says about itself, in the log and on status pages. */
#include <inttypes.h>

#include "agent/base/clock.h"
#include "agent/base/log.h"
#include "agent/enrich/meta_internal.h"

#define HOP_LIMIT_COMMAND                                                                          \
	"`aws ec2 modify-instance-metadata-options --instance-id %s "                              \
	"--http-put-response-hop-limit 2 --http-endpoint enabled`"

/* In a container, a hop limit of 1 leaves the token request without an answer. */
bool fffa_meta__is_hop_limit(const struct fffa_meta *m, const struct fffa_imds_failure *f)
{
	return f->token_request && f->error == FFFA_IE_TIMEOUT && !m->hop_limit_logged &&
	       (m->in_container || m->dmi.is_ec2);
}

static void log_hop_limit(struct fffa_meta *m, const char *what)
{
	const char *id = m->snapshot->host.instance_id;

	m->hop_limit_logged = true;
	fffa_warn(FFFA_META_TAG,
		  "IMDS at %s did not answer the token request in time; %s. %s the answer does "
		  "not arrive when the hop limit is 1: run " HOP_LIMIT_COMMAND
		  ", or use the host's network",
		  m->endpoint, what, m->in_container ? "In a container" : "Behind a bridge",
		  *id ? id : "ID");
}

void fffa_meta__log_failing(struct fffa_meta *m, const struct fffa_imds_failure *f)
{
	const char *what = m->learned ? "the last good identity stays in use"
				      : "AWS fields stay unknown until it answers";

	if (fffa_meta__is_hop_limit(m, f))
		log_hop_limit(m, what);
	else if (f->error == FFFA_IE_FORBIDDEN)
		fffa_warn(FFFA_META_TAG,
			  "IMDS at %s answers 403: it is turned off for this instance, or it "
			  "refuses this request; %s; next try in %" PRIu64 " s",
			  m->endpoint, what, f->wait_ns / FFFA_NS_PER_S);
	else
		fffa_warn(FFFA_META_TAG, "IMDS at %s failed: reason=%s%s; %s", m->endpoint,
			  fffa_imds_error_name(f->error),
			  f->token_request ? " (token request)" : "", what);
}

const struct fffa_ident_host *fffa_meta_host(const struct fffa_meta *m)
{
	return &m->snapshot->host;
}

const struct fffa_ident *fffa_meta_ident(const struct fffa_meta *m, size_t i)
{
	return i < m->snapshot->n ? &m->snapshot->devices[i].ident : NULL;
}

const struct fffa_imds_iface *fffa_meta_iface(const struct fffa_meta *m, size_t i)
{
	return i < m->snapshot->iface_count ? &m->snapshot->ifaces[i] : NULL;
}

const uint8_t (*fffa_meta_resolvers(const struct fffa_meta *m, size_t *n))[16]
{
	*n = m->snapshot->resolver_count;
	return (const uint8_t(*)[16])m->snapshot->resolvers;
}

uint64_t fffa_meta_age_ns(const struct fffa_meta *m)
{
	return m->learned ? uv_hrtime() - m->learned_ns : UINT64_MAX;
}

const char *fffa_meta_state(const struct fffa_meta *m)
{
	static const char *const names[] = {[FFFA_META_FIRST] = "asking",
					    [FFFA_META_KNOWN] = "known",
					    [FFFA_META_FAILING] = "failing"};

	return m->imds ? names[m->state] : "off";
}

const char *fffa_meta_endpoint(const struct fffa_meta *m)
{
	return m->endpoint;
}

const char *fffa_meta_last_error(const struct fffa_meta *m)
{
	return m->last_error == FFFA_IE_NONE ? "" : fffa_imds_error_name(m->last_error);
}

const char *fffa_meta_error(const struct fffa_meta *m, size_t i, uint64_t *count)
{
	enum fffa_imds_error e = (enum fffa_imds_error)(i + 1); /* FFFA_IE_NONE is no reason */
	const char *name;

	if (i >= FFFA_IE_MAX - 1) {
		name = fffa_meta_sources_file_errors(&m->sources, i - (FFFA_IE_MAX - 1), count);
		if (name)
			*count += m->errors_before[i + 1];
		return name;
	}
	*count = m->errors_before[e] + (m->imds ? fffa_imds_errors(m->imds)[e] : 0) +
		 fffa_meta_sources_errors(&m->sources, e);
	return fffa_imds_error_name(e);
}

const struct fffa_network_series *fffa_meta_traffic(const struct fffa_meta *m, size_t *n)
{
	*n = 0;
	return m->sources.traffic ? fffa_network_traffic_series(m->sources.traffic, n) : NULL;
}
