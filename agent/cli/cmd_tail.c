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
#include "agent/cli/commands.h"
#include "agent/cli/http_get.h"
#include "agent/filter/filter.h"

#define GLOBS_MAX      16
#define LINE_BYTES_MAX (64 * 1024)
#define EXPR_BYTES     (FFFA_FILTER_BYTES_MAX + 2)

struct glob {
	char field[64];
	const char *pattern;
};

struct tail {
	const char *config;
	bool json;
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

static enum fffa_exit take_glob(const struct fffa_command *self, const char *text, void *arg)
{
	struct tail *t = arg;
	struct glob *g = &t->globs[t->glob_count];
	const char *pattern = strchr(text, '=');

	if (t->glob_count == GLOBS_MAX)
		return fffa_cli_usage(self, "more than %d --field", GLOBS_MAX);
	if (!pattern || pattern == text || (size_t)(pattern - text) >= sizeof(g->field))
		return fffa_cli_usage(self, "--field %s: must be FIELD=GLOB", text);
	memcpy(g->field, text, (size_t)(pattern - text));
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

/* "10.0.0.1:443", "[::1]:443", or "10.0.0.1" where there are no ports. */
static const char *format_end(const json_t *o, const char *addr, const char *port, char dst[64])
{
	const char *ip = get_text(o, addr);
	int64_t n = get_number(o, port);
	bool v6 = strchr(ip, ':') != NULL;

	if (n)
		(void)snprintf(dst, 64, v6 ? "[%s]:%" PRId64 : "%s:%" PRId64, ip, n);
	else
		(void)snprintf(dst, 64, "%s", ip);
	return dst;
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

/* The name of an end's network, which has no control characters; "-": not known. */
static const char *format_network(const json_t *o, const char *key)
{
	const char *name = get_text(o, key);

	return *name ? name : "-";
}

/* "  web > db" where metadata.networks names an end. */
static void put_networks(const json_t *o)
{
	if (json_object_get(o, "src_network") || json_object_get(o, "dst_network"))
		(void)printf("  %s > %s", format_network(o, "src_network"),
			     format_network(o, "dst_network"));
}

static void put_flow(const json_t *o)
{
	char from[64], to[64], proto[16], flags[16];

	(void)printf(" %-3s %-21s > %-21s %-5s %8" PRId64 " pkts %10" PRId64 " bytes%s%s",
		     get_text(o, "flow_direction")[0] == 'e' ? "out" : "in",
		     format_end(o, "pkt_srcaddr", "srcport", from),
		     format_end(o, "pkt_dstaddr", "dstport", to), format_protocol(o, proto),
		     get_number(o, "packets"), get_number(o, "bytes"),
		     *format_flags(o, flags) ? "  " : "", flags);
	put_networks(o);
	(void)putchar('\n');
}

static void put_text(const json_t *o)
{
	const char *status = get_text(o, "log_status");

	put_time(o);
	if (!strcmp(status, "OK")) {
		put_flow(o);
		return;
	}
	(void)printf(" --- %s %s", *status ? status : "?", get_text(o, "ifname"));
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
			put_text(o);
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
			    {.name = "field", .letter = 'f', .take = take_glob, .arg = &t}},
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
