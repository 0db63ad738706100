// SPDX-License-Identifier: MIT
#include "agent/enrich/ecs/ecs_parse.h"

#include <errno.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "agent/enrich/input/ident_text.h"
#include "agent/enrich/input/json_text.h"

#define TAKE(object, key, dst, rejected)                                                           \
	fffa_json_text_take((object), (key), (dst), sizeof(dst), (rejected))

/* arn:PARTITION:ecs:REGION:ACCOUNT:RESOURCE. Points into the text that was read. */
struct arn {
	struct {
		const char *v;
		size_t len;
	} part[6];
};

enum { ARN_PREFIX, ARN_PARTITION, ARN_SERVICE, ARN_REGION, ARN_ACCOUNT, ARN_RESOURCE };

static bool part_is(const struct arn *a, int i, const char *text)
{
	return a->part[i].len == strlen(text) && memcmp(a->part[i].v, text, a->part[i].len) == 0;
}

static bool read_arn(const char *text, struct arn *a)
{
	for (int i = 0; i < 6; i++) {
		const char *end = i < 5 ? strchr(text, ':') : text + strlen(text);

		if (!end || end == text)
			return false;
		a->part[i].v = text;
		a->part[i].len = (size_t)(end - text);
		text = end + 1;
	}
	return part_is(a, ARN_PREFIX, "arn") && part_is(a, ARN_SERVICE, "ecs");
}

/* What follows kind ("task/") in the ARN's resource; NULL: it is of another kind. */
static const char *resource_of(const struct arn *a, const char *kind)
{
	size_t len = strlen(kind);

	if (strncmp(a->part[ARN_RESOURCE].v, kind, len) != 0 || !a->part[ARN_RESOURCE].v[len])
		return NULL;
	return a->part[ARN_RESOURCE].v + len;
}

static void copy(char *dst, size_t cap, const char *text, size_t len, uint32_t *rejected)
{
	if (fffa_ident_text_set(dst, cap, text, len) != 0)
		(*rejected)++;
}

/* task/CLUSTER/ID, or task/ID in the older form. */
static int take_task(const json_t *doc, struct fffa_ecs_data *out, struct arn *a,
		     uint32_t *rejected)
{
	const char *resource, *slash;

	TAKE(doc, "TaskARN", out->ids.task_arn, rejected);
	if (!read_arn(out->ids.task_arn, a))
		return -EINVAL;
	resource = resource_of(a, "task/");
	if (!resource)
		return -EINVAL;
	slash = strrchr(resource, '/');
	resource = slash ? slash + 1 : resource;
	copy(out->ids.task_id, sizeof(out->ids.task_id), resource, strlen(resource), rejected);
	copy(out->region, sizeof(out->region), a->part[ARN_REGION].v, a->part[ARN_REGION].len,
	     rejected);
	copy(out->account_id, sizeof(out->account_id), a->part[ARN_ACCOUNT].v,
	     a->part[ARN_ACCOUNT].len, rejected);
	return 0;
}

/* An ARN beside the task's: same partition, region and account. */
static void build(char *dst, size_t cap, const struct arn *task, const char *kind, const char *name,
		  const char *tail, uint32_t *rejected)
{
	int before = (int)(task->part[ARN_RESOURCE].v - task->part[ARN_PREFIX].v);
	int n = snprintf(dst, cap, "%.*s%s%s%s", before, task->part[ARN_PREFIX].v, kind, name,
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

	TAKE(doc, "Cluster", text, rejected);
	if (!text[0])
		return;
	if (strncmp(text, "arn:", 4) == 0) {
		name = read_arn(text, &a) ? resource_of(&a, "cluster/") : NULL;
		if (!name) {
			(*rejected)++;
			return;
		}
		memcpy(ids->cluster_arn, text, sizeof(text));
	} else {
		build(ids->cluster_arn, sizeof(ids->cluster_arn), task, "cluster/", name, "",
		      rejected);
	}
	copy(ids->cluster_name, sizeof(ids->cluster_name), name, strlen(name), rejected);
}

static void take_definition(const json_t *doc, struct fffa_ident_ecs *ids, const struct arn *task,
			    uint32_t *rejected)
{
	const json_t *number = json_object_get(doc, "Revision");
	char family[sizeof(ids->task_definition_arn)], revision[24] = "", tail[32];

	TAKE(doc, "Family", family, rejected);
	if (json_is_integer(number))
		(void)snprintf(revision, sizeof(revision), "%lld",
			       (long long)json_integer_value(number));
	else
		TAKE(doc, "Revision", revision, rejected);
	if (!family[0] || !revision[0])
		return;
	(void)snprintf(tail, sizeof(tail), ":%s", revision);
	build(ids->task_definition_arn, sizeof(ids->task_definition_arn), task, "task-definition/",
	      family, tail, rejected);
}

static void take_containers(const json_t *doc, struct fffa_ident_ecs *ids, uint32_t *rejected)
{
	const json_t *list = json_object_get(doc, "Containers");

	TAKE(json_array_get(list, 0), "DockerId", ids->container_id, rejected);
	TAKE(json_array_get(list, 1), "DockerId", ids->second_container_id, rejected);
}

int fffa_ecs_parse_task(const char *body, size_t len, struct fffa_ecs_data *out, uint32_t *rejected)
{
	json_error_t why;
	struct arn task;
	json_t *doc;
	int err;

	memset(out, 0, sizeof(*out));
	if (len > FFFA_ECS_BODY_MAX_BYTES)
		return -EFBIG;
	doc = json_loadb(body, len, JSON_REJECT_DUPLICATES, &why);
	err = json_is_object(doc) ? take_task(doc, out, &task, rejected) : -EINVAL;
	if (err) {
		memset(out, 0, sizeof(*out));
	} else {
		take_cluster(doc, &out->ids, &task, rejected);
		take_definition(doc, &out->ids, &task, rejected);
		take_containers(doc, &out->ids, rejected);
		TAKE(doc, "ServiceName", out->ids.service_name, rejected);
		TAKE(doc, "AvailabilityZone", out->az, rejected);
		TAKE(doc, "VPCID", out->vpc_id, rejected);
	}
	json_decref(doc);
	return err;
}
