/* SPDX-License-Identifier: MIT */
/*
 * The services that VPC Flow Logs name in pkt-src-aws-service and pkt-dst-aws-service. Source:
 * AWS VPC User Guide, "Flow log records".
 */
#ifndef FFFA_AGENT_ENRICH_SERVICES_AWS_SERVICE_H
#define FFFA_AGENT_ENRICH_SERVICES_AWS_SERVICE_H

#include <stdint.h>

/* Each number is a service; FFFA_AWS_AMAZON stands for all that flow logs do not name. */
enum { FFFA_AWS_NONE, FFFA_AWS_AMAZON, FFFA_AWS_EC2, FFFA_AWS_SERVICES = 22 };

/* The service that ip-ranges.json names; FFFA_AWS_AMAZON when flow logs do not name it. */
uint8_t fffa_aws_service_by_name(const char *name);

/* The name, static; NULL for FFFA_AWS_NONE. service is below FFFA_AWS_SERVICES. */
const char *fffa_aws_service_name(uint8_t service);

/* The service that is shown for a prefix that has both: the more specific one. */
uint8_t fffa_aws_service_better(uint8_t a, uint8_t b);

#endif
