// SPDX-License-Identifier: MIT
#include "tests/unit/capture/live_fixture.h"

#include <errno.h>
#include <net/if_arp.h>
#include <stdio.h>
#include <string.h>

#include "agent/base/log.h"
#include "agent/capture/devices/dev_counters.h"
#include "tests/stubs/cmocka_all.h"

struct live_fixture live_fixture;

static const char *const programs[] = {"tc_in", "tc_out", "xdp",    "tc_in2", "tc_out2",
				       "ip_in", "ip_out", "ip_in2", "ip_out2"};

int __wrap_fffa_attach_tc(const struct fffa_kernel *k, enum fffa_program program, uint32_t ifindex,
			  const char *ifname, bool allow_tcx, struct fffa_attachment *out,
			  struct fffa_err *err);
int __wrap_fffa_attach_xdp(const struct fffa_kernel *k, uint32_t ifindex, const char *ifname,
			   struct fffa_attachment *out, struct fffa_err *err);
void __wrap_fffa_attach_undo(struct fffa_attachment *a, size_t n);
int __wrap_fffa_links_read(struct fffa_links *out, bool routes);
char *__wrap_fffa_dev_counters_read(void);
void __wrap_fffa_hook_facts_read(uint32_t ifindex, const char *ifname, struct fffa_hook_facts *out);
void __wrap_fffa_log(enum fffa_log_level level, const char *tag, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static const char *name_of(uint32_t ifindex)
{
	const struct fffa_link *l = live_fixture_link(ifindex);

	return l ? l->name : "gone";
}

__attribute__((format(printf, 1, 2))) static void note(const char *fmt, ...)
{
	size_t len = strlen(live_fixture.journal);
	va_list ap;

	va_start(ap, fmt);
	assert_true((size_t)vsnprintf(live_fixture.journal + len,
				      sizeof(live_fixture.journal) - len, fmt,
				      ap) < sizeof(live_fixture.journal) - len);
	va_end(ap);
}

static int attach(enum fffa_program program, uint32_t ifindex, const char *ifname,
		  enum fffa_attach_how how, struct fffa_attachment *out, struct fffa_err *err)
{
	bool egress = fffa_kernel_program_is_egress(program);

	assert_string_equal(ifname, name_of(ifindex));
	assert_int_equal(out->how, FFFA_ATTACH_NONE); /* nothing is attached twice */
	if (live_fixture.refused &&
	    (!live_fixture.refused_ifindex || live_fixture.refused_ifindex == ifindex) &&
	    live_fixture.refused_egress == egress)
		return fffa_fail(err, live_fixture.refused, "%s: refused (%d)", ifname,
				 live_fixture.refused);
	note("+%s %s ", programs[program], ifname);
	*out = (struct fffa_attachment){
		.how = how, .program = program, .ifindex = ifindex, .prog_id = 1000 + program};
	out->clsact.made_qdisc = how == FFFA_ATTACH_CLSACT && live_fixture.makes_qdisc;
	live_fixture.makes_qdisc = false;
	return 0;
}

int __wrap_fffa_attach_tc(const struct fffa_kernel *k, enum fffa_program program, uint32_t ifindex,
			  const char *ifname, bool allow_tcx, struct fffa_attachment *out,
			  struct fffa_err *err)
{
	(void)k;
	assert_true(allow_tcx);
	return attach(program, ifindex, ifname,
		      live_fixture.no_tcx ? FFFA_ATTACH_CLSACT : FFFA_ATTACH_TCX, out, err);
}

int __wrap_fffa_attach_xdp(const struct fffa_kernel *k, uint32_t ifindex, const char *ifname,
			   struct fffa_attachment *out, struct fffa_err *err)
{
	(void)k;
	return attach(FFFA_PROGRAM_XDP_IN, ifindex, ifname, FFFA_ATTACH_XDP, out, err);
}

void __wrap_fffa_attach_undo(struct fffa_attachment *a, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (a[i].how == FFFA_ATTACH_NONE)
			continue;
		note("-%s %s%s ", programs[a[i].program], name_of(a[i].ifindex),
		     a[i].clsact.made_qdisc ? " with its qdisc" : "");
		a[i].how = FFFA_ATTACH_NONE;
	}
}

int __wrap_fffa_links_read(struct fffa_links *out, bool routes)
{
	live_fixture.routes_asked = routes;
	if (live_fixture.read_error)
		return -live_fixture.read_error;
	out->n = live_fixture.n;
	out->v = malloc(sizeof(live_fixture.links));
	assert_non_null(out->v);
	memcpy(out->v, live_fixture.links, sizeof(live_fixture.links));
	return 0;
}

char *__wrap_fffa_dev_counters_read(void)
{
	return live_fixture.counters ? strdup(live_fixture.counters) : NULL;
}

void __wrap_fffa_hook_facts_read(uint32_t ifindex, const char *ifname, struct fffa_hook_facts *out)
{
	assert_string_equal(ifname, name_of(ifindex));
	*out = live_fixture.facts;
}

void __wrap_fffa_log(enum fffa_log_level level, const char *tag, const char *fmt, ...)
{
	size_t len = strlen(live_fixture.log), cap = sizeof(live_fixture.log);
	va_list ap;

	assert_string_equal(tag, "capture");
	len += (size_t)snprintf(live_fixture.log + len, cap - len, "%c ", "EWID"[level]);
	va_start(ap, fmt);
	len += (size_t)vsnprintf(live_fixture.log + len, cap - len, fmt, ap);
	va_end(ap);
	assert_true(len + 2 <= cap);
	memcpy(live_fixture.log + len, "\n", 2);
}

void live_fixture_reset(void)
{
	memset(&live_fixture, 0, sizeof(live_fixture));
}

struct fffa_link *live_fixture_add(uint32_t ifindex, const char *name)
{
	struct fffa_link *l = &live_fixture.links[live_fixture.n++];

	assert_true(live_fixture.n <= LIVE_LINKS_MAX);
	memset(l, 0, sizeof(*l));
	l->ifindex = ifindex;
	l->type = ARPHRD_ETHER;
	(void)snprintf(l->name, sizeof(l->name), "%s", name);
	return l;
}

struct fffa_link *live_fixture_link(uint32_t ifindex)
{
	for (size_t i = 0; i < live_fixture.n; i++) {
		if (live_fixture.links[i].ifindex == ifindex)
			return &live_fixture.links[i];
	}
	return NULL;
}

void live_fixture_remove(uint32_t ifindex)
{
	struct fffa_link *l = live_fixture_link(ifindex);
	size_t i;

	assert_non_null(l);
	i = (size_t)(l - live_fixture.links);
	live_fixture.n--;
	memmove(l, l + 1, (live_fixture.n - i) * sizeof(*l));
}

void live_fixture_expect_journal(const char *want)
{
	assert_string_equal(live_fixture.journal, want);
	live_fixture.journal[0] = '\0';
}

void live_fixture_expect_log(const char *want)
{
	assert_string_equal(live_fixture.log, want);
	live_fixture.log[0] = '\0';
}

static struct fffa_amount counted(void *arg, const char *name, int dir)
{
	const struct live_devices *f = arg;

	assert_ptr_equal(f->d.counted_arg, f);
	return (struct fffa_amount){strlen(name) * 10 + (uint64_t)dir, 77};
}

int live_fixture_setup(void **state)
{
	struct live_devices *f = test_calloc(1, sizeof(*f));

	f->conf.hook = FFFA_HOOK_AUTO;
	f->conf.direction = FFFA_DIR_BOTH;
	f->d.counted = counted;
	f->d.counted_arg = f;
	live_fixture_reset();
	live_fixture_add(2, "eth0")->default_route = true;
	(void)live_fixture_add(3, "eth1");
	*state = f;
	return 0;
}

int live_fixture_teardown(void **state)
{
	test_free(*state);
	return 0;
}

void live_fixture_configure(struct live_devices *f, const char *interfaces, const char *exclude)
{
	(void)snprintf(f->names, sizeof(f->names), "%s", interfaces);
	(void)snprintf(f->excluded, sizeof(f->excluded), "%s", exclude);
	f->conf.interfaces = split_names(f->names, f->names_v);
	f->conf.exclude = split_names(f->excluded, f->excluded_v);
}

int live_fixture_try_start(struct live_devices *f, const char *interfaces)
{
	struct fffa_netdevs chosen;
	struct fffa_links l = {.v = live_fixture.links, .n = live_fixture.n};

	live_fixture_configure(f, interfaces, "");
	fffa_devices_choose(&f->conf, &l, NULL, &chosen);
	return fffa_live_devices_start(&f->d, NULL, &f->conf, &chosen, &f->err);
}

void live_fixture_start(struct live_devices *f, const char *interfaces)
{
	assert_int_equal(live_fixture_try_start(f, interfaces), 0);
	live_fixture.journal[0] = live_fixture.log[0] = '\0';
}

void live_fixture_follow(struct live_devices *f, bool news, const char *journal, const char *log)
{
	assert_int_equal(fffa_live_devices_follow(&f->d), news);
	live_fixture_expect_journal(journal);
	live_fixture_expect_log(log);
}

void live_fixture_expect_list(const struct live_devices *f, const char *want)
{
	struct fffa_netdev v[FFFA_LIVE_DEVICES_LIST_MAX];
	size_t n = fffa_live_devices_list(&f->d, v);
	char got[512] = "";

	for (size_t i = 0; i < n; i++) {
		size_t len = strlen(got);

		(void)snprintf(got + len, sizeof(got) - len, "%s%s", i == f->d.n ? "; " : "",
			       v[i].name);
		if (i + 1 < n && i + 1 != f->d.n)
			(void)strcat(got, " ");
	}
	assert_string_equal(got, want);
}
