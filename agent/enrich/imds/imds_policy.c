// SPDX-License-Identifier: MIT
#include "agent/enrich/imds/imds_policy.h"

#include "agent/base/clock.h"

const struct fffa_imds_timing fffa_imds_timing_default = {
	.token_ttl_s = 21600, /* the longest life that IMDS grants */
	.backoff_min_ns = 1 * FFFA_NS_PER_S,
	.backoff_max_ns = 60 * FFFA_NS_PER_S,
	.refused_ns = 300 * FFFA_NS_PER_S,
	.min_interval_ns = 10 * FFFA_NS_PER_S,
};

const char *fffa_imds_error_name(enum fffa_imds_error e)
{
	static const char *const names[FFFA_IE_MAX] = {
		[FFFA_IE_NONE] = "none",
		[FFFA_IE_TIMEOUT] = "timeout",
		[FFFA_IE_CONNECT] = "connect",
		[FFFA_IE_TRANSFER] = "transfer",
		[FFFA_IE_UNAUTHORIZED] = "unauthorized",
		[FFFA_IE_FORBIDDEN] = "forbidden",
		[FFFA_IE_THROTTLED] = "throttled",
		[FFFA_IE_SERVER] = "server",
		[FFFA_IE_UNEXPECTED] = "unexpected_status",
		[FFFA_IE_TOO_BIG] = "too_big",
		[FFFA_IE_BAD_BODY] = "bad_body",
		[FFFA_IE_BAD_VALUE] = "bad_value",
	};

	return names[e];
}

static struct fffa_imds_judgement judge_transfer(CURLcode result)
{
	struct fffa_imds_judgement j = {FFFA_IV_RETRY, FFFA_IE_TRANSFER};

	switch (result) {
	case CURLE_OPERATION_TIMEDOUT:
		j.error = FFFA_IE_TIMEOUT;
		break;
	case CURLE_COULDNT_CONNECT:
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_INTERFACE_FAILED:
		j.error = FFFA_IE_CONNECT;
		break;
	case CURLE_FILESIZE_EXCEEDED:
		j.error = FFFA_IE_TOO_BIG;
		break;
	default:
		break;
	}
	return j;
}

struct fffa_imds_judgement fffa_imds_judge(CURLcode result, long status, bool token_request)
{
	if (result != CURLE_OK)
		return judge_transfer(result);
	if (status == 200)
		return (struct fffa_imds_judgement){FFFA_IV_USE, FFFA_IE_NONE};
	if (status == 404 && !token_request)
		return (struct fffa_imds_judgement){FFFA_IV_ABSENT, FFFA_IE_NONE};
	if (status == 401)
		return (struct fffa_imds_judgement){
			token_request ? FFFA_IV_REFUSED : FFFA_IV_NEW_TOKEN, FFFA_IE_UNAUTHORIZED};
	if (status == 403)
		return (struct fffa_imds_judgement){FFFA_IV_REFUSED, FFFA_IE_FORBIDDEN};
	if (status == 429)
		return (struct fffa_imds_judgement){FFFA_IV_RETRY, FFFA_IE_THROTTLED};
	if (status >= 500 && status <= 599)
		return (struct fffa_imds_judgement){FFFA_IV_RETRY, FFFA_IE_SERVER};
	return (struct fffa_imds_judgement){FFFA_IV_REFUSED, FFFA_IE_UNEXPECTED};
}
