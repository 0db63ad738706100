/* SPDX-License-Identifier: MIT */
/* Whether and where IMDS is asked. Pure; the environment is an argument. */
#ifndef FFFA_AGENT_ENRICH_IMDS_ENDPOINT_H
#define FFFA_AGENT_ENRICH_IMDS_ENDPOINT_H

#include <stdbool.h>
#include <stddef.h>

#include "agent/base/err.h"
#include "config/config.h"

#define FFFA_IMDS_ENDPOINT_IPV4	     "http://169.254.169.254"
#define FFFA_IMDS_ENDPOINT_IPV6	     "http://[fd00:ec2::254]"
#define FFFA_IMDS_ENDPOINT_MAX_BYTES 256

/* The variables that AWS SDKs honour; NULL: not set. Source: AWS SDKs Reference Guide, "IMDS
 * client". */
struct fffa_imds_env {
	const char *disabled; /* AWS_EC2_METADATA_DISABLED */
	const char *endpoint; /* AWS_EC2_METADATA_SERVICE_ENDPOINT */
	const char *mode;     /* AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE */
};

/* Reads the process's environment; the texts are borrowed from it. */
struct fffa_imds_env fffa_imds_env_read(void);

bool fffa_imds_wanted(enum fffa_switch enabled, const struct fffa_imds_env *env, bool is_ec2);

/*
 * The base URL without a slash at its end. An endpoint in the configuration that is not the default
 * wins, then the variable for the endpoint, then the one for the mode. conf may be NULL. 0; -EINVAL
 * with err naming what is wrong.
 */
int fffa_imds_endpoint_choose(const char *conf, const struct fffa_imds_env *env,
			      char dst[FFFA_IMDS_ENDPOINT_MAX_BYTES], struct fffa_err *err);

#endif
