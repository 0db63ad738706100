/* SPDX-License-Identifier: MIT */
/* The listening socket of the status pages. */
#ifndef FFFA_AGENT_STATUS_LISTEN_LISTENER_H
#define FFFA_AGENT_STATUS_LISTEN_LISTENER_H

#include "agent/base/err.h"

struct fffa_listener {
	int fd;
	char path[108]; /* of the unix socket that was created; "": none */
};

/*
 * Listens at `listen`, an address for fffa_address_parse. A unix socket is created with mode 0660;
 * a socket file that no process listens at is replaced. 0: close l with fffa_listener_close. Else
 * -EADDRINUSE or another -errno with err, which names status.listen; nothing stays open.
 */
int fffa_listener_open(struct fffa_listener *l, const char *listen, struct fffa_err *err);
/* Also removes the unix socket. Set fd to -1 before if somebody else closes it. */
void fffa_listener_close(struct fffa_listener *l);

#endif
