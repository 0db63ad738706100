/* SPDX-License-Identifier: MIT */
/* The options of the HTTP sink and the rules across them. */
#ifndef FFFA_SINKS_HTTP_OPTIONS_H
#define FFFA_SINKS_HTTP_OPTIONS_H

#include "sinks/http/http.h"

extern const struct fffa_option fffa_http__options[];

/* ops->check; conf is a struct fffa_sink_http_conf. 0, or -errno with err. */
int fffa_http__options_check(const void *conf, struct fffa_err *err);

/* ops->check_format: 0 if the shape takes the format (enum fffa_format), else -EINVAL with err. */
int fffa_http__options_check_format(const void *conf, unsigned int format, struct fffa_err *err);

/* fffa_sink_ops.probe. */
int fffa_http__options_probe(const void *conf, struct fffa_err *err);

#endif
