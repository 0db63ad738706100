// SPDX-License-Identifier: MIT
#include "config/check.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "agent/base/cidr.h"
#include "agent/base/percent.h"
#include "agent/filter/filter.h"
#include "config/address.h"
#include "config/ports.h"

#define PORTS_MAX	    4
#define DEVICE_BYTES_MAX    64 /* a glob may be longer than a device's name */
#define ENDPOINT_BYTES_MAX  255
#define SINK_NAME_MAX	    32
#define SPOOL_BATCHES_MIN   4
#define WARNING		    "warning: " /* before a line that is no problem */
#define TAG_KEY_BYTES_MAX   128
#define MAP_KEY_MAX	    300
#define HOST_NAME_MAX_BYTES 255 /* what struct fffa_ident_host has room for */

struct check {
	struct fffa_report *rep;
	const struct fffa_node *node; /* the section's map */
	const char *path;	      /* of the section */
};

static unsigned int line_of(const struct check *k, const char *key)
{
	const struct fffa_node *n = key ? fffa_tree_get(k->node, key) : NULL;

	return n ? n->line : 0;
}

/* The line of key, or of the key it stands against, or of the section. */
static unsigned int line_near(const struct check *k, const char *key, const char *against)
{
	unsigned int line = line_of(k, key);

	if (!line)
		line = line_of(k, against);
	if (!line && k->node)
		line = k->node->line;
	return line;
}

#define wrong(k, key, against, ...)                                                                \
	fffa_report_problem((k)->rep, line_near(k, key, against),                                  \
			    fffa_report_path_join((k)->path, key).text, __VA_ARGS__)

/* Printable ASCII without spaces and without the characters in but. */
static bool is_word(const char *text, const char *but)
{
	for (; *text; text++)
		if (*text <= ' ' || *text > '~' || strchr(but, *text))
			return false;
	return true;
}

static void check_devices(const struct check *k, const char *key, const struct fffa_strings *s)
{
	size_t i;

	for (i = 0; i < s->n; i++)
		if (strlen(s->v[i]) > DEVICE_BYTES_MAX || !is_word(s->v[i], "/"))
			wrong(k, key, NULL,
			      "\"%s\" cannot name a device; allowed: names and globs of at most "
			      "64 characters without spaces and \"/\"",
			      fffa_report_printable(s->v[i]).text);
}

static void check_ports(const struct check *k, const char *key, const struct fffa_ints *ports)
{
	if (ports->n > PORTS_MAX)
		wrong(k, key, NULL, "has %zu entries; allowed: at most %d", ports->n, PORTS_MAX);
}

static void check_same_ports(const struct check *k, const struct fffa_capture_conf *c)
{
	size_t i, j;

	for (i = 0; i < c->geneve_ports.n; i++)
		for (j = 0; j < c->vxlan_ports.n; j++)
			if (c->geneve_ports.v[i] == c->vxlan_ports.v[j])
				wrong(k, "capture.vxlan_ports", "capture.geneve_ports",
				      "%lld is also in capture.geneve_ports; allowed: a port for "
				      "one of them",
				      (long long)c->vxlan_ports.v[j]);
}

static void check_filter(const struct check *k, const char *key, const char *text)
{
	struct fffa_filter *f;
	struct fffa_err err = {""};
	int rc = text && *text ? fffa_filter_new(text, &f, &err) : 1;

	if (!rc)
		fffa_filter_free(f);
	else if (rc == -ENOMEM)
		(void)fffa_report_nomem(k->rep);
	else if (rc < 0)
		wrong(k, key, NULL, "%s; allowed: pcap-filter(7) about what a flow has", err.text);
}

static void check_decapsulate(const struct check *k, const struct fffa_strings *s)
{
	for (size_t i = 0; s->n > 1 && i < s->n; i++)
		if (!strcmp(s->v[i], FFFA_PORTS_AUTO))
			wrong(k, "capture.decapsulate", NULL,
			      "auto stands beside others; allowed: auto or a list of geneve and "
			      "vxlan");
}

static void check_capture(const struct check *k, const struct fffa_config *c)
{
	const struct fffa_capture_conf *p = &c->capture;

	check_devices(k, "capture.interfaces", &p->interfaces);
	check_devices(k, "capture.exclude", &p->exclude);
	check_ports(k, "capture.geneve_ports", &p->geneve_ports);
	check_ports(k, "capture.vxlan_ports", &p->vxlan_ports);
	check_same_ports(k, p);
	check_decapsulate(k, &p->decapsulate);
	check_filter(k, "capture.filter", p->filter);
	if (p->ring_size & (p->ring_size - 1))
		wrong(k, "capture.ring_size", NULL,
		      "%lld bytes is not a power of two; allowed: a power of two from 64KiB to "
		      "256MiB",
		      (long long)p->ring_size);
	if (p->drain_interval_ns > c->flows.active_timeout_ns)
		wrong(k, "capture.drain_interval", "flows.active_timeout",
		      "is above flows.active_timeout; allowed: at most that");
}

static void check_listen(const struct check *k, const char *listen)
{
	struct fffa_address address;
	struct fffa_err err;

	if (listen && *listen && fffa_address_parse(listen, &address, &err))
		wrong(k, "status.listen", NULL, "\"%s\" is no address; %s",
		      fffa_report_printable(listen).text, err.text);
}

static void check_endpoint(const struct check *k, const char *url)
{
	static const char scheme[] = "http://";
	size_t n = sizeof(scheme) - 1;

	if (url && strchr(url, '@'))
		wrong(k, "metadata.imds.endpoint", NULL,
		      "has a user or password, which the metadata service does not take and "
		      "which would be shown; allowed: http://HOST or http://HOST:PORT");
	else if (!url || strlen(url) > ENDPOINT_BYTES_MAX || strncmp(url, scheme, n) || !url[n] ||
		 url[n] == '/' || !is_word(url, "\"\\"))
		wrong(k, "metadata.imds.endpoint", NULL,
		      "\"%s\" is not an endpoint; allowed: http://HOST or http://HOST:PORT, at "
		      "most 255 characters",
		      fffa_report_printable(url ? url : "").text);
}

/* The room that struct fffa_ident and fffa_ident_host have (a unit test holds them together). */
static const struct {
	const char *key;
	size_t most;
	bool tag;
} static_lengths[] = {
	{"account_id", 15, false},
	{"instance_id", 31, false},
	{"vpc_id", 31, false},
	{"subnet_id", 31, false},
	{"interface_id", 31, false},
	{"region", 31, false},
	{"az", 39, false},
	{"az_id", 23, false},
	{"sublocation_type", 15, false},
	{"sublocation_id", 63, false},
	{"instance_tag", 767, true},
	{"instance_tag_2", 767, true},
	{"interface_tag", 767, true},
	{"interface_tag_2", 767, true},
	{"asg_tag", 767, true},
	{"asg_tag_2", 767, true},
};

#define STATIC_MOST_MAX 767

static void check_static_value(const struct check *k, const struct fffa_pair *p, size_t most,
			       bool tag)
{
	char encoded[STATIC_MOST_MAX + 1];
	size_t n = strlen(p->value);

	if (tag && (!n || fffa_percent_encode(encoded, most + 1, p->value, n) != 0))
		wrong(k, p->key, NULL,
		      "\"%s\" cannot be used; allowed: 1 to %zu bytes once percent-encoded",
		      fffa_report_printable(p->value).text, most);
	if (!tag && (!n || n > most || !is_word(p->value, "\"'\\")))
		wrong(k, p->key, NULL,
		      "\"%s\" cannot be used; allowed: 1 to %zu printable ASCII characters "
		      "without spaces, quotes and backslashes",
		      fffa_report_printable(p->value).text, most);
}

static void check_host_name(const struct check *k, const char *name)
{
	if (name && *name && (strlen(name) > HOST_NAME_MAX_BYTES || !is_word(name, "\"'\\")))
		wrong(k, "metadata.host_name", NULL,
		      "\"%s\" cannot be used; allowed: at most %d printable ASCII characters "
		      "without spaces, quotes and backslashes",
		      fffa_report_printable(name).text, HOST_NAME_MAX_BYTES);
}

static void check_static(const struct check *k, const struct fffa_pairs *m)
{
	struct check sub = *k;

	sub.path = "metadata.static";
	sub.node = fffa_tree_get(k->node, sub.path);
	for (size_t i = 0; i < m->n; i++)
		for (size_t j = 0; j < sizeof(static_lengths) / sizeof(static_lengths[0]); j++)
			if (!strcmp(static_lengths[j].key, m->v[i].key))
				check_static_value(&sub, &m->v[i], static_lengths[j].most,
						   static_lengths[j].tag);
}

/* Each word of text is an address, or a prefix where they are allowed. */
static bool are_addresses(const char *text, bool prefixes)
{
	struct fffa_cidr cidr;
	char word[64];

	for (; *text; text += *text == ' ') {
		size_t n = strcspn(text, " ");

		if (n >= sizeof(word))
			return false;
		memcpy(word, text, n);
		word[n] = '\0';
		if ((!prefixes && strchr(word, '/')) || fffa_cidr_parse(word, &cidr, NULL))
			return false;
		text += n;
	}
	return true;
}

static void check_interface(const struct check *k, const struct fffa_pair *p)
{
	const char *word = strrchr(p->key, '.') + 1;
	char key[MAP_KEY_MAX];
	struct check sub = *k;

	(void)snprintf(key, sizeof(key), "%.*s", (int)strcspn(p->key, "["), p->key);
	sub.path = "metadata.interfaces";
	sub.node = fffa_tree_get(k->node, sub.path);
	if (word - p->key > DEVICE_BYTES_MAX + 1 || !is_word(p->key, "/"))
		wrong(&sub, key, NULL,
		      "cannot name a device; allowed: names and globs of at most 64 characters "
		      "without spaces and \"/\"");
	if (!strchr(word, '[')) {
		size_t most = strcmp(word, "account_id") ? 31 : 15, n = strlen(p->value);

		if (!n || n > most || !is_word(p->value, "\"'\\"))
			wrong(&sub, key, NULL,
			      "\"%s\" cannot be used; allowed: 1 to %zu printable ASCII characters "
			      "without spaces, quotes and backslashes",
			      fffa_report_printable(p->value).text, most);
		return;
	}
	if (!are_addresses(p->value, strncmp(word, "addresses", 9)))
		wrong(&sub, key, NULL, "has \"%s\"; allowed: a list of %s",
		      fffa_report_printable(p->value).text,
		      strncmp(word, "addresses", 9) ? "prefixes such as 10.0.0.0/16"
						    : "IPv4 and IPv6 addresses");
}

/* What AWS allows of a key when tags are in the instance's metadata (EC2 User Guide, "Tag
 * restrictions"); it becomes part of a URL's path. */
static void check_tags(const struct check *k, const struct fffa_strings *keys)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789+-=.,_:@";

	for (size_t i = 0; i < keys->n; i++) {
		size_t n = strlen(keys->v[i]);

		if (!n || n > TAG_KEY_BYTES_MAX || strspn(keys->v[i], allowed) != n ||
		    !strcmp(keys->v[i], ".") || !strcmp(keys->v[i], "..") ||
		    !strcmp(keys->v[i], "_index"))
			wrong(k, "metadata.instance_tags", NULL,
			      "\"%s\" cannot be a key in instance metadata; allowed: 1 to %d of "
			      "a-z A-Z 0-9 + - = . , _ : @",
			      fffa_report_printable(keys->v[i]).text, TAG_KEY_BYTES_MAX);
	}
}

void fffa_check_config(const struct fffa_config *c, struct fffa_report *rep,
		       const struct fffa_node *root)
{
	struct check k = {.rep = rep, .node = root, .path = ""};

	check_capture(&k, c);
	check_endpoint(&k, c->metadata.imds.endpoint);
	check_tags(&k, &c->metadata.instance_tags);
	check_host_name(&k, c->metadata.host_name);
	check_static(&k, &c->metadata.fixed);
	for (size_t i = 0; i < c->metadata.interfaces.n; i++)
		check_interface(&k, &c->metadata.interfaces.v[i]);
	check_listen(&k, c->status.listen);
}

static bool is_sink_name(const char *name)
{
	size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-");

	return n && n <= SINK_NAME_MAX && !name[n];
}

static void check_name(const struct check *k, const struct fffa_config *c, size_t i)
{
	const char *name = c->sinks[i].common.name;
	size_t j;

	if (!name) {
		/* A name that could not be read was reported then. */
		if (!fffa_tree_get(k->node, "name"))
			wrong(k, "name", NULL, "is missing; allowed: 1 to 32 of a-z A-Z 0-9 _ -");
		return;
	}
	if (!is_sink_name(name))
		wrong(k, "name", NULL, "\"%s\" is not a name; allowed: 1 to 32 of a-z A-Z 0-9 _ -",
		      fffa_report_printable(name).text);
	for (j = 0; j < i; j++) {
		if (!c->sinks[j].common.name || strcmp(c->sinks[j].common.name, name))
			continue;
		wrong(k, "name", NULL,
		      "\"%s\" is already the name of sinks[%zu]; allowed: unique names",
		      fffa_report_printable(name).text, j);
		break;
	}
}

static void check_common(const struct check *k, const struct fffa_sink_common_conf *c,
			 const char *spool_dir)
{
	if (c->queue_memory < c->batch_bytes)
		wrong(k, "queue.memory", "batch.bytes",
		      "is below batch.bytes; allowed: at least that");
	if (c->queue_spool && c->queue_spool < SPOOL_BATCHES_MIN * c->batch_bytes)
		wrong(k, "queue.spool", "batch.bytes",
		      "is below %d times batch.bytes; allowed: 0, or at least that",
		      SPOOL_BATCHES_MIN);
	if (c->queue_spool && (!spool_dir || !spool_dir[0]))
		wrong(k, "queue.spool", NULL, "needs a spool_dir; allowed: 0 without");
	check_filter(k, "filter", c->filter);
	if (c->retry_min_ns > c->retry_max_ns)
		wrong(k, "retry.min", "retry.max", "is above retry.max; allowed: at most that");
}

/* Is there such a row in one of the two tables that a sink's keys are in? */
static bool key_of(const struct fffa_option *opts, const char *key)
{
	for (; opts && opts->key; opts++)
		if (!strcmp(opts->key, key))
			return true;
	return false;
}

/* A text of the form "KEY: ..." belongs to that key, any other to the sink or to fallback. */
static void report_one(const struct check *k, const struct fffa_option *opts, const char *fallback,
		       const char *text)
{
	const char *warning = strncmp(text, WARNING, strlen(WARNING)) ? "" : WARNING;
	const char *colon = strstr(text += strlen(warning), ": ");
	char key[64];
	size_t n = colon ? (size_t)(colon - text) : sizeof(key);

	if (n < sizeof(key)) {
		memcpy(key, text, n);
		key[n] = '\0';
		if (key_of(opts, key) || !strcmp(key, "format") || !strcmp(key, "fields") ||
		    !strcmp(key, "envelope")) {
			wrong(k, key, NULL, "%s%s", warning, colon + 2);
			k->rep->count -= *warning != '\0';
			return;
		}
	}
	if (fallback)
		wrong(k, fallback, NULL, "%s", text);
	else
		fffa_report_problem(k->rep, k->node ? k->node->line : 0, k->path, "%s", text);
}

/* Each line of the text is a problem of its own. */
static void report_err(const struct check *k, const struct fffa_option *opts, const char *fallback,
		       struct fffa_err *err)
{
	char *save = NULL, *line = strtok_r(err->text, "\n", &save);

	for (; line; line = strtok_r(NULL, "\n", &save))
		report_one(k, opts, fallback, line);
}

/* The host is asked only about a sink without another problem. */
static void probe_host(const struct check *k, const struct fffa_sink_conf *s,
		       const struct fffa_sink_schema *schema)
{
	struct fffa_err err = {""};

	if (schema->probe && schema->probe(s->own, &err))
		report_err(k, s->opts, NULL, &err);
}

static void check_own(const struct check *k, const struct fffa_sink_conf *s,
		      const struct fffa_sink_schema *schema)
{
	struct fffa_err err = {""};

	if (schema->check && schema->check(s->own, &err))
		report_err(k, s->opts, NULL, &err);
	err.text[0] = '\0';
	if (schema->check_format && schema->check_format(schema->ops, &s->common, s->own, &err))
		report_err(k, s->opts, "format", &err);
}

/*
 * Where path leads: through symbolic links, also when the file itself is not there yet. The caller
 * frees. NULL: it cannot be told.
 */
static char *resolve(const char *path)
{
	char *real = realpath(path, NULL), *copy, *slash, *dir;
	size_t n;

	if (real)
		return real;
	copy = strdup(path);
	slash = copy ? strrchr(copy, '/') : NULL;
	if (slash)
		*slash = '\0';
	dir = copy ? realpath(!slash ? "." : *copy ? copy : "/", NULL) : NULL;
	n = dir ? strlen(dir) + strlen(path) + 2 : 0;
	real = n ? malloc(n) : NULL;
	if (real)
		(void)snprintf(real, n, "%s/%s", dir, slash ? slash + 1 : path);
	free(dir);
	free(copy);
	return real;
}

static bool is_same_output(const char *a, const char *b)
{
	char *ra = resolve(a), *rb = resolve(b);
	bool same = ra && rb ? !strcmp(ra, rb) : !strcmp(a, b);
	struct stat sa, sb;

	if (!same && !stat(a, &sa) && !stat(b, &sb)) /* a hard link, or mounted twice */
		same = sa.st_dev == sb.st_dev && sa.st_ino == sb.st_ino;
	free(ra);
	free(rb);
	return same;
}

/* Two sinks that write to one file would cut and rotate each other's records. */
static void check_output(const struct check *k, const struct fffa_config *c, size_t i)
{
	const char *path = c->sinks[i].output;

	for (size_t j = 0; path && j < i; j++)
		if (c->sinks[j].output && is_same_output(path, c->sinks[j].output))
			wrong(k, "path", NULL,
			      "%s is also written by sinks[%zu]; allowed: a file for one sink",
			      fffa_report_printable(path).text, j);
}

void fffa_check_sink(struct fffa_config *c, size_t i, const struct fffa_sink_schema *schema,
		     struct fffa_report *rep, const struct fffa_node *node)
{
	struct fffa_path path = fffa_report_path_index("sinks", i);
	struct check k = {.rep = rep, .node = node, .path = path.text};
	unsigned int before = rep->count;

	check_name(&k, c, i);
	check_common(&k, &c->sinks[i].common, c->spool_dir);
	if (schema)
		check_own(&k, &c->sinks[i], schema);
	if (schema && schema->output && c->sinks[i].own)
		c->sinks[i].output = schema->output(c->sinks[i].own);
	check_output(&k, c, i);
	if (schema && c->sinks[i].own && rep->count == before)
		probe_host(&k, &c->sinks[i], schema);
}
