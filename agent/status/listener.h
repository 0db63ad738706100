/* SPDX-License-Identifier: MIT */
/* The listening socket of the status pages. */
#ifndef FFFA_AGENT_STATUS_LISTENER_H
#define FFFA_AGENT_STATUS_LISTENER_H

#include "agent/base/err.h"

struct fffa_listener {
	int fd;
	char path[108]; /* of the unix socket that was made; "": none */
};

/*
 * Binds and listens at `listen` (as fffa_address_parse takes it). A unix socket is made with mode
 * 0660; one that nobody answers at is a dead agent's and replaced. 0; -EADDRINUSE and others with
 * err, which names status.listen; then nothing is left. Close with fffa_listener_close.
 */
int fffa_listener_open(struct fffa_listener *l, const char *listen, struct fffa_err *err);
/* Also removes the unix socket. fd may have been taken over: then set it to -1 before. */
void fffa_listener_close(struct fffa_listener *l);

#endif
