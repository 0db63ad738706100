// SPDX-License-Identifier: MIT
#include "config/yaml/merge.h"

#include <stdio.h>
#include <string.h>

#define FILE_TAIL     "_file" /* KEY_file names the file that holds KEY */
#define KEY_BYTES_MAX 256
#define PLACE_FILE(n) FFFA_REPORT_PLACE_FILE((n)->line)

static void append_child(struct fffa_node *to, struct fffa_node *n)
{
	n->next = NULL;
	if (to->last)
		to->last->next = n;
	else
		to->first = n;
	to->last = n;
	to->count++;
}

static struct fffa_node *find_key(const struct fffa_node *map, const char *text)
{
	struct fffa_node *key;

	for (key = map->first; key; key = key->next->next) {
		if (key->kind == FFFA_NODE_SCALAR && !strcmp(key->text, text))
			return key;
	}
	return NULL;
}

static void replace_value(struct fffa_node *map, struct fffa_node *key, struct fffa_node *value)
{
	value->next = key->next->next;
	if (map->last == key->next)
		map->last = value;
	key->next = value;
}

static void remove_key(struct fffa_node *map, const struct fffa_node *gone)
{
	struct fffa_node *before = NULL, *key;

	for (key = map->first; key != gone; key = key->next->next)
		before = key->next;
	if (before)
		before->next = gone->next->next;
	else
		map->first = gone->next->next;
	if (map->last == gone->next)
		map->last = before;
	map->count -= 2;
}

/* Of KEY and KEY_file, the one that key replaces. */
static void remove_other_form(struct fffa_node *map, const struct fffa_node *key)
{
	size_t n = strlen(key->text), tail = strlen(FILE_TAIL);
	char other[KEY_BYTES_MAX + sizeof(FILE_TAIL)];
	const struct fffa_node *had;

	if (n > KEY_BYTES_MAX)
		return;
	if (n > tail && !strcmp(key->text + n - tail, FILE_TAIL))
		(void)snprintf(other, sizeof(other), "%.*s", (int)(n - tail), key->text);
	else
		(void)snprintf(other, sizeof(other), "%s" FILE_TAIL, key->text);
	had = find_key(map, other);
	if (had && PLACE_FILE(had) != PLACE_FILE(key))
		remove_key(map, had);
}

static void merge_map(struct fffa_node *base, const struct fffa_node *over, const char *named);

static const char *name_of(const struct fffa_node *item)
{
	const struct fffa_node *name = fffa_tree_get(item, "name");

	return name && name->kind == FFFA_NODE_SCALAR ? name->text : NULL;
}

static struct fffa_node *find_named(const struct fffa_node *list, const char *name)
{
	struct fffa_node *item;

	for (item = list->first; item; item = item->next) {
		const char *had = name_of(item);

		if (had && !strcmp(had, name))
			return item;
	}
	return NULL;
}

static void merge_named(struct fffa_node *base, const struct fffa_node *over)
{
	struct fffa_node *item, *next;

	for (item = over->first; item; item = next) {
		const char *name = name_of(item);
		struct fffa_node *had = name ? find_named(base, name) : NULL;

		next = item->next;
		if (!had || PLACE_FILE(had) == PLACE_FILE(item)) {
			append_child(base, item);
			continue;
		}
		had->line = item->line;
		merge_map(had, item, NULL);
	}
}

/* A section with all its keys commented out has no value, and changes nothing. */
static bool is_left_out(const struct fffa_node *had, const struct fffa_node *value)
{
	return had->kind != FFFA_NODE_SCALAR && fffa_tree_is_null(value);
}

static void merge_value(struct fffa_node *map, struct fffa_node *key, struct fffa_node *value,
			bool by_name)
{
	struct fffa_node *had = key->next;

	if (is_left_out(had, value))
		return;
	if (had->kind == FFFA_NODE_MAP && value->kind == FFFA_NODE_MAP)
		merge_map(had, value, NULL);
	else if (by_name && had->kind == FFFA_NODE_LIST && value->kind == FFFA_NODE_LIST)
		merge_named(had, value);
	else
		replace_value(map, key, value);
}

static void merge_map(struct fffa_node *base, const struct fffa_node *over, const char *named)
{
	struct fffa_node *key, *next;

	for (key = over->first; key; key = next) {
		struct fffa_node *value = key->next, *had = NULL;

		next = value->next;
		if (key->kind == FFFA_NODE_SCALAR) {
			remove_other_form(base, key);
			had = find_key(base, key->text);
		}
		if (!had || PLACE_FILE(had) == PLACE_FILE(key)) {
			append_child(base, key);
			append_child(base, value);
			continue;
		}
		had->line = key->line;
		merge_value(base, had, value, named && !strcmp(key->text, named));
	}
}

/* All nodes belong to base from now on. */
static void take_nodes(struct fffa_tree *base, struct fffa_tree *over)
{
	struct fffa_node **end = &base->all;

	while (*end)
		end = &(*end)->chain;
	*end = over->all;
	base->count += over->count;
	memset(over, 0, sizeof(*over));
}

void fffa_merge_trees(struct fffa_tree *base, struct fffa_tree *over, unsigned int file,
		      const char *named, struct fffa_report *rep)
{
	struct fffa_node *root = over->root, *n;

	for (n = over->all; n; n = n->chain)
		n->line = FFFA_REPORT_PLACE(file, n->line);
	take_nodes(base, over);
	if (!root || fffa_tree_is_null(root) || root->kind == FFFA_NODE_BAD)
		return;
	if (root->kind != FFFA_NODE_MAP)
		fffa_report_problem(rep, root->line, "", "is %s; allowed: a map of keys",
				    fffa_tree_kind_name(root));
	else if (!base->root || fffa_tree_is_null(base->root))
		base->root = root;
	else if (base->root->kind == FFFA_NODE_MAP)
		merge_map(base->root, root, named);
}
