// SPDX-License-Identifier: MIT
#include "agent/enrich/fixed_ifaces.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "agent/enrich/input/ident_text.h"

static struct fffa_fixed_iface *find_or_add(struct fffa_fixed_ifaces *f, const char *name, size_t n)
{
	struct fffa_fixed_iface *i;

	for (size_t k = 0; k < f->n; k++)
		if (strlen(f->v[k].device) == n && !memcmp(f->v[k].device, name, n))
			return &f->v[k];
	i = &f->v[f->n++];
	memcpy(i->device, name, n);
	return i;
}

/* Adds one address or prefix to the list of its family. False: there is no room. */
static bool add_cidr(const struct fffa_cidr *c, struct fffa_imds_list *v4,
		     struct fffa_imds_list *v6)
{
	struct fffa_imds_list *l = fffa_addr_is_ipv4(c->addr) ? v4 : v6;

	if (l->n == FFFA_IMDS_LIST_MAX)
		return false;
	l->v[l->n++] = *c;
	return true;
}

static int read_list(const char *text, struct fffa_imds_list *v4, struct fffa_imds_list *v6)
{
	struct fffa_cidr c;
	char word[64];

	for (; *text; text += *text == ' ') {
		size_t n = strcspn(text, " ");

		if (n >= sizeof(word))
			return -EINVAL;
		memcpy(word, text, n);
		word[n] = '\0';
		if (fffa_cidr_parse(word, &c, NULL) || !add_cidr(&c, v4, v6))
			return -EINVAL;
		text += n;
	}
	return 0;
}

static int read_text(const char *value, char *dst, size_t cap)
{
	return fffa_ident_text_set(dst, cap, value, strlen(value)) ? -EINVAL : 0;
}

static int read_pair(const char *word, const char *value, struct fffa_imds_iface *i)
{
	if (!strcmp(word, "interface_id"))
		return read_text(value, i->interface_id, sizeof(i->interface_id));
	if (!strcmp(word, "subnet_id"))
		return read_text(value, i->subnet_id, sizeof(i->subnet_id));
	if (!strcmp(word, "vpc_id"))
		return read_text(value, i->vpc_id, sizeof(i->vpc_id));
	if (!strcmp(word, "account_id"))
		return read_text(value, i->owner_id, sizeof(i->owner_id));
	if (!strcmp(word, "addresses[]"))
		return read_list(value, &i->ipv4s, &i->ipv6s);
	if (!strcmp(word, "subnet_cidrs[]"))
		return read_list(value, &i->subnet_ipv4, &i->subnet_ipv6);
	return read_list(value, &i->vpc_ipv4, &i->vpc_ipv6);
}

int fffa_fixed_ifaces_read(const struct fffa_pairs *pairs, struct fffa_fixed_ifaces *out,
			   struct fffa_err *err)
{
	*out = (struct fffa_fixed_ifaces){NULL, 0};
	if (!pairs->n)
		return 0;
	out->v = calloc(pairs->n, sizeof(*out->v));
	if (!out->v)
		return fffa_fail(err, ENOMEM, "metadata: no memory");
	for (size_t i = 0; i < pairs->n; i++) {
		const char *key = pairs->v[i].key, *dot = strrchr(key, '.');
		size_t n = dot ? (size_t)(dot - key) : 0;
		struct fffa_fixed_iface *f;

		if (!n || n >= sizeof(f->device)) /* the configuration has said so */
			return fffa_fail(err, EINVAL, "metadata.interfaces.%s: no device", key);
		f = find_or_add(out, key, n);
		if (read_pair(dot + 1, pairs->v[i].value, &f->facts))
			return fffa_fail(
				err, EINVAL,
				"metadata.interfaces.%.*s: cannot be used, or is a list of "
				"more than %d of a family",
				(int)strcspn(key, "["), key, FFFA_IMDS_LIST_MAX);
	}
	return 0;
}

void fffa_fixed_ifaces_fini(struct fffa_fixed_ifaces *f)
{
	free(f->v);
	*f = (struct fffa_fixed_ifaces){NULL, 0};
}

const struct fffa_fixed_iface *fffa_fixed_ifaces_find(const struct fffa_fixed_ifaces *f,
						      const char *device)
{
	for (size_t i = 0; i < f->n; i++)
		if (!strcmp(f->v[i].device, device))
			return &f->v[i];
	for (size_t i = 0; i < f->n; i++)
		if (!fnmatch(f->v[i].device, device, 0))
			return &f->v[i];
	return NULL;
}

static bool list_has(const struct fffa_imds_list *l, const uint8_t addr[16])
{
	for (size_t i = 0; i < l->n; i++)
		if (fffa_cidr_has(&l->v[i], addr))
			return true;
	return false;
}

int fffa_fixed_ifaces_of_address(const struct fffa_fixed_ifaces *f, const uint8_t addr[16])
{
	int other = f->n == 1 ? 0 : -1;

	for (size_t i = 0; i < f->n; i++)
		if (list_has(&f->v[i].facts.ipv4s, addr) || list_has(&f->v[i].facts.ipv6s, addr))
			return (int)i;
	for (size_t i = 0; i < f->n; i++) {
		if (list_has(&f->v[i].facts.subnet_ipv4, addr) ||
		    list_has(&f->v[i].facts.subnet_ipv6, addr))
			return (int)i;
		if (!strcmp(f->v[i].device, "*"))
			other = (int)i;
	}
	return other;
}

static void overlay_text(char *to, size_t cap, const char *from)
{
	if (*from)
		memcpy(to, from, cap);
}

#define OVERLAY_TEXT(to, from) overlay_text((to), sizeof(to), (from))

/* Both families of what the entry lists. */
static void overlay_lists(struct fffa_imds_list *to4, struct fffa_imds_list *to6,
			  const struct fffa_imds_list *from4, const struct fffa_imds_list *from6)
{
	if (!from4->n && !from6->n)
		return;
	*to4 = *from4;
	*to6 = *from6;
}

void fffa_fixed_ifaces_overlay(const struct fffa_fixed_iface *f, struct fffa_imds_iface *to)
{
	const struct fffa_imds_iface *from = &f->facts;

	OVERLAY_TEXT(to->interface_id, from->interface_id);
	OVERLAY_TEXT(to->subnet_id, from->subnet_id);
	OVERLAY_TEXT(to->vpc_id, from->vpc_id);
	OVERLAY_TEXT(to->owner_id, from->owner_id);
	overlay_lists(&to->ipv4s, &to->ipv6s, &from->ipv4s, &from->ipv6s);
	overlay_lists(&to->subnet_ipv4, &to->subnet_ipv6, &from->subnet_ipv4, &from->subnet_ipv6);
	overlay_lists(&to->vpc_ipv4, &to->vpc_ipv6, &from->vpc_ipv4, &from->vpc_ipv6);
}
