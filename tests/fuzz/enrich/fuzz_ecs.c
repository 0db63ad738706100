// SPDX-License-Identifier: MIT
/* The reader of the ECS task document. What it passes must be fit for a record. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "agent/enrich/ecs/ecs_parse.h"
#include "tests/fuzz/enrich/check_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define TASK	     "arn:aws:ecs:eu-west-1:111122223333:task/edge/0f1e2d3c"
#define CHECK(field) check_text((field), sizeof(field))

static void fuzz_instance(const uint8_t *data, size_t size)
{
	struct fffa_ecs_instance i;

	memset(&i, 0xa5, sizeof(i));
	if ((fffa_ecs_parse_instance((const char *)data, size, TASK, &i) == 0) != (i.id[0] != '\0'))
		abort();
	CHECK(i.arn);
	CHECK(i.id);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fffa_ecs_data d;
	uint32_t rejected = 0;
	int rc;

	memset(&d, 0xa5, sizeof(d));
	rc = fffa_ecs_parse_task((const char *)data, size, &d, &rejected);
	CHECK(d.ids.cluster_arn);
	CHECK(d.ids.cluster_name);
	CHECK(d.ids.task_arn);
	CHECK(d.ids.task_id);
	CHECK(d.ids.task_definition_arn);
	CHECK(d.ids.service_name);
	CHECK(d.ids.container_id);
	CHECK(d.ids.second_container_id);
	CHECK(d.ids.container_instance_arn);
	CHECK(d.account_id);
	CHECK(d.region);
	CHECK(d.az);
	CHECK(d.vpc_id);
	fuzz_instance(data, size);
	/* Without a task nothing is known; with one, its ARN is. */
	if ((rc == 0) != (d.ids.task_arn[0] != '\0') || rejected > 16)
		abort();
	return 0;
}
