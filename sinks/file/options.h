/* SPDX-License-Identifier: MIT */
/* The sink's option rows, and the rules across them. */
#ifndef FFFA_SINKS_FILE_OPTIONS_H
#define FFFA_SINKS_FILE_OPTIONS_H

#include "sinks/file/file.h"

extern const struct fffa_option fffa_file_options[];

/* fffa_sink_ops.check. */
int fffa_file_options_check(const void *conf, struct fffa_err *err);
/* fffa_sink_ops.probe. */
int fffa_file_options_probe(const void *conf, struct fffa_err *err);
/* fffa_sink_ops.output. */
const char *fffa_file_options_output(const void *conf);

#endif
