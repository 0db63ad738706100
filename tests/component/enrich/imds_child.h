/* SPDX-License-Identifier: MIT */
/* The IMDS mock as a child process on loopback, its faults and its request log. */
#ifndef FFFA_TESTS_COMPONENT_ENRICH_IMDS_CHILD_H
#define FFFA_TESTS_COMPONENT_ENRICH_IMDS_CHILD_H

#include <jansson.h>
#include <stddef.h>
#include <sys/types.h>

struct imds_child {
	pid_t pid;
	int port;
	char dir[64]; /* holds the two files below */
	char faults[96];
	char log[96];
};

/* listen: address; faults: JSON or NULL. Returns once the mock listens; -1 when it does not. */
int imds_child_start(struct imds_child *c, const char *listen, const char *faults);
/* Ends the process that was started and removes its files. */
void imds_child_stop(struct imds_child *c);

/* Replaces all faults, from the next request on. */
void imds_child_faults(struct imds_child *c, const char *json);

/* The requests so far, as a JSON array that the caller owns. */
json_t *imds_child_log(const struct imds_child *c);
/* How many requests had this method and a path with this end; NULL: any. */
size_t imds_child_count(const struct imds_child *c, const char *method, const char *path_end);

#endif
