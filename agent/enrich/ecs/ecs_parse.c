// SPDX-License-Identifier: MIT
#include "agent/enrich/ecs/ecs_parse.h"

#include <errno.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "agent/enrich/input/ident_text.h"
#include "agent/enrich/input/json_text.h"

#define TAKE_TEXT(object, key, dst, rejected)                                                      \
	fffa_json_text_take((object), (key), (dst), sizeof(dst), (rejected))

/* arn:PARTITION:ecs:REGION:ACCOUNT:RESOURCE, as pointers into the text. */
struct arn {
	struct {
		const char *v;
		size_t len;
	} field[6];
};

enum { ARN_PREFIX, ARN_PARTITION, ARN_SERVICE, ARN_REGION, ARN_ACCOUNT, ARN_RESOURCE };

static bool field_is(const struct arn *a, int i, const char *text)
{
	return a->field[i].len == strlen(text) && memcmp(a->field[i].v, text, a->field[i].len) == 0;
}

static bool read_arn(const char *text, struct arn *a)
{
	for (int i = 0; i < 6; i++) {
		const char *end = i < 5 ? strchr(text, ':') : text + strlen(text);

		if (!end || end == text)
			return false;
		a->field[i].v = text;
		a->field[i].len = (size_t)(end - text);
		text = end + 1;
	}
	return field_is(a, ARN_PREFIX, "arn") && field_is(a, ARN_SERVICE, "ecs");
}

/* What follows kind, such as "task/", in the resource; NULL: the resource is of another kind. */
static const char *resource_name(const struct arn *a, const char *kind)
{
	size_t len = strlen(kind);

	if (strncmp(a->field[ARN_RESOURCE].v, kind, len) != 0 || !a->field[ARN_RESOURCE].v[len])
		return NULL;
	return a->field[ARN_RESOURCE].v + len;
}

static void copy_text(char *dst, size_t cap, const char *text, size_t len, uint32_t *rejected)
{
	if (fffa_ident_text_set(dst, cap, text, len) != 0)
		(*rejected)++;
}

/* task/CLUSTER/ID, or task/ID in the older form. */
static int take_task(const json_t *doc, struct fffa_ecs_data *out, struct arn *a,
		     uint32_t *rejected)
{
	const char *resource, *slash;

	TAKE_TEXT(doc, "TaskARN", out->ids.task_arn, rejected);
	if (!read_arn(out->ids.task_arn, a))
		return -EINVAL;
	resource = resource_name(a, "task/");
	if (!resource)
		return -EINVAL;
	slash = strrchr(resource, '/');
	resource = slash ? slash + 1 : resource;
	copy_text(out->ids.task_id, sizeof(out->ids.task_id), resource, strlen(resource), rejected);
	copy_text(out->region, sizeof(out->region), a->field[ARN_REGION].v,
		  a->field[ARN_REGION].len, rejected);
	copy_text(out->account_id, sizeof(out->account_id), a->field[ARN_ACCOUNT].v,
		  a->field[ARN_ACCOUNT].len, rejected);
	return 0;
}

/* Another ARN of the task's partition, region and account. */
static void build_arn(char *dst, size_t cap, const struct arn *task, const char *kind,
		      const char *name, const char *tail, uint32_t *rejected)
{
	int before = (int)(task->field[ARN_RESOURCE].v - task->field[ARN_PREFIX].v);
	int n = snprintf(dst, cap, "%.*s%s%s%s", before, task->field[ARN_PREFIX].v, kind, name,
			 tail);

	if (n >= 0 && (size_t)n < cap)
		return;
	dst[0] = '\0';
	(*rejected)++;
}

static void take_cluster(const json_t *doc, struct fffa_ident_ecs *ids, const struct arn *task,
			 uint32_t *rejected)
{
	char text[sizeof(ids->cluster_arn)];
	const char *name = text;
	struct arn a;

	TAKE_TEXT(doc, "Cluster", text, rejected);
	if (!text[0])
		return;
	if (strncmp(text, "arn:", 4) == 0) {
		name = read_arn(text, &a) ? resource_name(&a, "cluster/") : NULL;
		if (!name) {
			(*rejected)++;
			return;
		}
		memcpy(ids->cluster_arn, text, sizeof(text));
	} else {
		build_arn(ids->cluster_arn, sizeof(ids->cluster_arn), task, "cluster/", name, "",
			  rejected);
	}
	copy_text(ids->cluster_name, sizeof(ids->cluster_name), name, strlen(name), rejected);
}

static void take_definition(const json_t *doc, struct fffa_ident_ecs *ids, const struct arn *task,
			    uint32_t *rejected)
{
	const json_t *number = json_object_get(doc, "Revision");
	char family[sizeof(ids->task_definition_arn)], revision[24] = "", tail[32];

	TAKE_TEXT(doc, "Family", family, rejected);
	if (json_is_integer(number))
		(void)snprintf(revision, sizeof(revision), "%lld",
			       (long long)json_integer_value(number));
	else
		TAKE_TEXT(doc, "Revision", revision, rejected);
	if (!family[0] || !revision[0])
		return;
	(void)snprintf(tail, sizeof(tail), ":%s", revision);
	build_arn(ids->task_definition_arn, sizeof(ids->task_definition_arn), task,
		  "task-definition/", family, tail, rejected);
}

/* What ECS runs beside the task's own containers: the one that holds the network, and volumes. */
static bool is_of_ecs(const json_t *container)
{
	const char *type = json_string_value(json_object_get(container, "Type"));
	const char *name = json_string_value(json_object_get(container, "Name"));

	if (name && strncmp(name, "~internal~", strlen("~internal~")) == 0)
		return true;
	return type && (strcmp(type, "CNI_PAUSE") == 0 || strcmp(type, "NAMESPACE_PAUSE") == 0 ||
			strcmp(type, "EMPTY_HOST_VOLUME") == 0);
}

/* All containers of a task have one network mode. */
static void take_network(const json_t *container, struct fffa_ecs_data *out, bool *known)
{
	const json_t *networks = json_object_get(container, "Networks");
	const json_t *first = json_array_get(networks, 0);
	const char *mode = json_string_value(json_object_get(first, "NetworkMode"));

	if (!mode || *known)
		return;
	*known = true;
	out->own_network = strcmp(mode, "awsvpc") == 0;
}

static void take_containers(const json_t *doc, struct fffa_ecs_data *out, uint32_t *rejected)
{
	const json_t *list = json_object_get(doc, "Containers"), *container;
	bool known = false;
	size_t i, n = 0;

	out->own_network = true;
	json_array_foreach (list, i, container) {
		take_network(container, out, &known);
		if (is_of_ecs(container))
			continue;
		if (n == 0)
			TAKE_TEXT(container, "DockerId", out->ids.container_id, rejected);
		else if (n == 1)
			TAKE_TEXT(container, "DockerId", out->ids.second_container_id, rejected);
		n++;
	}
}

static void take_launch_type(const json_t *doc, struct fffa_ecs_data *out)
{
	const char *type = json_string_value(json_object_get(doc, "LaunchType"));

	out->fargate = type && strcmp(type, "FARGATE") == 0;
}

int fffa_ecs_parse_task(const char *body, size_t len, struct fffa_ecs_data *out, uint32_t *rejected)
{
	json_error_t why;
	struct arn task;
	json_t *doc;
	int rc;

	memset(out, 0, sizeof(*out));
	if (len > FFFA_ECS_BODY_MAX_BYTES)
		return -EFBIG;
	doc = json_loadb(body, len, JSON_REJECT_DUPLICATES, &why);
	rc = json_is_object(doc) ? take_task(doc, out, &task, rejected) : -EINVAL;
	if (rc) {
		memset(out, 0, sizeof(*out));
	} else {
		take_cluster(doc, &out->ids, &task, rejected);
		take_definition(doc, &out->ids, &task, rejected);
		take_containers(doc, out, rejected);
		take_launch_type(doc, out);
		TAKE_TEXT(doc, "ServiceName", out->ids.service_name, rejected);
		TAKE_TEXT(doc, "AvailabilityZone", out->az, rejected);
		TAKE_TEXT(doc, "VPCID", out->vpc_id, rejected);
	}
	json_decref(doc);
	return rc;
}

/* Partition, region and account. */
static bool is_beside(const struct arn *a, const struct arn *b)
{
	for (int i = ARN_PREFIX; i < ARN_RESOURCE; i++) {
		if (a->field[i].len != b->field[i].len ||
		    memcmp(a->field[i].v, b->field[i].v, a->field[i].len) != 0)
			return false;
	}
	return true;
}

/* container-instance/CLUSTER/ID, or container-instance/ID in the older form. */
static int take_instance(const json_t *doc, const char *task_arn, struct fffa_ecs_instance *out)
{
	const char *name, *slash;
	uint32_t rejected = 0;
	struct arn a, task;

	TAKE_TEXT(doc, "ContainerInstanceArn", out->arn, &rejected);
	if (!read_arn(out->arn, &a) || !read_arn(task_arn, &task) || !is_beside(&a, &task))
		return -EINVAL;
	name = resource_name(&a, "container-instance/");
	if (!name)
		return -EINVAL;
	slash = strrchr(name, '/');
	name = slash ? slash + 1 : name;
	copy_text(out->id, sizeof(out->id), name, strlen(name), &rejected);
	return out->id[0] ? 0 : -EINVAL;
}

int fffa_ecs_parse_instance(const char *body, size_t len, const char *task_arn,
			    struct fffa_ecs_instance *out)
{
	json_error_t why;
	json_t *doc;
	int rc;

	memset(out, 0, sizeof(*out));
	doc = json_loadb(body, len, JSON_REJECT_DUPLICATES, &why);
	rc = json_is_object(doc) ? take_instance(doc, task_arn, out) : -EINVAL;
	if (rc)
		memset(out, 0, sizeof(*out));
	json_decref(doc);
	return rc;
}
