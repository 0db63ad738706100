/* SPDX-License-Identifier: MIT */
/* One tree over another: what the second one gives wins. */
#ifndef FFFA_CONFIG_YAML_MERGE_H
#define FFFA_CONFIG_YAML_MERGE_H

#include "config/yaml/tree.h"

/*
 * Merges over into base and leaves over empty: base owns all nodes afterwards. Maps are merged key
 * by key, the entries of the list under the key `named` by the text of their "name"; every other
 * value is replaced. KEY and KEY_file stand for the same: one replaces the other. A key that over
 * itself gives twice stays twice, for the reader to report. `file` goes into each place of over
 * (FFFA_REPORT_PLACE). A root that is no map is reported through rep.
 */
void fffa_merge_trees(struct fffa_tree *base, struct fffa_tree *over, unsigned int file,
		      const char *named, struct fffa_report *rep);

#endif
