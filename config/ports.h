/* SPDX-License-Identifier: MIT */
#ifndef FFFA_CONFIG_PORTS_H
#define FFFA_CONFIG_PORTS_H

#include <stdint.h>

#include "bpf/abi.h"
#include "config/config.h"

/* The UDP ports (host order, 0: unused) whose payload is opened; none for a tunnel that decapsulate
 * does not name. */
void fffa_ports_of_tunnels(const struct fffa_capture_conf *conf,
			   uint16_t geneve[FFFA_MAX_TUNNEL_PORTS],
			   uint16_t vxlan[FFFA_MAX_TUNNEL_PORTS]);

#endif
