/* SPDX-License-Identifier: MIT */
/*
 * The part of a delivery that the contract knows. Whoever delivers (the pipeline, a test) embeds it
 * in a struct of its own; sinks include sinks/sink.h instead, which keeps it closed.
 */
#ifndef FFFA_SINKS_DELIVERY_H
#define FFFA_SINKS_DELIVERY_H

struct fffa_batch;

struct fffa_delivery {
	struct fffa_batch *batch; /* sealed; its owner holds the reference until done */
};

#endif
