// SPDX-License-Identifier: MIT
#include "agent/service/user.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/service/privileges.h"

#define UMASK 027 /* records are for the user and its group */

/* The number that text is; false: it is a name. */
static bool parse_number(const char *text, uid_t *out)
{
	unsigned long long n;
	char *end;

	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	n = strtoull(text, &end, 10);
	if (errno || *end || n >= (uid_t)-1)
		return false;
	*out = (uid_t)n;
	return true;
}

int fffa_user_find(const char *text, struct fffa_user *out, struct fffa_err *err)
{
	uid_t uid = 0;
	bool number = parse_number(text, &uid);
	const struct passwd *p = number ? getpwuid(uid) : getpwnam(text);

	if (!p && !number)
		return fffa_fail(err, ENOENT, "this host has no user \"%s\"", text);
	*out = p ? (struct fffa_user){p->pw_uid, p->pw_gid} : (struct fffa_user){uid, uid};
	return 0;
}

bool fffa_user_is(const struct fffa_user *user)
{
	return getuid() == user->uid && geteuid() == user->uid;
}

/* Before Linux 5.11 the kernel's tables count against it, and only root may raise it. */
static void raise_memlock(void)
{
	(void)setrlimit(RLIMIT_MEMLOCK, &(struct rlimit){RLIM_INFINITY, RLIM_INFINITY});
}

static int change_ids(const struct fffa_user *u, struct fffa_err *err)
{
	if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) || setgroups(0, NULL) ||
	    setresgid(u->gid, u->gid, u->gid) || setresuid(u->uid, u->uid, u->uid))
		return fffa_fail(err, errno, "cannot become user %u: %s", (unsigned int)u->uid,
				 strerror(errno));
	return 0;
}

int fffa_user_become(const struct fffa_user *user, struct fffa_err *err)
{
	bool uid = fffa_privileges_has(CAP_SETUID), gid = fffa_privileges_has(CAP_SETGID);
	int rc;

	if (!uid || !gid)
		return fffa_fail(err, EPERM,
				 "lacking %s%s%s to become user %u: start as root, or as that user "
				 "with CAP_BPF, CAP_PERFMON and CAP_NET_ADMIN",
				 uid ? "" : "CAP_SETUID", !uid && !gid ? " and " : "",
				 gid ? "" : "CAP_SETGID", (unsigned int)user->uid);
	raise_memlock();
	(void)umask(umask(0) | UMASK);
	rc = change_ids(user, err);
	if (rc)
		return rc;
	fffa_privileges_raise(); /* they are only permitted now; the bounding set needs one */
	return fffa_privileges_restrict(FFFA_PRIVILEGES_LOAD, err);
}
