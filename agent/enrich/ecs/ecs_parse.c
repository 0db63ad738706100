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

static void take_containers(const json_t *doc, struct fffa_ident_ecs *ids, uint32_t *rejected)
{
	const json_t *list = json_object_get(doc, "Containers");

	TAKE_TEXT(json_array_get(list, 0), "DockerId", ids->container_id, rejected);
	TAKE_TEXT(json_array_get(list, 1), "DockerId", ids->second_container_id, rejected);
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
		take_containers(doc, &out->ids, rejected);
		TAKE_TEXT(doc, "ServiceName", out->ids.service_name, rejected);
		TAKE_TEXT(doc, "AvailabilityZone", out->az, rejected);
		TAKE_TEXT(doc, "VPCID", out->vpc_id, rejected);
	}
	json_decref(doc);
	return rc;
}
