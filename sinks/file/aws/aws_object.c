// SPDX-License-Identifier: MIT
#include "sinks/file/aws/aws_object.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "sinks/file/aws/aws_slots.h"
#include "sinks/file/layout/stamp.h"

#define SERVICE "vpcflowlogs"
#define ENDING	".log.gz"
#define FNV	UINT64_C(0xcbf29ce484222325)
#define FNV_MUL UINT64_C(0x100000001b3)

/* The metadata service is not trusted: only letters, digits and - get into a path. */
static void sanitize_name(char *dst, size_t cap, const char *src)
{
	size_t n = 0;

	if (!*src)
		src = "unknown";
	for (; n + 1 < cap && src[n]; n++)
		dst[n] = (char)(isalnum((unsigned char)src[n]) && (unsigned char)src[n] < 0x80
					? src[n]
					: '-');
	dst[n] = '\0';
}

static void derive_flow_log_id(char *dst, const char *agent_id)
{
	uint64_t h = FNV;

	for (; *agent_id; agent_id++)
		h = (h ^ (unsigned char)*agent_id) * FNV_MUL;
	(void)snprintf(dst, FFFA_AWS_FLOW_LOG_ID_BYTES, "fl-%016" PRIx64 "%x", h,
		       (unsigned int)(h % 15));
}

void fffa_aws_object_init(struct fffa_aws_object *o, const struct fffa_batch_origin *origin,
			  const char *flow_log_id, int64_t slot, uint64_t unique)
{
	char stamp[FFFA_STAMP_BYTES];

	memset(o, 0, sizeof(*o));
	sanitize_name(o->account, sizeof(o->account), origin->account_id);
	sanitize_name(o->region, sizeof(o->region), origin->region);
	if (flow_log_id && *flow_log_id)
		sanitize_name(o->flow_log_id, sizeof(o->flow_log_id), flow_log_id);
	else
		derive_flow_log_id(o->flow_log_id, origin->agent_id);
	fffa_stamp_write(slot > INT64_MAX / FFFA_AWS_SLOT_S ? INT64_MAX : slot * FFFA_AWS_SLOT_S,
			 stamp);
	/* The stamp of an object has no seconds. */
	(void)snprintf(o->stamp, sizeof(o->stamp), "%.13sZ", stamp);
	(void)snprintf(o->hash, sizeof(o->hash), "%016" PRIx64, unique);
}

int fffa_aws_object_name(const struct fffa_aws_object *o, char *dst, size_t cap)
{
	int n = snprintf(dst, cap, "%s_" SERVICE "_%s_%s_%s_%s" ENDING, o->account, o->region,
			 o->flow_log_id, o->stamp, o->hash);

	return n < 0 || (size_t)n >= cap ? -ENAMETOOLONG : 0;
}

/* Copies the next field of a name, up to the character end. False: it is none that we write. */
static bool take_field(const char **at, char end, char *dst, size_t cap)
{
	size_t n = 0;

	for (; **at && **at != end; (*at)++) {
		if (n + 1 >= cap || (!isalnum((unsigned char)**at) && **at != '-'))
			return false;
		dst[n++] = **at;
	}
	dst[n] = '\0';
	if (!n || **at != end)
		return false;
	(*at)++;
	return true;
}

static bool is_stamp(const char *s)
{
	static const char form[] = "ddddddddTddddZ";

	return fffa_stamp_matches(s, form) && !s[sizeof(form) - 1];
}

bool fffa_aws_object_parse(const char *name, struct fffa_aws_object *out)
{
	char service[sizeof(SERVICE)];

	memset(out, 0, sizeof(*out));
	return take_field(&name, '_', out->account, sizeof(out->account)) &&
	       take_field(&name, '_', service, sizeof(service)) && !strcmp(service, SERVICE) &&
	       take_field(&name, '_', out->region, sizeof(out->region)) &&
	       take_field(&name, '_', out->flow_log_id, sizeof(out->flow_log_id)) &&
	       take_field(&name, '_', out->stamp, sizeof(out->stamp)) && is_stamp(out->stamp) &&
	       take_field(&name, '.', out->hash, sizeof(out->hash)) && !strcmp(name, &ENDING[1]);
}

int fffa_aws_object_folder(const struct fffa_aws_object *o, bool hive, char *dst, size_t cap)
{
	const char *s = o->stamp;
	int n = snprintf(dst, cap,
			 hive ? "AWSLogs/aws-account-id=%s/aws-service=" SERVICE
				"/aws-region=%s/year=%.4s/month=%.2s/day=%.2s"
			      : "AWSLogs/%s/" SERVICE "/%s/%.4s/%.2s/%.2s",
			 o->account, o->region, s, s + 4, s + 6);

	return n < 0 || (size_t)n >= cap ? -ENAMETOOLONG : 0;
}

bool fffa_aws_object_is_flow_log_id(const char *text)
{
	size_t n = strlen(text);

	return (n == 3 + 8 || n == 3 + 17) && !strncmp(text, "fl-", 3) &&
	       strspn(text + 3, "0123456789abcdef") == n - 3;
}
