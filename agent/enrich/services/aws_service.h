/* SPDX-License-Identifier: MIT */
/* The services that VPC Flow Logs name in pkt-src-aws-service and pkt-dst-aws-service. Source: AWS VPC User Guide,
 * "Flow log records". */
#ifndef FFFA_AGENT_ENRICH_SERVICES_AWS_SERVICE_H
#define FFFA_AGENT_ENRICH_SERVICES_AWS_SERVICE_H

#include <stdint.h>

/* Numbers, small ones first, of which each is a name; the last two stand for all others and for none. */
enum { FFFA_AWS_NONE, FFFA_AWS_AMAZON, FFFA_AWS_EC2, FFFA_AWS_SERVICES = 22 };

/* The number of a service as ip-ranges.json names it. Services that flow logs do not know are FFFA_AWS_AMAZON. */
uint8_t fffa_aws_service_by_name(const char *name);

/* Static; NULL for FFFA_AWS_NONE. service is below FFFA_AWS_SERVICES. */
const char *fffa_aws_service_name(uint8_t service);

/* Which of two services of the very same prefix is shown: the more specific one. */
uint8_t fffa_aws_service_better(uint8_t a, uint8_t b);

#endif
