// SPDX-License-Identifier: MIT
/* The answer of the task metadata endpoint: what is read, and what is refused. */
#include "tests/stubs/cmocka_all.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "agent/enrich/ecs/ecs_parse.h"

#define SEEDS FFFA_SOURCE_DIR "/tests/data/fuzz/ecs/"
#define ARN   "arn:aws:ecs:us-east-1:111122223333:"
#define TASK  "\"TaskARN\":\"" ARN "task/c/0123abcd\""

static int parse(const char *text, struct fffa_ecs_data *d, uint32_t *rejected)
{
	*rejected = 0;
	memset(d, 0xa5, sizeof(*d));
	return fffa_ecs_parse_task(text, strlen(text), d, rejected);
}

static void parse_file(const char *path, struct fffa_ecs_data *d)
{
	char text[8192];
	FILE *f = fopen(path, "r");
	uint32_t rejected;
	size_t n;

	assert_non_null(f);
	n = fread(text, 1, sizeof(text) - 1, f);
	(void)fclose(f);
	text[n] = '\0';
	assert_int_equal(parse(text, d, &rejected), 0);
	assert_int_equal(rejected, 0);
}

static void test_ec2_with_a_short_cluster_name(void **state)
{
	struct fffa_ecs_data d;

	(void)state;
	parse_file(SEEDS "ec2", &d);
	assert_string_equal(d.ids.cluster_arn, "arn:aws:ecs:eu-west-1:111122223333:cluster/edge");
	assert_string_equal(d.ids.cluster_name, "edge");
	assert_string_equal(d.ids.task_arn, "arn:aws:ecs:eu-west-1:111122223333:task/edge/"
					    "0f1e2d3c4b5a69788796a5b4c3d2e1f0");
	assert_string_equal(d.ids.task_id, "0f1e2d3c4b5a69788796a5b4c3d2e1f0");
	assert_string_equal(d.ids.task_definition_arn,
			    "arn:aws:ecs:eu-west-1:111122223333:task-definition/shop-web:26");
	assert_string_equal(d.ids.service_name, "web");
	assert_string_equal(d.ids.container_id,
			    "8f03e41243824aea923aca126495f665f12a0b2f3d3f5a4f3f6c7d8e9f0a1b2c");
	assert_string_equal(d.ids.second_container_id,
			    "0206b2c2e0e4b06f3f1a3f5c6d7e8f9001122334455667788990aabbccddeeff");
	assert_string_equal(d.ids.container_instance_arn, "");
	assert_string_equal(d.ids.container_instance_id, "");
	assert_string_equal(d.region, "eu-west-1");
	assert_string_equal(d.account_id, "111122223333");
	assert_string_equal(d.az, "eu-west-1b");
	assert_string_equal(d.vpc_id, "vpc-0a1b2c3d4e5f60718");
}

static void test_fargate_without_a_service(void **state)
{
	struct fffa_ecs_data d;

	(void)state;
	parse_file(SEEDS "fargate", &d);
	assert_string_equal(d.ids.cluster_arn,
			    "arn:aws-us-gov:ecs:us-gov-west-1:111122223333:cluster/prod");
	assert_string_equal(d.ids.cluster_name, "prod");
	assert_string_equal(d.ids.task_definition_arn,
			    "arn:aws-us-gov:ecs:us-gov-west-1:111122223333:task-definition/api:3");
	assert_string_equal(d.ids.service_name, "");
	assert_string_equal(d.ids.container_id, "cd189a933e5849daa93386466019ab50-2495160603");
	assert_string_equal(d.ids.second_container_id, "");
	assert_string_equal(d.az, "us-gov-west-1a");
	assert_string_equal(d.vpc_id, "");
}

static void test_the_older_form_of_the_arn(void **state)
{
	struct fffa_ecs_data d;

	(void)state;
	parse_file(SEEDS "old", &d);
	assert_string_equal(d.ids.task_id, "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0");
	assert_string_equal(d.ids.task_definition_arn,
			    "arn:aws:ecs:us-east-1:111122223333:task-definition/old:7");
	assert_string_equal(d.ids.cluster_arn, "");
	assert_string_equal(d.ids.cluster_name, "");
}

/* Containers, each with its type, name and network mode. */
#define CONTAINER(id, type, name, mode)                                                            \
	"{\"DockerId\":\"" id "\",\"Type\":\"" type "\",\"Name\":\"" name                          \
	"\",\"Networks\":[{\"NetworkMode\":\"" mode "\",\"IPv4Addresses\":[\"\"]}]}"

static void test_the_pause_container_is_not_the_tasks(void **state)
{
	static const char text[] =
		"{" TASK
		",\"Containers\":[" CONTAINER("p1", "CNI_PAUSE", "~internal~ecs~pause", "awsvpc") "," CONTAINER(
			"a1", "NORMAL", "web",
			"awsvpc") "," CONTAINER("p2", "NAMESPACE_PAUSE", "namespace",
						"awsvpc") "," CONTAINER("p3", "EMPTY_HOST_VOLUME",
									"volume",
									"awsvpc") "," CONTAINER("p"
												"4",
												"",
												"~i"
												"nt"
												"er"
												"na"
												"l~"
												"ec"
												"s~"
												"ot"
												"he"
												"r",
												"aw"
												"sv"
												"p"
												"c") "," CONTAINER("a2",
														   "SERVICE_CONNECT",
														   "envoy",
														   "awsvpc") "]}";
	struct fffa_ecs_data d;
	uint32_t rejected;

	(void)state;
	assert_int_equal(parse(text, &d, &rejected), 0);
	assert_string_equal(d.ids.container_id, "a1");
	assert_string_equal(d.ids.second_container_id, "a2");
	assert_true(d.own_network);
}

static void test_whose_network(void **state)
{
	static const struct {
		const char *text;
		bool own;
	} cases[] = {
		{"{" TASK ",\"Containers\":[" CONTAINER("a", "NORMAL", "n", "awsvpc") "]}", true},
		{"{" TASK ",\"Containers\":[" CONTAINER("a", "NORMAL", "n", "host") "]}", false},
		{"{" TASK ",\"Containers\":[" CONTAINER("a", "NORMAL", "n", "bridge") "]}", false},
		{"{" TASK ",\"Containers\":[" CONTAINER("a", "NORMAL", "n", "none") "]}", false},
		{"{" TASK ",\"Containers\":[{},{\"Networks\":[]}," CONTAINER("a", "NORMAL", "n",
									     "host") "]}",
		 false},
		{"{" TASK ",\"Containers\":[{\"DockerId\":\"a\"}]}", true},
		{"{" TASK ",\"Containers\":[{\"Networks\":[{\"NetworkMode\":7}]}]}", true},
		{"{" TASK "}", true},
	};
	struct fffa_ecs_data d;
	uint32_t rejected;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(parse(cases[i].text, &d, &rejected), 0);
		assert_int_equal(d.own_network, cases[i].own);
	}
}

static void test_who_runs_the_task(void **state)
{
	static const struct {
		const char *text;
		bool fargate;
	} cases[] = {
		{"{" TASK ",\"LaunchType\":\"FARGATE\"}", true},
		{"{" TASK ",\"LaunchType\":\"EC2\"}", false},
		{"{" TASK ",\"LaunchType\":7}", false},
		{"{" TASK "}", false},
	};
	struct fffa_ecs_data d;
	uint32_t rejected;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(parse(cases[i].text, &d, &rejected), 0);
		assert_int_equal(d.fargate, cases[i].fargate);
	}
	assert_int_equal(parse("{" TASK ",\"Family\":\"f\",\"Revision\":-7}", &d, &rejected), 0);
	assert_string_equal(d.ids.task_definition_arn, ARN "task-definition/f:-7");
}

static void test_container_instance(void **state)
{
	static const char task[] = ARN "task/c/0123abcd";
	static const char *const others[] = {
		"",
		"[]",
		"{}",
		"{\"ContainerInstanceArn\":7}",
		"{\"ContainerInstanceArn\":\"" ARN "task/c/0123\"}",
		"{\"ContainerInstanceArn\":\"" ARN "container-instance/c/\"}",
		"{\"ContainerInstanceArn\":\"" ARN "container-instance/c/a b\"}",
		"{\"ContainerInstanceArn\":\"arn:aws:ecs:us-east-1:999900001111:container-instance/"
		"c/1\"}",
		"{\"ContainerInstanceArn\":\"arn:aws:ecs:eu-west-1:111122223333:container-instance/"
		"c/1\"}",
		"{\"ContainerInstanceArn\":\"arn:aws-cn:ecs:us-east-1:111122223333:container-"
		"instance/c/1\"}",
		"{\"ContainerInstanceArn\":\"arn:aws:ecs:us-east-1:11112222333:container-instance/"
		"c/1\"}",
	};
	static const struct fffa_ecs_instance empty;
	struct fffa_ecs_instance got;
#define INSTANCE(text) fffa_ecs_parse_instance((text), strlen(text), task, &got)

	(void)state;
	assert_int_equal(INSTANCE("{\"Cluster\":\"c\",\"ContainerInstanceArn\":\"" ARN
				  "container-instance/c/4d3c\",\"Version\":\"1\"}"),
			 0);
	assert_string_equal(got.arn, ARN "container-instance/c/4d3c");
	assert_string_equal(got.id, "4d3c");
	assert_int_equal(INSTANCE("{\"ContainerInstanceArn\":\"" ARN "container-instance/4d3c\"}"),
			 0);
	assert_string_equal(got.id, "4d3c");
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		memset(&got, 0xa5, sizeof(got));
		assert_int_equal(INSTANCE(others[i]), -EINVAL);
		assert_memory_equal(&got, &empty, sizeof(got));
	}
}

static void test_what_is_no_task(void **state)
{
	static const char *const bodies[] = {
		"",
		"null",
		"[]",
		"{}",
		"{" TASK,
		"{\"TaskARN\":7}",
		"{\"TaskARN\":\"0123abcd\"}",
		"{\"TaskARN\":\"arn:aws:ecs:us-east-1:111122223333\"}",
		"{\"TaskARN\":\"" ARN "\"}",
		"{\"TaskARN\":\"" ARN "task/\"}",
		"{\"TaskARN\":\"" ARN "cluster/c\"}",
		"{\"TaskARN\":\"arn:aws:s3:us-east-1:111122223333:task/c/0123\"}",
		"{\"TaskARN\":\"arn:aws:ecs::111122223333:task/c/0123\"}",
		"{\"TaskARN\":\"art:aws:ecs:us-east-1:111122223333:task/c/0123\"}",
		"{\"TaskARN\":\"arn2:aws:ecs:us-east-1:111122223333:task/c/0123\"}",
		"{\"TaskARN\":\"ar:aws:ecs:us-east-1:111122223333:task/c/0123\"}",
		"{\"TaskARN\":\"arn:aws:ecr:us-east-1:111122223333:task/c/0123\"}",
		"{\"TaskARN\":\"arn:aws:ecs2:us-east-1:111122223333:task/c/0123\"}",
		"{\"TaskARN\":\"" ARN "task\"}",
		"{\"TaskARN\":\"" ARN "task/c/01 23\"}",
		"{" TASK "," TASK "}",
	};
	static const struct fffa_ecs_data empty;
	struct fffa_ecs_data d;
	uint32_t rejected;

	(void)state;
	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
		assert_int_equal(parse(bodies[i], &d, &rejected), -EINVAL);
		assert_memory_equal(&d, &empty, sizeof(d));
	}
}

static void test_values_that_may_not_enter_a_record(void **state)
{
	static const struct {
		const char *body;
		uint32_t rejected;
	} cases[] = {
		{"{" TASK ",\"ServiceName\":\"a b\"}", 1},
		{"{" TASK ",\"ServiceName\":[\"a\"]}", 1},
		{"{" TASK ",\"Cluster\":\"x\\\"y\"}", 1},
		{"{" TASK ",\"Cluster\":\"" ARN "task/c\"}", 1},
		{"{" TASK ",\"Cluster\":\"arn:nonsense\"}", 1},
		{"{" TASK ",\"Family\":\"f\\n\",\"Revision\":\"1\"}", 1},
		{"{" TASK ",\"Family\":\"f\",\"Revision\":\"0123456789012345678901234\"}", 1},
		{"{" TASK ",\"Family\":\"f\",\"Revision\":true}", 1},
		{"{" TASK ",\"Containers\":[{\"DockerId\":\"\\u0001\"},{\"DockerId\":1}]}", 2},
		{"{" TASK ",\"Containers\":\"many\",\"AvailabilityZone\":null}", 0},
		{"{" TASK ",\"Family\":\"f\"}", 0},
		{"{" TASK ",\"Revision\":\"1\"}", 0},
		{"{" TASK ",\"Cluster\":\"arn:aws:ecs:us-east-1:1:cluster/\"}", 1},
	};
	struct fffa_ecs_data d, want;
	uint32_t rejected;

	(void)state;
	assert_int_equal(parse("{" TASK "}", &want, &rejected), 0);
	assert_int_equal(rejected, 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(parse(cases[i].body, &d, &rejected), 0);
		assert_int_equal(rejected, cases[i].rejected);
		assert_memory_equal(&d, &want, sizeof(d));
	}
}

static void test_what_does_not_fit(void **state)
{
	static char body[FFFA_ECS_BODY_MAX_BYTES + 2];
	struct fffa_ecs_data d;
	char name[256];
	uint32_t rejected = 0;

	(void)state;
	memset(name, 'c', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	(void)snprintf(body, sizeof(body),
		       "{" TASK ",\"Cluster\":\"%s\",\"Family\":\"%s%s\",\"Revision\":\"1\"}", name,
		       name, name);
	assert_int_equal(parse(body, &d, &rejected), 0);
	assert_int_equal(rejected, 1); /* the family */
	assert_string_equal(d.ids.cluster_name, name);
	assert_string_equal(d.ids.task_definition_arn, "");
	(void)snprintf(body, sizeof(body), "{" TASK ",\"Cluster\":\"%sc\"}", name);
	assert_int_equal(parse(body, &d, &rejected), 0);
	assert_int_equal(rejected, 1);
	assert_string_equal(d.ids.cluster_name, "");
	memset(body, ' ', sizeof(body));
	assert_int_equal(fffa_ecs_parse_task(body, FFFA_ECS_BODY_MAX_BYTES + 1, &d, &rejected),
			 -EFBIG);
	assert_int_equal(fffa_ecs_parse_task(body, FFFA_ECS_BODY_MAX_BYTES, &d, &rejected),
			 -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ec2_with_a_short_cluster_name),
		cmocka_unit_test(test_fargate_without_a_service),
		cmocka_unit_test(test_the_older_form_of_the_arn),
		cmocka_unit_test(test_the_pause_container_is_not_the_tasks),
		cmocka_unit_test(test_whose_network),
		cmocka_unit_test(test_who_runs_the_task),
		cmocka_unit_test(test_container_instance),
		cmocka_unit_test(test_what_is_no_task),
		cmocka_unit_test(test_values_that_may_not_enter_a_record),
		cmocka_unit_test(test_what_does_not_fit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
