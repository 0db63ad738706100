// SPDX-License-Identifier: MIT
#include "agent/enrich/services/aws_service.h"

#include <string.h>

/* Nearly every address of AWS also belongs to the first ones. */
static const char *const names[FFFA_AWS_SERVICES] = {
	[FFFA_AWS_AMAZON] = "AMAZON",
	[FFFA_AWS_EC2] = "EC2",
	"AMAZON_APPFLOW",
	"AMAZON_CONNECT",
	"API_GATEWAY",
	"CHIME_MEETINGS",
	"CHIME_VOICECONNECTOR",
	"CLOUD9",
	"CLOUDFRONT",
	"CODEBUILD",
	"DYNAMODB",
	"EBS",
	"EC2_INSTANCE_CONNECT",
	"GLOBALACCELERATOR",
	"KINESIS_VIDEO_STREAMS",
	"ROUTE53",
	"ROUTE53_HEALTHCHECKS",
	"ROUTE53_HEALTHCHECKS_PUBLISHING",
	"ROUTE53_RESOLVER",
	"S3",
	"WORKSPACES_GATEWAYS",
};

uint8_t fffa_aws_service_by_name(const char *name)
{
	for (unsigned int i = FFFA_AWS_EC2; i < FFFA_AWS_SERVICES; i++) {
		if (strcmp(names[i], name) == 0)
			return (uint8_t)i;
	}
	return FFFA_AWS_AMAZON;
}

const char *fffa_aws_service_name(uint8_t service)
{
	return names[service];
}

uint8_t fffa_aws_service_better(uint8_t a, uint8_t b)
{
	uint8_t rank_a = a < FFFA_AWS_EC2 + 1 ? a : FFFA_AWS_EC2 + 1;
	uint8_t rank_b = b < FFFA_AWS_EC2 + 1 ? b : FFFA_AWS_EC2 + 1;

	if (rank_a != rank_b)
		return rank_a > rank_b ? a : b;
	return a < b ? a : b; /* the same whatever the order of the file */
}
