// SPDX-License-Identifier: MIT
#include "agent/enrich/imds/imds_endpoint.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct fffa_imds_env fffa_imds_env_read(void)
{
	return (struct fffa_imds_env){
		.disabled = getenv("AWS_EC2_METADATA_DISABLED"),
		.endpoint = getenv("AWS_EC2_METADATA_SERVICE_ENDPOINT"),
		.mode = getenv("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE"),
	};
}

static bool is_set(const char *s)
{
	return s && *s;
}

bool fffa_imds_wanted(enum fffa_switch enabled, const struct fffa_imds_env *env, bool is_ec2)
{
	if (enabled == FFFA_SW_OFF || (env->disabled && strcasecmp(env->disabled, "true") == 0))
		return false;
	return enabled == FFFA_SW_ON || is_ec2 || is_set(env->endpoint);
}

static bool has_component(CURLU *u, CURLUPart component)
{
	char *text = NULL;
	bool set = curl_url_get(u, component, &text, 0) == CURLUE_OK;

	curl_free(text);
	return set;
}

/* http, a host, perhaps port and path; nothing that carries a secret or follows our own path. */
static bool is_base_url(const char *url)
{
	CURLU *u = curl_url();
	char *scheme = NULL;
	bool ok = false;

	if (!u || curl_url_set(u, CURLUPART_URL, url, CURLU_NON_SUPPORT_SCHEME) != CURLUE_OK ||
	    curl_url_get(u, CURLUPART_SCHEME, &scheme, 0) != CURLUE_OK)
		goto out;
	ok = strcmp(scheme, "http") == 0 && !has_component(u, CURLUPART_USER) &&
	     !has_component(u, CURLUPART_PASSWORD) && !has_component(u, CURLUPART_QUERY) &&
	     !has_component(u, CURLUPART_FRAGMENT);
out:
	curl_free(scheme);
	curl_url_cleanup(u);
	return ok;
}

int fffa_imds_endpoint_take(const char *url, const char *from,
			    char dst[FFFA_IMDS_ENDPOINT_MAX_BYTES], struct fffa_err *err)
{
	size_t len = strlen(url);

	while (len && url[len - 1] == '/')
		len--;
	if (len >= FFFA_IMDS_ENDPOINT_MAX_BYTES)
		return fffa_fail(err, EINVAL, "%s: longer than %d bytes", from,
				 FFFA_IMDS_ENDPOINT_MAX_BYTES - 1);
	memcpy(dst, url, len);
	dst[len] = '\0';
	if (!is_base_url(dst))
		return fffa_fail(
			err, EINVAL,
			"%s: not a URL of the form http://HOST[:PORT][/PATH] without user, "
			"password, query and fragment",
			from);
	return 0;
}

int fffa_imds_endpoint_choose(const char *conf, const struct fffa_imds_env *env,
			      char dst[FFFA_IMDS_ENDPOINT_MAX_BYTES], struct fffa_err *err)
{
	if (is_set(conf) && strcmp(conf, FFFA_IMDS_ENDPOINT_IPV4) != 0)
		return fffa_imds_endpoint_take(conf, "metadata.imds.endpoint", dst, err);
	if (is_set(env->endpoint))
		return fffa_imds_endpoint_take(env->endpoint, "AWS_EC2_METADATA_SERVICE_ENDPOINT",
					       dst, err);
	if (!is_set(env->mode) || strcasecmp(env->mode, "IPv4") == 0)
		return fffa_imds_endpoint_take(FFFA_IMDS_ENDPOINT_IPV4, "default", dst, err);
	if (strcasecmp(env->mode, "IPv6") == 0)
		return fffa_imds_endpoint_take(FFFA_IMDS_ENDPOINT_IPV6, "default", dst, err);
	return fffa_fail(err, EINVAL,
			 "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE: neither IPv4 nor IPv6");
}

int fffa_imds_timeout_choose(int64_t conf_ns, const char *variable, uint64_t *out_ns,
			     struct fffa_err *err)
{
	char *end;
	double s;

	*out_ns = (uint64_t)conf_ns;
	if (!is_set(variable) || conf_ns != FFFA_IMDS_TIMEOUT_DEFAULT_NS)
		return 0;
	/* strtod would also take a sign, "inf" and hexadecimal digits. */
	s = strtod(variable, &end);
	if (strspn(variable, "0123456789.") != strlen(variable) || end == variable || *end ||
	    s < 0.1 || s > 60)
		return fffa_fail(err, EINVAL,
				 "AWS_METADATA_SERVICE_TIMEOUT: not a number of seconds from 0.1 "
				 "to 60");
	*out_ns = (uint64_t)(s * 1e9);
	return 0;
}

int fffa_imds_settings_choose(const struct fffa_metadata_conf *conf, bool is_ec2,
			      char endpoint[FFFA_IMDS_ENDPOINT_MAX_BYTES], uint64_t *timeout_ns,
			      struct fffa_err *err)
{
	struct fffa_imds_env env = fffa_imds_env_read();
	int rc = is_set(conf->imds.endpoint)
			 ? fffa_imds_endpoint_take(conf->imds.endpoint, "metadata.imds.endpoint",
						   endpoint, err)
			 : 0;

	endpoint[0] = '\0';
	if (rc || !fffa_imds_wanted((enum fffa_switch)conf->imds.enabled, &env, is_ec2))
		return rc;
	rc = fffa_imds_endpoint_choose(conf->imds.endpoint, &env, endpoint, err);
	return rc ? rc
		  : fffa_imds_timeout_choose(conf->imds.timeout_ns,
					     getenv("AWS_METADATA_SERVICE_TIMEOUT"), timeout_ns,
					     err);
}
