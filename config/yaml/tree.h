/* SPDX-License-Identifier: MIT */
/*
 * YAML text as a bounded tree of nodes with line numbers. Aliases, tags and second documents
 * are errors.
 */
#ifndef FFFA_CONFIG_YAML_TREE_H
#define FFFA_CONFIG_YAML_TREE_H

#include <stdbool.h>
#include <stddef.h>

#include "config/yaml/report.h"

#define FFFA_TREE_FILE_BYTES_MAX (1024 * 1024)
#define FFFA_TREE_DEPTH_MAX	 16    /* collections inside each other */
#define FFFA_TREE_NODES_MAX	 65536 /* in one file */
#define FFFA_TREE_CHILDREN_MAX	 1024  /* entries of one list or map */

enum fffa_node_kind {
	FFFA_NODE_SCALAR,
	FFFA_NODE_LIST,
	FFFA_NODE_MAP,
	FFFA_NODE_BAD, /* already reported; readers pass over it */
};

struct fffa_node {
	enum fffa_node_kind kind;
	unsigned int line;	 /* from 1; FFFA_REPORT_PLACE after a merge */
	bool plain;		 /* a scalar without quotes */
	size_t count;		 /* children; a map's keys and values both count */
	struct fffa_node *first; /* children; in a map: key, value, key, value ... */
	struct fffa_node *last;
	struct fffa_node *next;	 /* sibling */
	struct fffa_node *chain; /* all nodes of the tree, for freeing */
	char text[];		 /* scalar: UTF-8 without NUL inside; else empty */
};

struct fffa_tree {
	struct fffa_node *root; /* NULL: an empty file */
	struct fffa_node *all;
	size_t count;
};

/*
 * Reads text into *tree. Problems go to rep; returns 0 when the tree can be walked (there may still
 * be problems that were reported), -EINVAL when not, or -ENOMEM. Always free with fffa_tree_free.
 */
int fffa_tree_parse(struct fffa_tree *tree, const char *text, size_t len, struct fffa_report *rep);
void fffa_tree_free(struct fffa_tree *tree);

/* True for a scalar that YAML reads as "no value": nothing at all, ~ or null. */
bool fffa_tree_is_null(const struct fffa_node *node);
/* The value under a dotted path of map keys ("batch.bytes"), or NULL. node may be NULL. */
const struct fffa_node *fffa_tree_get(const struct fffa_node *node, const char *path);
/* "a list", "a map", "text", "empty" */
const char *fffa_tree_kind_name(const struct fffa_node *node);

/* Removes the mark that some editors put before a text in UTF-8. A NUL follows the *len bytes. */
void fffa_tree_skip_bom(char *text, size_t *len);

#endif
