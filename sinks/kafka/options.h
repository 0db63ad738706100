/* SPDX-License-Identifier: MIT */
/* The option rows of the Kafka sink, and the rules across them. */
#ifndef FFFA_SINKS_KAFKA_OPTIONS_H
#define FFFA_SINKS_KAFKA_OPTIONS_H

#include "agent/base/err.h"
#include "config/option.h"

extern const struct fffa_option fffa_kafka__options[];

/* ops->check; conf is a struct fffa_sink_kafka_conf. 0, or -errno with err. */
int fffa_kafka__options_check(const void *conf, struct fffa_err *err);

/* fffa_sink_ops.probe. */
int fffa_kafka__options_probe(const void *conf, struct fffa_err *err);

#endif
