// SPDX-License-Identifier: MIT
#include "sinks/delivery.h"

#include "sinks/sink.h"

const struct fffa_batch *fffa_delivery_batch(const struct fffa_delivery *d)
{
	return d->batch;
}
