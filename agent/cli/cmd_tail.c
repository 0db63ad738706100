// SPDX-License-Identifier: MIT
/* fffa tail */
#include <errno.h>
#include <fnmatch.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <jansson.h>

#include "agent/base/buf.h"
#include "agent/base/percent.h"
#include "agent/base/utf8.h"
#include "agent/cli/commands.h"
#include "agent/cli/http_get.h"
#include "agent/encode/field/field_list.h"
#include "agent/filter/filter.h"
#include "agent/ports/ports.h"

#define GLOBS_MAX      16
#define FIELD_BYTES    64
#define LINE_BYTES_MAX (64 * 1024)
#define EXPR_BYTES     (FFFA_FILTER_BYTES_MAX + 2)

struct glob {
	char field[FIELD_BYTES];
	const char *pattern;
};

struct tail {
	const char *config;
	bool json;
	bool numeric; /* ports as numbers, not as names of services */
	struct glob globs[GLOBS_MAX];
	size_t glob_count;
	struct fffa_buf line; /* what came of it */
	bool broken;	      /* standard output takes no more */
};

static enum fffa_exit take_output(const struct fffa_command *self, const char *text, void *arg)
{
	struct tail *t = arg;

	if (strcmp(text, "text") && strcmp(text, "json"))
		return fffa_cli_usage(self, "--output %s: must be text or json", text);
	t->json = !strcmp(text, "json");
	return FFFA_EXIT_OK;
}

/* Reads the name of a field that records have here: AWS's with "-", or that of json. */
static int read_field(const char *name, size_t n, char dst[FIELD_BYTES], struct fffa_err *err)
{
	struct fffa_field_list list;

	if (n >= FIELD_BYTES || strcspn(name, " ,") < n)
		return fffa_fail(err, EINVAL, "no field has such a name");
	for (size_t i = 0; i < n; i++)
		dst[i] = name[i] == '-' ? '_' : name[i];
	dst[n] = '\0';
	if (!strcmp(dst, "all") || !strcmp(dst, "community_id"))
		return fffa_fail(err, EINVAL, "records have no such field here");
	return fffa_field_list_parse(FFFA_FORMAT_JSON, dst, &list, err);
}

static enum fffa_exit take_glob(const struct fffa_command *self, const char *text, void *arg)
{
	struct tail *t = arg;
	struct glob *g = &t->globs[t->glob_count];
	const char *pattern = strchr(text, '=');
	struct fffa_err err = {""};

	if (t->glob_count == GLOBS_MAX)
		return fffa_cli_usage(self, "more than %d --field", GLOBS_MAX);
	if (!pattern || pattern == text || !pattern[1])
		return fffa_cli_usage(self, "--field %.64s: must be FIELD=GLOB", text);
	if (read_field(text, (size_t)(pattern - text), g->field, &err))
		return fffa_cli_usage(self, "--field %.64s: %s", text, err.text);
	g->pattern = pattern + 1;
	t->glob_count++;
	return FFFA_EXIT_OK;
}

/* Records. */

static int64_t get_number(const json_t *o, const char *key)
{
	return json_integer_value(json_object_get(o, key));
}

static const char *get_text(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s ? s : "";
}

static bool is_like(const json_t *o, const struct glob *g)
{
	const json_t *v = json_object_get(o, g->field);
	char number[32];

	if (json_is_string(v))
		return !fnmatch(g->pattern, json_string_value(v), 0);
	if (json_is_boolean(v))
		return !fnmatch(g->pattern, json_is_true(v) ? "true" : "false", 0);
	if (!json_is_integer(v))
		return false;
	(void)snprintf(number, sizeof(number), "%" JSON_INTEGER_FORMAT, json_integer_value(v));
	return !fnmatch(g->pattern, number, 0);
}

/* Loss is shown whatever the fields are: it may be of such a record. */
static bool is_wanted(const struct tail *t, const json_t *o)
{
	if (!strcmp(get_text(o, "log_status"), "SKIPDATA"))
		return true;
	for (size_t i = 0; i < t->glob_count; i++) {
		if (!is_like(o, &t->globs[i]))
			return false;
	}
	return true;
}

static void put_time(const json_t *o)
{
	int64_t ms = get_number(o, "end_ms");
	time_t s = (time_t)(ms / 1000);
	char text[16];
	struct tm tm;

	if (!ms || !gmtime_r(&s, &tm)) {
		(void)printf("%-12s", "-");
		return;
	}
	(void)strftime(text, sizeof(text), "%H:%M:%S", &tm);
	(void)printf("%s.%03d", text, (int)(ms % 1000));
}

static const char *format_protocol(const json_t *o, char dst[16])
{
	static const struct {
		int64_t number;
		const char *name;
	} names[] = {{1, "icmp"}, {6, "tcp"}, {17, "udp"}, {58, "icmp6"}, {132, "sctp"}};
	int64_t n = get_number(o, "protocol");

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (names[i].number == n)
			return names[i].name;
	}
	(void)snprintf(dst, 16, "%" PRId64, n);
	return dst;
}

/* A letter for each flag, as tcpdump has them. */
static const char *format_flags(const json_t *o, char dst[16])
{
	static const char letters[] = "FSRP.UEW";
	int64_t flags = get_number(o, "tcp_flags_raw");
	size_t n = 0;

	for (size_t i = 0; letters[i]; i++) {
		if (flags >> i & 1)
			dst[n++] = letters[i];
	}
	dst[n] = '\0';
	return dst;
}

/*
 * A name that others chose, "-" where it is not known. A device's may have any byte but a few, also
 * those that a terminal obeys.
 */
static void put_name(const json_t *o, const char *key)
{
	const uint8_t *s = (const uint8_t *)get_text(o, key);

	if (!*s)
		(void)putchar('-');
	for (size_t n; *s; s += n) {
		n = fffa_utf8_length(s, strlen((const char *)s));
		if (!n || fffa_utf8_is_control(s))
			(void)putchar('?');
		else
			(void)fwrite(s, 1, n, stdout);
		n += !n;
	}
}

/* "  web > db" where metadata.networks names an end. */
static void put_networks(const json_t *o)
{
	if (!json_object_get(o, "src_network") && !json_object_get(o, "dst_network"))
		return;
	(void)fputs("  ", stdout);
	put_name(o, "src_network");
	(void)fputs(" > ", stdout);
	put_name(o, "dst_network");
}

static const char *format_end(const json_t *o, const char *addr, int64_t port, const char *name,
			      char dst[FFFA_PORTS_END_BYTES])
{
	return fffa_ports_write_end(get_text(o, addr), port != 0, port, name, dst);
}

static void put_flow(const struct tail *t, const json_t *o)
{
	char from[FFFA_PORTS_END_BYTES], to[FFFA_PORTS_END_BYTES], proto[16], flags[16];
	int64_t src = get_number(o, "srcport"), dst = get_number(o, "dstport");
	struct fffa_ports_ends e = {.src_name = NULL};

	if (!t->numeric)
		e = fffa_ports_service(get_number(o, "protocol"), src, dst);

	(void)printf(" %-3s %-21s > %-21s %-5s %8" PRId64 " pkts %10" PRId64 " bytes%s%s",
		     get_text(o, "flow_direction")[0] == 'e' ? "out" : "in",
		     format_end(o, "pkt_srcaddr", src, e.src_name, from),
		     format_end(o, "pkt_dstaddr", dst, e.dst_name, to), format_protocol(o, proto),
		     get_number(o, "packets"), get_number(o, "bytes"),
		     *format_flags(o, flags) ? "  " : "", flags);
	put_networks(o);
	(void)putchar('\n');
}

static void put_text(const struct tail *t, const json_t *o)
{
	const char *status = get_text(o, "log_status");

	put_time(o);
	if (!strcmp(status, "OK")) {
		put_flow(t, o);
		return;
	}
	(void)printf(" --- %s ", *status ? status : "?");
	put_name(o, "ifname");
	if (!strcmp(status, "SKIPDATA"))
		(void)printf(" lost packets=%" PRId64 " records=%" PRId64 " reason=%s",
			     get_number(o, "lost_packets"), get_number(o, "lost_records"),
			     get_text(o, "lost_reason"));
	(void)putchar('\n');
}

static void take_line(const struct tail *t, const char *line, size_t n)
{
	json_t *o = json_loadb(line, n, 0, NULL);

	if (json_is_object(o) && is_wanted(t, o)) {
		if (t->json)
			(void)printf("%.*s\n", (int)n, line);
		else
			put_text(t, o);
	}
	json_decref(o);
}

static bool take_piece(void *arg, const char *p, size_t n)
{
	struct tail *t = arg;

	while (n) {
		const char *end = memchr(p, '\n', n);
		size_t piece = end ? (size_t)(end - p) : n;

		fffa_buf_add(&t->line, p, piece);
		p += piece + (end != NULL);
		n -= piece + (end != NULL);
		if (!end)
			break;
		if (!t->line.error)
			take_line(t, (const char *)t->line.ptr, t->line.len);
		fffa_buf_reset(&t->line);
	}
	t->broken = fflush(stdout) || ferror(stdout);
	return !t->broken;
}

/* The command. */

static enum fffa_exit join_words(const struct fffa_command *self, char **words,
				 char dst[EXPR_BYTES])
{
	struct fffa_filter *f;
	struct fffa_err err = {""};
	size_t n = 0;

	dst[0] = '\0';
	for (; *words && n < EXPR_BYTES; words++)
		n += (size_t)snprintf(dst + n, EXPR_BYTES - n, "%s%s", n ? " " : "", *words);
	if (fffa_filter_new(dst, &f, &err))
		return fffa_cli_usage(self, "%s", err.text);
	fffa_filter_free(f);
	return FFFA_EXIT_OK;
}

static int follow(struct tail *t, const char *listen, const char *expr, struct fffa_err *err)
{
	char path[32 + 3 * EXPR_BYTES] = "/records?filter=";
	size_t n = strlen(path);
	int rc;

	if (!listen || !*listen)
		return fffa_fail(err, ENOTCONN,
				 "status.listen is empty: the agent does not listen");
	if (fffa_percent_encode(path + n, sizeof(path) - n, expr, strlen(expr)))
		return fffa_fail(err, EINVAL, "the filter is no text");
	t->line.max = LINE_BYTES_MAX;
	rc = fffa_http_get_stream(listen, path, take_piece, t, err);
	fffa_buf_fini(&t->line);
	if (!rc && t->broken)
		rc = fffa_fail(err, EIO, "cannot write to standard output");
	return rc;
}

enum fffa_exit fffa_cmd_tail(const struct fffa_command *self, int argc, char **argv)
{
	struct tail t = {.config = NULL};
	const struct fffa_cli_syntax syntax = {
		.options = {{.name = "config", .letter = 'c', .text = &t.config},
			    {.name = "output", .letter = 'o', .take = take_output, .arg = &t},
			    {.name = "field", .letter = 'f', .take = take_glob, .arg = &t},
			    {.name = "numeric", .letter = 'n', .flag = &t.numeric}},
		.operand = "EXPR",
		.many = true,
		.optional = true,
	};
	struct fffa_err err = {""};
	struct fffa_config conf;
	char expr[EXPR_BYTES];
	enum fffa_exit code;
	int rc, first = fffa_cli_parse(self, argc, argv, &syntax, &code);

	if (!first)
		return code;
	code = join_words(self, argv + first, expr);
	if (!code)
		code = fffa_cli_load(t.config, &conf, stderr);
	if (code)
		return code;
	rc = follow(&t, conf.status.listen, expr, &err);
	if (rc)
		(void)fprintf(stderr, "fffa tail: %s\n", err.text);
	fffa_config_free(&conf);
	return rc ? FFFA_EXIT_FAILED : FFFA_EXIT_OK;
}
