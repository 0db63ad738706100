// SPDX-License-Identifier: MIT
#include "agent/enrich/host_name.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "agent/base/log.h"
#include "agent/enrich/input/ident_text.h"

#define TAG   "metadata"
#define WATCH "/proc/sys/kernel/hostname"
#define UNSET "(none)" /* the kernel's name before anybody sets one */

/* The name is also read again after the first turns of the loop, and then now and then. */
#define FIRST_MS  1000
#define REPEAT_MS 10000

struct fffa_host_name {
	uv_poll_t poll;
	uv_timer_t timer;
	int fd; /* -1: not watched */
	char text[FFFA_IDENT_HOST_NAME_BYTES];
	void (*changed)(void *arg);
	void *arg;
	void (*closed)(void *arg);
	void *closed_arg;
};

int fffa_host_name_read(const char *given, char dst[FFFA_IDENT_HOST_NAME_BYTES],
			struct fffa_err *err)
{
	const char *text = given ? given : "";

	if (fffa_ident_text_set(dst, FFFA_IDENT_HOST_NAME_BYTES, text, strlen(text)) != 0)
		return fffa_fail(err, EINVAL,
				 "metadata.host_name: must be at most %d printable ASCII "
				 "characters without space, quotes and backslash",
				 FFFA_IDENT_HOST_NAME_BYTES - 1);
	return 0;
}

static void read_kernel_name(char dst[FFFA_IDENT_HOST_NAME_BYTES])
{
	struct utsname uts;

	dst[0] = '\0';
	if (uname(&uts) != 0 || strcmp(uts.nodename, UNSET) == 0)
		return;
	(void)fffa_ident_text_set(dst, FFFA_IDENT_HOST_NAME_BYTES, uts.nodename,
				  strlen(uts.nodename)); /* empty when it cannot be used */
}

static void log_name(const struct fffa_host_name *h, bool changed)
{
	if (h->text[0] && changed)
		fffa_info(TAG, "the host's name changed: host_name=%s", h->text);
	else if (!h->text[0])
		fffa_warn(TAG, "the kernel's host name is not set, or records may not have its "
			       "characters: records have no host_name; set metadata.host_name");
}

static void follow_kernel(struct fffa_host_name *h)
{
	char now[FFFA_IDENT_HOST_NAME_BYTES];

	read_kernel_name(now);
	if (strcmp(now, h->text) == 0)
		return;
	memcpy(h->text, now, sizeof(h->text));
	log_name(h, true);
	h->changed(h->arg);
}

static void on_change(uv_poll_t *poll, int status, int events)
{
	(void)status;
	(void)events;
	follow_kernel(poll->data);
}

static void on_timer(uv_timer_t *timer)
{
	follow_kernel(timer->data);
}

/*
 * The kernel reports a change as an error and as priority data, once
 * (proc_sys_poll): one between the open and the first turn of the loop is not reported.
 */
static void start_watch(struct fffa_host_name *h, uv_loop_t *loop)
{
	h->fd = open(WATCH, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (h->fd >= 0 && uv_poll_init(loop, &h->poll, h->fd) != 0) {
		(void)close(h->fd);
		h->fd = -1;
	}
	if (h->fd < 0) {
		fffa_debug(TAG, "%s cannot be watched: the host's name is read every 10 s", WATCH);
		return;
	}
	h->poll.data = h;
	(void)uv_poll_start(&h->poll, UV_PRIORITIZED, on_change); /* fails only when closing */
	uv_unref((uv_handle_t *)&h->poll);
}

int fffa_host_name_open(uv_loop_t *loop, void (*changed)(void *arg), void *arg,
			struct fffa_host_name **out)
{
	struct fffa_host_name *h = calloc(1, sizeof(*h));

	if (!h)
		return -ENOMEM;
	h->changed = changed;
	h->arg = arg;
	(void)uv_timer_init(loop, &h->timer); /* always 0 */
	h->timer.data = h;
	(void)uv_timer_start(&h->timer, on_timer, FIRST_MS, REPEAT_MS); /* has a callback */
	uv_unref((uv_handle_t *)&h->timer);
	start_watch(h, loop);
	read_kernel_name(h->text);
	log_name(h, false);
	*out = h;
	return 0;
}

const char *fffa_host_name_text(const struct fffa_host_name *h)
{
	return h->text;
}

static void on_timer_closed(uv_handle_t *handle)
{
	struct fffa_host_name *h = handle->data;

	if (h->fd >= 0)
		(void)close(h->fd); /* nothing was written */
	h->closed(h->closed_arg);
	free(h);
}

static void on_poll_closed(uv_handle_t *handle)
{
	struct fffa_host_name *h = handle->data;

	uv_close((uv_handle_t *)&h->timer, on_timer_closed);
}

void fffa_host_name_close(struct fffa_host_name *h, void (*closed)(void *arg), void *arg)
{
	h->closed = closed;
	h->closed_arg = arg;
	if (h->fd >= 0)
		uv_close((uv_handle_t *)&h->poll, on_poll_closed);
	else
		uv_close((uv_handle_t *)&h->timer, on_timer_closed);
}
