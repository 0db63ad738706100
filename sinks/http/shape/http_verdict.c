// SPDX-License-Identifier: MIT
#include "sinks/http/shape/http_verdict.h"

#include <errno.h>

/*
 * The first row that matches counts. What a person must repair (credentials, the path, a redirect)
 * is retried and not rejected: no record may be lost because of a wrong configuration.
 */
static const struct row {
	short first, last;
	struct fffa_http_verdict v;
} statuses[] = {
	{200, 299, {FFFA_V_DELIVERED, 0, NULL, false}},
	{300,
	 399,
	 {FFFA_V_RETRY, -EREMOTEIO, "redirects are not followed: set url to the new address",
	  true}},
	{401,
	 401,
	 {FFFA_V_RETRY, -EACCES,
	  "the server does not accept the credentials: check auth and headers", true}},
	{403,
	 403,
	 {FFFA_V_RETRY, -EACCES, "the credentials do not allow this: check auth and headers",
	  true}},
	{404, 404, {FFFA_V_RETRY, -ENOENT, "the server has no such path: check url", true}},
	{407, 407, {FFFA_V_RETRY, -EACCES, "the proxy requires credentials", true}},
	{408, 408, {FFFA_V_RETRY, -ETIMEDOUT, NULL, false}},
	{413, 413, {FFFA_V_TOO_BIG, -EMSGSIZE, "the batch is too large", false}},
	{425, 425, {FFFA_V_RETRY, -EBUSY, NULL, false}},
	{429, 429, {FFFA_V_RETRY, -EBUSY, "the server asks for fewer requests", false}},
	{400, 499, {FFFA_V_REJECTED, -EBADMSG, "the server rejects the records", false}},
	{500, 599, {FFFA_V_RETRY, -EREMOTEIO, NULL, false}},
};

struct fffa_http_verdict fffa_http_verdict_of_status(long status)
{
	for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
		if (status >= statuses[i].first && status <= statuses[i].last)
			return statuses[i].v;
	}
	return (struct fffa_http_verdict){FFFA_V_RETRY, -EPROTO, "not an HTTP answer", false};
}

static const struct {
	CURLcode code;
	int cause;
} failures[] = {
	{CURLE_OPERATION_TIMEDOUT, -ETIMEDOUT},
	{CURLE_COULDNT_CONNECT, -ECONNREFUSED},
	{CURLE_COULDNT_RESOLVE_HOST, -EHOSTUNREACH},
	{CURLE_COULDNT_RESOLVE_PROXY, -EHOSTUNREACH},
	{CURLE_SEND_ERROR, -ECONNRESET},
	{CURLE_RECV_ERROR, -ECONNRESET},
	{CURLE_GOT_NOTHING, -ECONNRESET},
	{CURLE_PARTIAL_FILE, -ECONNRESET},
	{CURLE_HTTP2, -EPROTO},
	{CURLE_HTTP2_STREAM, -EPROTO},
	{CURLE_SSL_CONNECT_ERROR, -EPROTO},
	{CURLE_SSL_CERTPROBLEM, -EACCES},
	{CURLE_SSL_CACERT_BADFILE, -ENOENT},
	{CURLE_PEER_FAILED_VERIFICATION, -EACCES},
	{CURLE_OUT_OF_MEMORY, -ENOMEM},
	{CURLE_ABORTED_BY_CALLBACK, -ECANCELED},
};

struct fffa_http_verdict fffa_http_verdict_of_failure(CURLcode code, long status)
{
	struct fffa_http_verdict v = {FFFA_V_RETRY, -EIO, NULL, false};

	if (status >= 300 && code != CURLE_ABORTED_BY_CALLBACK)
		return fffa_http_verdict_of_status(status);
	for (size_t i = 0; i < sizeof(failures) / sizeof(failures[0]); i++) {
		if (failures[i].code == code)
			v.cause = failures[i].cause;
	}
	v.configured = code == CURLE_SSL_CERTPROBLEM || code == CURLE_SSL_CACERT_BADFILE ||
		       code == CURLE_PEER_FAILED_VERIFICATION;
	return v;
}
