// SPDX-License-Identifier: MIT
#include "config/yaml/tree.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#define BOM	  "\xef\xbb\xbf" /* U+FEFF, which some editors put before a text in UTF-8 */
#define BOM_BYTES ((size_t)3)

struct frame {
	struct fffa_node *node;
	const struct fffa_node *key; /* map: the last key that was read */
};

struct builder {
	struct fffa_tree *tree;
	struct fffa_report *rep;
	const char *text;
	size_t len;
	yaml_parser_t parser;
	struct frame stack[FFFA_TREE_DEPTH_MAX];
	size_t depth;
	unsigned int documents;
};

/* The path of the place that the next node will take. */
static struct fffa_path path_of_last(const struct builder *b)
{
	struct fffa_path p = {""};
	size_t i;

	for (i = 0; i < b->depth; i++) {
		const struct frame *f = &b->stack[i];
		bool inner = i + 1 < b->depth; /* what the next frame reads is attached already */

		if (f->node->kind == FFFA_NODE_LIST)
			p = fffa_report_path_index(p.text, f->node->count - inner);
		else if (f->key && (inner || f->node->count % 2))
			p = fffa_report_path_join(p.text, f->key->text);
	}
	return p;
}

static int refuse_node(struct builder *b, unsigned int line, const char *text)
{
	fffa_report_problem(b->rep, line, path_of_last(b).text, "%s", text);
	return -EINVAL;
}

static void attach_child(struct builder *b, struct fffa_node *n)
{
	struct frame *f;

	if (!b->depth) {
		b->tree->root = n;
		return;
	}
	f = &b->stack[b->depth - 1];
	if (f->node->kind == FFFA_NODE_MAP && f->node->count % 2 == 0)
		f->key = n;
	if (f->node->last)
		f->node->last->next = n;
	else
		f->node->first = n;
	f->node->last = n;
	f->node->count++;
}

/* A collection takes the place it was announced at before its own children come. */
static int add_node(struct builder *b, enum fffa_node_kind kind, unsigned int line,
		    const char *text, size_t len, bool plain)
{
	const struct fffa_node *top = b->depth ? b->stack[b->depth - 1].node : NULL;
	size_t weight = top && top->kind == FFFA_NODE_MAP ? 2 : 1;
	struct fffa_node *n;

	if (b->tree->count == FFFA_TREE_NODES_MAX)
		return refuse_node(b, line, "the file holds too many values; at most 65536");
	if (top && top->count == FFFA_TREE_CHILDREN_MAX * weight)
		return refuse_node(b, line, "too many entries; a list or map takes at most 1024");
	if (kind >= FFFA_NODE_LIST && kind <= FFFA_NODE_MAP && b->depth == FFFA_TREE_DEPTH_MAX)
		return refuse_node(b, line, "nested too deep; at most 16 levels");
	n = calloc(1, sizeof(*n) + len + 1);
	if (!n)
		return fffa_report_nomem(b->rep);
	n->kind = kind;
	n->line = line;
	n->plain = plain;
	if (len)
		memcpy(n->text, text, len);
	n->chain = b->tree->all;
	b->tree->all = n;
	b->tree->count++;
	if (kind == FFFA_NODE_LIST || kind == FFFA_NODE_MAP) {
		attach_child(b, n);
		b->stack[b->depth++] = (struct frame){.node = n};
		return 0;
	}
	if (kind == FFFA_NODE_SCALAR && strlen(n->text) != len) {
		refuse_node(b, line, "holds a NUL character; text cannot");
		n->kind = FFFA_NODE_BAD;
	}
	attach_child(b, n);
	return 0;
}

static void refuse_decoration(struct builder *b, unsigned int line, const void *anchor,
			      const void *tag)
{
	if (anchor)
		refuse_node(b, line, "anchors (&name) are not supported; write the value out");
	if (tag)
		refuse_node(b, line, "tags (!name) are not supported; write the value alone");
}

static int on_event(struct builder *b, const yaml_event_t *ev)
{
	unsigned int line = (unsigned int)ev->start_mark.line + 1;

	switch (ev->type) {
	case YAML_DOCUMENT_START_EVENT:
		if (b->documents++)
			return refuse_node(b, line, "a second document begins; a file holds one");
		return 0;
	case YAML_ALIAS_EVENT:
		refuse_node(b, line, "aliases (*name) are not supported; write the value out");
		return add_node(b, FFFA_NODE_BAD, line, NULL, 0, true);
	case YAML_SCALAR_EVENT:
		refuse_decoration(b, line, ev->data.scalar.anchor, ev->data.scalar.tag);
		return add_node(b, FFFA_NODE_SCALAR, line, (const char *)ev->data.scalar.value,
				ev->data.scalar.length,
				ev->data.scalar.style == YAML_PLAIN_SCALAR_STYLE);
	case YAML_SEQUENCE_START_EVENT:
		refuse_decoration(b, line, ev->data.sequence_start.anchor,
				  ev->data.sequence_start.tag);
		return add_node(b, FFFA_NODE_LIST, line, NULL, 0, false);
	case YAML_MAPPING_START_EVENT:
		refuse_decoration(b, line, ev->data.mapping_start.anchor,
				  ev->data.mapping_start.tag);
		return add_node(b, FFFA_NODE_MAP, line, NULL, 0, false);
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		b->depth--;
		return 0;
	default:
		return 0;
	}
}

static unsigned int line_at(const struct builder *b, size_t offset)
{
	const char *p = b->text, *end = b->text + (offset < b->len ? offset : b->len);
	unsigned int line = 1;

	while (p < end && (p = memchr(p, '\n', (size_t)(end - p)))) {
		line++;
		p++;
	}
	return line;
}

static int syntax_error(struct builder *b)
{
	const yaml_parser_t *y = &b->parser;
	unsigned int line = (unsigned int)y->problem_mark.line + 1;

	if (y->error == YAML_MEMORY_ERROR)
		return fffa_report_nomem(b->rep);
	if (y->error == YAML_READER_ERROR)
		line = line_at(b, y->problem_offset);
	fffa_report_problem(b->rep, line, "", "not valid YAML: %s%s%s",
			    y->problem ? y->problem : "unreadable", y->context ? " " : "",
			    y->context ? y->context : "");
	return -EINVAL;
}

void fffa_tree_skip_bom(char *text, size_t *len)
{
	if (*len < BOM_BYTES || memcmp(text, BOM, BOM_BYTES))
		return;
	*len -= BOM_BYTES;
	memmove(text, text + BOM_BYTES, *len + 1);
}

int fffa_tree_parse(struct fffa_tree *tree, const char *text, size_t len, struct fffa_report *rep)
{
	struct builder b = {.tree = tree, .rep = rep, .text = text, .len = len};
	bool end = false;
	int rc = 0;

	memset(tree, 0, sizeof(*tree));
	if (len >= BOM_BYTES && !memcmp(text, BOM, BOM_BYTES)) {
		b.text = text += BOM_BYTES;
		b.len = len -= BOM_BYTES;
	}
	if (len > FFFA_TREE_FILE_BYTES_MAX) {
		fffa_report_problem(rep, 0, "", "too large; at most 1MiB");
		return -EINVAL;
	}
	if (!yaml_parser_initialize(&b.parser))
		return fffa_report_nomem(rep);
	yaml_parser_set_encoding(&b.parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&b.parser, (const unsigned char *)text, len);
	while (!rc && !end) {
		yaml_event_t ev;

		if (!yaml_parser_parse(&b.parser, &ev)) {
			rc = syntax_error(&b);
			break;
		}
		end = ev.type == YAML_STREAM_END_EVENT;
		rc = on_event(&b, &ev);
		yaml_event_delete(&ev);
	}
	yaml_parser_delete(&b.parser);
	return rc;
}

void fffa_tree_free(struct fffa_tree *tree)
{
	struct fffa_node *n = tree->all, *next;

	for (; n; n = next) {
		next = n->chain;
		/* A scalar may be a secret. */
		explicit_bzero(n->text, strlen(n->text));
		free(n);
	}
	memset(tree, 0, sizeof(*tree));
}

bool fffa_tree_is_null(const struct fffa_node *node)
{
	return node->kind == FFFA_NODE_SCALAR && node->plain &&
	       (!*node->text || !strcmp(node->text, "~") || !strcmp(node->text, "null"));
}

const struct fffa_node *fffa_tree_get(const struct fffa_node *node, const char *path)
{
	while (node && *path) {
		size_t n = strcspn(path, ".");
		const struct fffa_node *key;

		if (node->kind != FFFA_NODE_MAP)
			return NULL;
		for (key = node->first; key; key = key->next->next)
			if (strlen(key->text) == n && !memcmp(key->text, path, n))
				break;
		node = key ? key->next : NULL;
		path += n + (path[n] == '.');
	}
	return node;
}

const char *fffa_tree_kind_name(const struct fffa_node *node)
{
	if (node->kind == FFFA_NODE_LIST)
		return "a list";
	if (node->kind == FFFA_NODE_MAP)
		return "a map";
	return fffa_tree_is_null(node) ? "empty" : "text";
}
