/* SPDX-License-Identifier: MIT */
/* Whether and where IMDS is asked. Pure; the environment is an argument. */
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

/* The variables that AWS SDKs honour; NULL: not set. AWS_EC2_METADATA_V1_DISABLED is not among them:
 * there is no IMDSv1 here. Source: AWS SDKs Reference Guide, "IMDS client". */
struct fffa_imds_env {
	const char *disabled; /* AWS_EC2_METADATA_DISABLED */
	const char *endpoint; /* AWS_EC2_METADATA_SERVICE_ENDPOINT */
	const char *mode;     /* AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE */
};

/* Reads the process's environment; the texts are borrowed from it. */
struct fffa_imds_env fffa_imds_env_read(void);

bool fffa_imds_wanted(enum fffa_switch enabled, const struct fffa_imds_env *env, bool is_ec2);

/*
 * Copies a base URL without the slash at its end: http, a host, perhaps a port and a path, no user, query or
 * fragment. from names it in err (may be NULL). 0 or -EINVAL.
 */
int fffa_imds_endpoint_take(const char *url, const char *from,
			    char dst[FFFA_IMDS_ENDPOINT_MAX_BYTES], struct fffa_err *err);

/*
 * The base URL without a slash at its end. An endpoint in the configuration that is not the default
 * wins, then the variable for the endpoint, then the one for the mode. conf may be NULL. 0; -EINVAL
 * with err naming what is wrong.
 */
int fffa_imds_endpoint_choose(const char *conf, const struct fffa_imds_env *env,
			      char dst[FFFA_IMDS_ENDPOINT_MAX_BYTES], struct fffa_err *err);

/*
 * How long one request may take: AWS_METADATA_SERVICE_TIMEOUT (seconds, may have a fraction; NULL
 * or empty: not set) where the configuration has the default. 0; -EINVAL with err for a variable
 * that is no number from 0.1 to 60. AWS_METADATA_SERVICE_NUM_ATTEMPTS has no meaning here: attempts
 * go on, ever more seldom.
 */
int fffa_imds_timeout_choose(int64_t conf_ns, const char *variable, uint64_t *out_ns,
			     struct fffa_err *err);

#endif
