/* SPDX-License-Identifier: MIT */
#ifndef FFFA_CONFIG_PORTS_H
#define FFFA_CONFIG_PORTS_H

#include <stdbool.h>
#include <stdint.h>

#include "bpf/abi.h"
#include "config/config.h"

#define FFFA_PORTS_AUTO "auto" /* of capture.decapsulate, in place of the tunnels */

/* The UDP ports (host order, 0: unused) whose payload is opened; none for a tunnel that decapsulate
 * does not name. auto stands for all tunnels. */
void fffa_ports_of_tunnels(const struct fffa_capture_conf *conf,
			   uint16_t geneve[FFFA_MAX_TUNNEL_PORTS],
			   uint16_t vxlan[FFFA_MAX_TUNNEL_PORTS]);

/* True when only the tunnels are opened that a socket or a tunnel device of this host receives. */
bool fffa_ports_ask_receiver(const struct fffa_capture_conf *conf);

#endif
