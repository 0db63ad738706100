/* SPDX-License-Identifier: MIT */
/*
 * What cppcheck is told instead of system headers: the macros there that look like no C.
 * See cppcheck.sh.
 */
#define LIBBPF_OPTS(type, name, ...) struct type name = {__VA_ARGS__}
#define TAILQ_FOREACH(var, head, link)                                                             \
	for ((var) = (head)->tqh_first; (var); (var) = (var)->link.tqe_next)
#define LIST_FOREACH(var, head, link)                                                              \
	for ((var) = (head)->lh_first; (var); (var) = (var)->link.le_next)
