// SPDX-License-Identifier: MIT
#include "agent/enrich/networks/networks_parse.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/cidr.h"
#include "agent/base/utf8.h"
#include "agent/enrich/input/ident_text.h"
#include "agent/enrich/networks/networks_kind.h"
#include "agent/enrich/services/ip_table.h"

#define SHOWN_BYTES_MAX 40 /* of a value in a message */

enum column { CIDR, NAME, ACCOUNT_ID, VPC_ID, SUBNET_ID, AZ_ID, KIND, COLUMNS };

static const char *const column_names[COLUMNS] = {
	[CIDR] = "cidr",     [NAME] = "name",		[ACCOUNT_ID] = "account_id",
	[VPC_ID] = "vpc_id", [SUBNET_ID] = "subnet_id", [AZ_ID] = "az_id",
	[KIND] = "kind",
};

/* The prefix of a network, and where it stands, to find one that is there twice. */
struct place {
	struct fffa_cidr cidr;
	unsigned int line;
};

struct reader {
	const char *at, *end;
	unsigned int line;
	enum column order[COLUMNS]; /* what stands in the i-th column */
	size_t columns;
	bool began; /* a line that counts was read */
	char text[FFFA_NETWORKS_LINE_BYTES_MAX + 1];
	const char *field[COLUMNS]; /* in the order of the line */
	size_t fields;
	struct fffa_networks *out;
	struct fffa_ip_prefix *prefixes;
	struct place *places;
	size_t room;
	struct fffa_err *err;
};

#define refuse(r, fmt, ...) fffa_fail((r)->err, EINVAL, "line %u: " fmt, (r)->line, __VA_ARGS__)

struct shown {
	char text[SHOWN_BYTES_MAX + 1];
};

/* The beginning of a value, without what could disturb a terminal or a log. */
static struct shown show(const char *s)
{
	struct shown out;
	size_t i;

	for (i = 0; i < SHOWN_BYTES_MAX && s[i]; i++)
		out.text[i] = s[i] >= ' ' && s[i] <= '~' && s[i] != '"' ? s[i] : '?';
	out.text[i] = '\0';
	return out;
}

/* Reads the next line into r->text. 1; 0 at the end; -errno. */
static int next_line(struct reader *r)
{
	const char *newline = memchr(r->at, '\n', (size_t)(r->end - r->at));
	size_t n = (size_t)((newline ? newline : r->end) - r->at);

	if (r->at == r->end)
		return 0;
	r->line++;
	if (n > FFFA_NETWORKS_LINE_BYTES_MAX)
		return refuse(r, "longer than %d bytes", FFFA_NETWORKS_LINE_BYTES_MAX);
	memcpy(r->text, r->at, n);
	r->text[n] = '\0';
	if (memchr(r->text, '\0', n))
		return refuse(r, "has a byte of value %d", 0);
	r->at += n + (newline ? 1 : 0);
	if (n && r->text[n - 1] == '\r')
		r->text[n - 1] = '\0';
	return 1;
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t';
}

/* Takes a field in quotes apart, in place. Returns the place behind it; NULL: no quote ends it. */
static char *take_quoted(char *p, const char **field)
{
	char *to = ++p;

	*field = to;
	for (; *p; p++) {
		if (*p == '"' && *++p != '"') {
			*to = '\0';
			while (is_space(*p))
				p++;
			return p;
		}
		*to++ = *p;
	}
	return NULL;
}

/* The same for a field without quotes. Spaces around it do not count. */
static char *take_bare(char *p, const char **field, char *ended_by)
{
	char *end = p + strcspn(p, ","), *last = end;

	*field = p;
	*ended_by = *end;
	while (last > p && is_space(last[-1]))
		last--;
	*last = '\0';
	return end;
}

static int split_line(struct reader *r)
{
	char *p = r->text, ended_by;

	r->fields = 0;
	for (;;) {
		while (is_space(*p))
			p++;
		if (r->fields == COLUMNS)
			return refuse(r, "has more than %d columns", COLUMNS);
		if (*p == '"') {
			p = take_quoted(p, &r->field[r->fields++]);
			if (!p || (*p && *p != ','))
				return refuse(r, "column %zu: its quotes do not end", r->fields);
			ended_by = *p;
		} else {
			p = take_bare(p, &r->field[r->fields++], &ended_by);
		}
		if (!ended_by)
			return 0;
		p++;
	}
}

static int find_column(const char *name)
{
	for (int i = 0; i < COLUMNS; i++)
		if (strcmp(column_names[i], name) == 0)
			return i;
	return -1;
}

/* The first line may name the columns. */
static int read_header(struct reader *r)
{
	for (size_t i = 0; i < r->fields; i++) {
		int column = find_column(r->field[i]);

		if (column < 0)
			return refuse(r,
				      "\"%s\" is no column; allowed: cidr, name, account_id, "
				      "vpc_id, subnet_id, az_id, kind",
				      show(r->field[i]).text);
		for (size_t k = 0; k < i; k++)
			if (r->order[k] == (enum column)column)
				return refuse(r, "the column %s is there twice", r->field[i]);
		r->order[i] = (enum column)column;
	}
	r->columns = r->fields;
	return 0;
}

static int read_cidr(struct reader *r, const char *text, struct fffa_cidr *out)
{
	struct fffa_cidr whole;

	if (fffa_cidr_parse(text, out, NULL) != 0)
		return refuse(r,
			      "\"%s\" is no prefix; allowed: such as 10.0.0.0/16 or 2001:db8::/32",
			      show(text).text);
	/* The first address of the prefix is the only one without bits behind it. */
	whole = *out;
	for (unsigned int bit = out->bits; bit < 128; bit++)
		whole.addr[bit / 8] &= (uint8_t) ~(0x80u >> bit % 8);
	if (memcmp(whole.addr, out->addr, sizeof(whole.addr)) != 0)
		return refuse(r, "\"%s\" has bits behind its prefix", show(text).text);
	return 0;
}

static int read_name(struct reader *r, const char *text, char dst[FFFA_NETWORK_NAME_BYTES])
{
	size_t len = strlen(text), n;

	if (len >= FFFA_NETWORK_NAME_BYTES)
		return refuse(r, "the name \"%s\" is longer than %d bytes", show(text).text,
			      FFFA_NETWORK_NAME_BYTES - 1);
	for (size_t i = 0; i < len; i += n) {
		n = fffa_utf8_length((const uint8_t *)text + i, len - i);
		if (!n || fffa_utf8_is_control((const uint8_t *)text + i))
			return refuse(r, "the name \"%s\" is not printable UTF-8", show(text).text);
	}
	memcpy(dst, text, len + 1);
	return 0;
}

static int read_id(struct reader *r, enum column c, const char *text, char *dst, size_t cap)
{
	if (fffa_ident_text_set(dst, cap, text, strlen(text)) != 0)
		return refuse(r,
			      "%s \"%s\" must be at most %zu printable ASCII characters without "
			      "space, quotes and backslash",
			      column_names[c], show(text).text, cap - 1);
	return 0;
}

static int read_column(struct reader *r, enum column c, const char *text, struct fffa_network *n,
		       struct fffa_cidr *cidr)
{
	switch (c) {
	case CIDR:
		return read_cidr(r, text, cidr);
	case NAME:
		return read_name(r, text, n->name);
	case ACCOUNT_ID:
		return read_id(r, c, text, n->account_id, sizeof(n->account_id));
	case VPC_ID:
		return read_id(r, c, text, n->vpc_id, sizeof(n->vpc_id));
	case SUBNET_ID:
		return read_id(r, c, text, n->subnet_id, sizeof(n->subnet_id));
	case AZ_ID:
		return read_id(r, c, text, n->az_id, sizeof(n->az_id));
	default:
		if (*text && !fffa_networks_kind_set(text, n))
			return refuse(r, "kind \"%s\" is not known; allowed: " FFFA_NETWORKS_KINDS,
				      show(text).text);
		return 0;
	}
}

/* Makes room for one more network. */
static int grow(struct reader *r)
{
	size_t room = r->room ? 2 * r->room : 64;
	void *p;

	if (r->out->n == FFFA_NETWORKS_MAX)
		return fffa_fail(r->err, E2BIG, "line %u: more than %d networks", r->line,
				 FFFA_NETWORKS_MAX);
	if (r->out->n < r->room)
		return 0;
	p = realloc(r->out->v, room * sizeof(*r->out->v));
	if (!p)
		return fffa_fail(r->err, ENOMEM, "no memory");
	r->out->v = p;
	p = realloc(r->prefixes, room * sizeof(*r->prefixes));
	if (!p)
		return fffa_fail(r->err, ENOMEM, "no memory");
	r->prefixes = p;
	p = realloc(r->places, room * sizeof(*r->places));
	if (!p)
		return fffa_fail(r->err, ENOMEM, "no memory");
	r->places = p;
	r->room = room;
	return 0;
}

static int read_network(struct reader *r)
{
	struct fffa_cidr cidr = {.bits = 0};
	struct fffa_network n = {.name = ""};
	size_t i = r->out->n;
	int rc = grow(r);

	if (!rc && r->fields > r->columns)
		rc = refuse(r, "has %zu columns, and the header %zu", r->fields, r->columns);
	if (!rc && r->fields < 2)
		rc = refuse(r, "has no name: at least %s and %s are needed", "cidr", "name");
	for (size_t k = 0; !rc && k < r->fields; k++)
		rc = read_column(r, r->order[k], r->field[k], &n, &cidr);
	if (rc)
		return rc;
	r->out->v[i] = n;
	r->prefixes[i] = (struct fffa_ip_prefix){.cidr = cidr, .value = (uint16_t)(i + 1)};
	r->places[i] = (struct place){.cidr = cidr, .line = r->line};
	r->out->n++;
	return 0;
}

static int read_lines(struct reader *r)
{
	int rc;

	while ((rc = next_line(r)) > 0) {
		const char *p = r->text + strspn(r->text, " \t");

		if (!*p || *p == '#')
			continue;
		rc = split_line(r);
		if (rc)
			return rc;
		rc = !r->began && strcmp(r->field[0], "cidr") == 0 ? read_header(r)
								   : read_network(r);
		r->began = true;
		if (rc)
			return rc;
	}
	return rc;
}

static int compare_places(const void *a, const void *b)
{
	const struct place *x = a, *y = b;
	int rc = memcmp(x->cidr.addr, y->cidr.addr, sizeof(x->cidr.addr));

	if (!rc)
		rc = (x->cidr.bits > y->cidr.bits) - (x->cidr.bits < y->cidr.bits);
	return rc ? rc : (x->line > y->line) - (x->line < y->line);
}

static int refuse_twins(struct reader *r)
{
	size_t n = r->out->n;

	if (n)
		qsort(r->places, n, sizeof(*r->places), compare_places);
	for (size_t i = 1; i < n; i++) {
		const struct place *a = &r->places[i - 1], *b = &r->places[i];

		r->line = b->line;
		if (!memcmp(a->cidr.addr, b->cidr.addr, sizeof(a->cidr.addr)) &&
		    a->cidr.bits == b->cidr.bits)
			return refuse(r, "the same prefix as in line %u", a->line);
	}
	return 0;
}

static int make_networks(struct reader *r)
{
	static const char bom[] = "\xef\xbb\xbf";
	int rc;

	if (r->end - r->at >= 3 && !memcmp(r->at, bom, 3))
		r->at += 3;
	rc = read_lines(r);
	if (!rc)
		rc = refuse_twins(r);
	if (rc)
		return rc;
	rc = fffa_ip_table_new_plain(r->prefixes, r->out->n, &r->out->table);
	return rc ? fffa_fail(r->err, -rc, "%s", strerror(-rc)) : 0;
}

int fffa_networks_parse(const char *text, size_t len, struct fffa_networks **out,
			struct fffa_err *err)
{
	struct reader *r;
	int rc;

	if (len > FFFA_NETWORKS_BYTES_MAX)
		return fffa_fail(err, EFBIG, "larger than %d bytes", FFFA_NETWORKS_BYTES_MAX);
	r = calloc(1, sizeof(*r));
	if (!r)
		return fffa_fail(err, ENOMEM, "no memory");
	r->at = text;
	r->end = text + len;
	r->err = err;
	r->columns = COLUMNS;
	for (int i = 0; i < COLUMNS; i++)
		r->order[i] = (enum column)i;
	r->out = calloc(1, sizeof(*r->out));
	rc = r->out ? make_networks(r) : fffa_fail(err, ENOMEM, "no memory");
	if (rc)
		fffa_networks_parse_free(r->out);
	else
		*out = r->out;
	free(r->prefixes);
	free(r->places);
	free(r);
	return rc;
}

void fffa_networks_parse_free(struct fffa_networks *n)
{
	if (!n)
		return;
	fffa_ip_table_free(n->table);
	free(n->v);
	free(n);
}
