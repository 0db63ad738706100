// SPDX-License-Identifier: MIT
#include "agent/capture/devices/preflight.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/*
 * The largest MTU that EC2's ENA driver takes with a program that does not support fragments. From
 * its own release 2.17 on, transmit queues are shared and every channel can stay.
 */
#define ENA_MTU		3498
#define ENA_MTU_SHARED	3502
#define ENA_SHARED_FROM ((2 << 8) | 17)

__attribute__((format(printf, 3, 4))) static void refuse(struct fffa_hook_choice *c, int error,
							 const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(c->why, sizeof(c->why), fmt, ap);
	va_end(ap);
	c->error = -error;
}

static void another_program(const char *dev, const struct fffa_hook_facts *f,
			    struct fffa_hook_choice *c)
{
	if (f->xdp_prog_id)
		refuse(c, EBUSY,
		       "another XDP program (id %u) is on it: end what holds it, or take it off "
		       "(`ip link set %s xdp off`), or set capture.hook: tc",
		       f->xdp_prog_id, dev);
}

/*
 * Major and minor of a release of the driver's own source ("2.13.0g"); 0 for the one that comes
 * with the kernel, whose version is that of the kernel.
 */
static unsigned int ena_release(const char *version)
{
	unsigned int major, minor, patch;
	char letter;

	if (sscanf(version, "%3u.%3u.%3u%c", &major, &minor, &patch, &letter) != 4 || letter != 'g')
		return 0;
	return major << 8 | minor;
}

static bool is_ena(const struct fffa_hook_facts *f)
{
	return !strcmp(f->driver, "ena");
}

static void no_native_xdp(const char *dev, const struct fffa_hook_facts *f,
			  struct fffa_hook_choice *c)
{
	(void)dev;
	/* AWS's own release of the driver supports XDP but does not report it to the kernel. */
	if (f->native == FFFA_NATIVE_NO && !is_ena(f))
		refuse(c, EOPNOTSUPP, "its driver (%s) has no native XDP: set capture.hook: tc",
		       f->driver[0] ? f->driver : "unknown");
}

static void ena_mtu(const char *dev, const struct fffa_hook_facts *f, struct fffa_hook_choice *c)
{
	bool shared = ena_release(f->version) >= ENA_SHARED_FROM;
	uint32_t most = shared ? ENA_MTU_SHARED : ENA_MTU;

	if (is_ena(f) && f->mtu_bytes > most)
		refuse(c, EINVAL,
		       "its MTU is %u and XDP on ENA takes at most %u: `ip link set %s mtu %u`, or "
		       "set capture.hook: tc, which works at any MTU",
		       f->mtu_bytes, most, dev, most);
}

static void ena_channels(const char *dev, const struct fffa_hook_facts *f,
			 struct fffa_hook_choice *c)
{
	uint32_t half = f->channels_max / 2;

	if (!is_ena(f) || !f->channels_max || ena_release(f->version) >= ENA_SHARED_FROM ||
	    f->channels <= half)
		return;
	if (half)
		refuse(c, EINVAL,
		       "XDP on ENA needs half of its %u channels for sending and %u are in use: "
		       "`ethtool -L %s combined %u`, or set capture.hook: tc",
		       f->channels_max, f->channels, dev, half);
	else
		refuse(c, EINVAL,
		       "XDP on ENA needs a second channel for sending and this one has only one: "
		       "set capture.hook: tc");
}

/* The rules in this order. The first that decides wins. */
static void (*const xdp_rules[])(const char *dev, const struct fffa_hook_facts *f,
				 struct fffa_hook_choice *c) = {
	another_program,
	no_native_xdp,
	ena_mtu,
	ena_channels,
};

static void say(struct fffa_hook_choice *c, const char *text)
{
	(void)snprintf(c->why, sizeof(c->why), "%s", text);
}

void fffa_preflight_choose(enum fffa_hook hook, const char *ifname, const struct fffa_hook_facts *f,
			   struct fffa_hook_choice *out)
{
	memset(out, 0, sizeof(*out));
	if (hook == FFFA_HOOK_AUTO) {
		say(out, "auto: TC works at any MTU, sees both directions and needs no restart of "
			 "the link");
		return;
	}
	if (hook == FFFA_HOOK_TC) {
		say(out, "configured: tc");
		return;
	}
	for (size_t i = 0; !out->error && i < sizeof(xdp_rules) / sizeof(xdp_rules[0]); i++)
		xdp_rules[i](ifname, f, out);
	if (out->error)
		return;
	out->xdp = true;
	out->bounces_link = is_ena(f);
	(void)snprintf(out->why, sizeof(out->why), "configured: xdp; driver %s",
		       f->driver[0] ? f->driver : "unknown");
}
