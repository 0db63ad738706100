/* SPDX-License-Identifier: MIT */
/* The files of conf.d beside the configuration file. */
#ifndef FFFA_CONFIG_YAML_DROP_INS_H
#define FFFA_CONFIG_YAML_DROP_INS_H

#include <stddef.h>

#include "config/yaml/report.h"

#define FFFA_DROP_INS_MAX 64

struct fffa_drop_ins {
	size_t n;
	char *names[FFFA_DROP_INS_MAX]; /* DIR/conf.d/NAME.yaml, in order of their names */
	char *texts[FFFA_DROP_INS_MAX];
	size_t lens[FFFA_DROP_INS_MAX];
};

/*
 * Reads conf.d/NAME.yaml beside the file `path`, in order of the names; hidden files are passed
 * over. Only regular files are read, so nothing is waited for. What is wrong is reported: -EINVAL,
 * -ENOMEM or -errno. Free with fffa_drop_ins_free in every case; the caller zeroes d before.
 */
int fffa_drop_ins_read(struct fffa_drop_ins *d, const char *path, struct fffa_report *rep);
/* Wipes the texts: they may hold secrets. */
void fffa_drop_ins_free(struct fffa_drop_ins *d);

#endif
