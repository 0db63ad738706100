/* SPDX-License-Identifier: MIT */
/* Whether IMDS is asked, where, and with which time-out. */
#ifndef FFFA_AGENT_ENRICH_IMDS_IMDS_ENDPOINT_H
#define FFFA_AGENT_ENRICH_IMDS_IMDS_ENDPOINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/base/err.h"
#include "config/config.h"

#define FFFA_IMDS_ENDPOINT_IPV4	     "http://169.254.169.254"
#define FFFA_IMDS_ENDPOINT_IPV6	     "http://[fd00:ec2::254]"
#define FFFA_IMDS_ENDPOINT_MAX_BYTES 256
#define FFFA_IMDS_TIMEOUT_DEFAULT_NS INT64_C(1000000000) /* of metadata.imds.timeout */

/*
 * Variables that AWS SDKs honour; NULL: not set. AWS_EC2_METADATA_V1_DISABLED has no meaning
 * here, as there is no IMDSv1. Source: AWS SDKs Reference Guide, "IMDS client".
 */
struct fffa_imds_env {
	const char *disabled; /* AWS_EC2_METADATA_DISABLED */
	const char *endpoint; /* AWS_EC2_METADATA_SERVICE_ENDPOINT */
	const char *mode;     /* AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE */
};

/* The variables of this process; the texts are borrowed from its environment. */
struct fffa_imds_env fffa_imds_env_read(void);

/* True when IMDS is to be asked. is_ec2: what DMI says. */
bool fffa_imds_wanted(enum fffa_switch enabled, const struct fffa_imds_env *env, bool is_ec2);

/*
 * Copies a base URL to dst without the slashes at its end. It must be http with a host, and may
 * have a port and a path, but no user, query or fragment. from names its origin in err, which may
 * be NULL. 0 or -EINVAL.
 */
int fffa_imds_endpoint_take(const char *url, const char *from,
			    char dst[FFFA_IMDS_ENDPOINT_MAX_BYTES], struct fffa_err *err);

/*
 * Writes the base URL to dst. An endpoint in the configuration that is not the default comes
 * first, then the variable for the endpoint, then the one for the mode. conf may be NULL. 0;
 * -EINVAL with err naming what is wrong.
 */
int fffa_imds_endpoint_choose(const char *conf, const struct fffa_imds_env *env,
			      char dst[FFFA_IMDS_ENDPOINT_MAX_BYTES], struct fffa_err *err);

/*
 * Sets *out_ns, how long one request may take: variable is AWS_METADATA_SERVICE_TIMEOUT in
 * seconds, which may have a fraction, and counts where the configuration has the default. NULL or
 * empty is not set. 0; -EINVAL with err unless it is a number from 0.1 to 60.
 * AWS_METADATA_SERVICE_NUM_ATTEMPTS has no meaning here: attempts become rarer, but never end.
 */
int fffa_imds_timeout_choose(int64_t conf_ns, const char *variable, uint64_t *out_ns,
			     struct fffa_err *err);

/*
 * The three above for this configuration and the variables of this process. An empty endpoint: IMDS
 * is not asked, *timeout_ns is left as it is, and the variables do not matter. The endpoint of the
 * configuration must be one in any case. 0 or -EINVAL with err.
 */
int fffa_imds_settings_choose(const struct fffa_metadata_conf *conf, bool is_ec2,
			      char endpoint[FFFA_IMDS_ENDPOINT_MAX_BYTES], uint64_t *timeout_ns,
			      struct fffa_err *err);

#endif
