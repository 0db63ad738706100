/* SPDX-License-Identifier: MIT */
/*
 * What the contract knows of a delivery: one sealed batch on its way to one sink. The owner (the
 * pipeline, a test) embeds it; a sink sees it only through sinks/sink.h.
 */
#ifndef FFFA_SINKS_DELIVERY_H
#define FFFA_SINKS_DELIVERY_H

struct fffa_batch;

struct fffa_delivery {
	struct fffa_batch *batch; /* sealed; the owner holds the reference until done */
};

#endif
