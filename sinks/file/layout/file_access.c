// SPDX-License-Identifier: MIT
#include "sinks/file/layout/file_access.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define MODE_DEFAULT 0640
#define NAME_MAX_LEN 64

static int read_mode(const char *text, mode_t *out, struct fffa_err *err)
{
	unsigned long v;
	char *end;

	*out = MODE_DEFAULT;
	if (!text)
		return 0;
	v = strtoul(text, &end, 8);
	if (*text < '0' || *text > '7' || *end || v > 0777 || !(v & 0200))
		return fffa_fail(err, EINVAL,
				 "mode: %s: must be octal digits up to \"0777\" that let the owner "
				 "write, such as \"0640\"",
				 text);
	*out = (mode_t)v;
	return 0;
}

/* False: text is a name and not a number. */
static bool read_id(const char *text, unsigned long *out)
{
	char *end;

	*out = strtoul(text, &end, 10);
	return *text >= '0' && *text <= '9' && !*end && *out < UINT32_MAX;
}

static int find_user(const char *name, struct fffa_file_access *out, struct fffa_err *err)
{
	struct passwd p, *found = NULL;
	unsigned long id;
	char buf[4096];

	if (read_id(name, &id)) {
		out->uid = (uid_t)id;
		return 0;
	}
	if (getpwnam_r(name, &p, buf, sizeof(buf), &found) || !found)
		return fffa_fail(err, EINVAL, "owner: there is no user %s on this host", name);
	out->uid = found->pw_uid;
	return 0;
}

static int find_group(const char *name, struct fffa_file_access *out, struct fffa_err *err)
{
	struct group g, *found = NULL;
	unsigned long id;
	char buf[16384];

	if (read_id(name, &id)) {
		out->gid = (gid_t)id;
		return 0;
	}
	if (getgrnam_r(name, &g, buf, sizeof(buf), &found) || !found)
		return fffa_fail(err, EINVAL, "owner: there is no group %s on this host", name);
	out->gid = found->gr_gid;
	return 0;
}

static int read_owner(const char *text, struct fffa_file_access *out, struct fffa_err *err)
{
	const char *colon;
	char user[NAME_MAX_LEN];
	size_t n;

	out->uid = (uid_t)-1;
	out->gid = (gid_t)-1;
	if (!text || !*text)
		return 0;
	colon = strchr(text, ':');
	n = colon ? (size_t)(colon - text) : strlen(text);
	if (!n || n >= sizeof(user) || (colon && !colon[1]))
		return fffa_fail(err, EINVAL, "owner: %s: must be user or user:group", text);
	memcpy(user, text, n);
	user[n] = '\0';
	if (find_user(user, out, err))
		return -EINVAL;
	return colon ? find_group(colon + 1, out, err) : 0;
}

int fffa_file_access_read(const struct fffa_sink_file_conf *conf, struct fffa_file_access *out,
			  struct fffa_err *err)
{
	int rc = read_mode(conf->mode, &out->mode, err);

	return rc ? rc : read_owner(conf->owner, out, err);
}
