// SPDX-License-Identifier: MIT
#include "sinks/http/shape/http_verdict.h"

#include <errno.h>

#define REPAIR(STATUS, CAUSE, TEXT)                                                                \
	{                                                                                          \
		STATUS, STATUS,                                                                    \
		{                                                                                  \
			FFFA_V_RETRY, CAUSE, TEXT, true, false                                     \
		}                                                                                  \
	}

/*
 * The first row that matches counts. What a person must repair (credentials, the path, a redirect)
 * is retried and not rejected: no record may be lost because of a wrong configuration. sinks/
 * README.md has the same table.
 */
static const struct row {
	short first, last;
	struct fffa_http_verdict v;
} statuses[] = {
	{200, 299, {FFFA_V_DELIVERED, 0, NULL, false, false}},
	{300,
	 399,
	 {FFFA_V_RETRY, -EREMOTEIO, "redirects are not followed: set url to the new address", true,
	  false}},
	REPAIR(401, -EACCES, "the server does not accept the credentials: check auth and headers"),
	REPAIR(402, -EACCES, "the server asks for a payment: check the account"),
	REPAIR(403, -EACCES, "the credentials do not allow this: check auth and headers"),
	REPAIR(404, -ENOENT, "the server has no such path: check url"),
	REPAIR(405, -EOPNOTSUPP, "the server takes no POST at this path: check url"),
	REPAIR(406, -EOPNOTSUPP, "the server cannot answer as headers ask: check headers"),
	REPAIR(407, -EACCES, "the proxy requires credentials: check proxy"),
	{408, 408, {FFFA_V_RETRY, -ETIMEDOUT, NULL, false, false}},
	REPAIR(410, -ENOENT, "the path is gone for good: check url"),
	REPAIR(411, -EOPNOTSUPP, "a proxy or server takes the length from the request: check url"),
	REPAIR(412, -EOPNOTSUPP, "the server finds a condition unmet: check headers"),
	{413, 413, {FFFA_V_TOO_BIG, -EMSGSIZE, "the batch is too large", false, false}},
	REPAIR(414, -ENAMETOOLONG, "the server finds the path too long: check url"),
	REPAIR(415, -EOPNOTSUPP,
	       "the server does not take this body: check format, compress and shape"),
	REPAIR(417, -EOPNOTSUPP, "the server cannot do what Expect asks for: check headers"),
	REPAIR(421, -EREMOTEIO, "the server is not the one for this name: check url"),
	{423, 424, {FFFA_V_RETRY, -EBUSY, "the server has locked the path", false, false}},
	{425, 425, {FFFA_V_RETRY, -EBUSY, NULL, false, false}},
	REPAIR(426, -EPROTO, "the server asks for another protocol: check url"),
	REPAIR(428, -EOPNOTSUPP, "the server asks for a condition: check headers"),
	{429, 429, {FFFA_V_RETRY, -EBUSY, "the server asks for fewer requests", false, false}},
	REPAIR(431, -EMSGSIZE, "the server finds the headers too large: check headers"),
	REPAIR(451, -EACCES, "the server may not take the records for legal reasons: check url"),
	/* Of proxies and load balancers: they do not look at the records. */
	{440, 499, {FFFA_V_RETRY, -EREMOTEIO, "a proxy or load balancer refuses", false, false}},
	{400, 499, {FFFA_V_REFUSED, -EBADMSG, "the server refuses the request", false, false}},
	{500, 599, {FFFA_V_RETRY, -EREMOTEIO, NULL, false, false}},
};
#undef REPAIR

struct fffa_http_verdict fffa_http_verdict_of_status(long status)
{
	for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
		if (status >= statuses[i].first && status <= statuses[i].last)
			return statuses[i].v;
	}
	return (struct fffa_http_verdict){
		.verdict = FFFA_V_RETRY, .cause = -EPROTO, .text = "not an HTTP answer"};
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

static bool ends_a_connection(CURLcode code)
{
	return code == CURLE_SEND_ERROR || code == CURLE_RECV_ERROR || code == CURLE_GOT_NOTHING ||
	       code == CURLE_PARTIAL_FILE || code == CURLE_HTTP2 || code == CURLE_HTTP2_STREAM;
}

struct fffa_http_verdict fffa_http_verdict_of_failure(CURLcode code, long status, bool reused)
{
	struct fffa_http_verdict v = {.verdict = FFFA_V_RETRY, .cause = -EIO};

	if (status >= 300 && code != CURLE_ABORTED_BY_CALLBACK)
		return fffa_http_verdict_of_status(status);
	for (size_t i = 0; i < sizeof(failures) / sizeof(failures[0]); i++) {
		if (failures[i].code == code)
			v.cause = failures[i].cause;
	}
	v.configured = code == CURLE_SSL_CERTPROBLEM || code == CURLE_SSL_CACERT_BADFILE ||
		       code == CURLE_PEER_FAILED_VERIFICATION;
	v.transient = reused && ends_a_connection(code);
	return v;
}
