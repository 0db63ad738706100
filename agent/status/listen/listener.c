// SPDX-License-Identifier: MIT
#include "agent/status/listen/listener.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "config/address.h"

#define BACKLOG	  64
#define UNIX_MODE 0660

/* True when the path is a socket that no process listens at. */
static bool is_dead_socket(const struct fffa_address *a)
{
	const struct sockaddr_un *un = (const struct sockaddr_un *)&a->sa;
	struct stat st;
	bool dead;
	int fd;

	if (lstat(un->sun_path, &st) || !S_ISSOCK(st.st_mode))
		return false;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return false;
	dead = connect(fd, (const struct sockaddr *)un, a->len) && errno == ECONNREFUSED;
	(void)close(fd);
	return dead;
}

static int bind_unix(struct fffa_listener *l, const struct fffa_address *a)
{
	const struct sockaddr_un *un = (const struct sockaddr_un *)&a->sa;

	if (is_dead_socket(a))
		(void)unlink(un->sun_path);
	/* No client can connect before listen(2), so the mode is right in time. */
	if (bind(l->fd, (const struct sockaddr *)un, a->len))
		return -errno;
	memcpy(l->path, un->sun_path, sizeof(l->path));
	return chmod(un->sun_path, UNIX_MODE) ? -errno : 0;
}

static int bind_tcp(const struct fffa_listener *l, const struct fffa_address *a)
{
	int on = 1;

	(void)setsockopt(l->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	return bind(l->fd, (const struct sockaddr *)&a->sa, a->len) ? -errno : 0;
}

int fffa_listener_open(struct fffa_listener *l, const char *listen_at, struct fffa_err *err)
{
	struct fffa_address a;
	int rc;

	_Static_assert(sizeof(l->path) == sizeof(((struct sockaddr_un *)0)->sun_path),
		       "every path fits");
	*l = (struct fffa_listener){.fd = -1};
	rc = fffa_address_parse(listen_at, &a, err);
	if (rc)
		return rc;
	l->fd = socket(a.sa.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (l->fd < 0)
		rc = -errno;
	if (!rc)
		rc = a.sa.ss_family == AF_UNIX ? bind_unix(l, &a) : bind_tcp(l, &a);
	if (!rc && listen(l->fd, BACKLOG))
		rc = -errno;
	if (!rc)
		return 0;
	fffa_listener_close(l);
	return fffa_fail(err, -rc, "status.listen: cannot listen at %s: %s%s", listen_at,
			 strerror(-rc),
			 rc == -EADDRINUSE ? "; another agent may run: choose another address, or "
					     "\"\" for none"
					   : "");
}

void fffa_listener_close(struct fffa_listener *l)
{
	if (l->fd >= 0)
		(void)close(l->fd);
	if (l->path[0])
		(void)unlink(l->path);
	*l = (struct fffa_listener){.fd = -1};
}
