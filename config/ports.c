// SPDX-License-Identifier: MIT
#include "config/ports.h"

#include <string.h>

static void set_ports(uint16_t *dst, const struct fffa_ints *ports, const struct fffa_strings *on,
		      const char *name)
{
	bool wanted = false;

	memset(dst, 0, FFFA_MAX_TUNNEL_PORTS * sizeof(*dst));
	for (size_t i = 0; i < on->n; i++)
		wanted = wanted || !strcmp(on->v[i], name) || !strcmp(on->v[i], FFFA_PORTS_AUTO);
	for (size_t i = 0; wanted && i < ports->n && i < FFFA_MAX_TUNNEL_PORTS; i++)
		dst[i] = (uint16_t)ports->v[i];
}

void fffa_ports_of_tunnels(const struct fffa_capture_conf *conf,
			   uint16_t geneve[FFFA_MAX_TUNNEL_PORTS],
			   uint16_t vxlan[FFFA_MAX_TUNNEL_PORTS])
{
	set_ports(geneve, &conf->geneve_ports, &conf->decapsulate, "geneve");
	set_ports(vxlan, &conf->vxlan_ports, &conf->decapsulate, "vxlan");
}

bool fffa_ports_ask_receiver(const struct fffa_capture_conf *conf)
{
	return conf->decapsulate.n && !strcmp(conf->decapsulate.v[0], FFFA_PORTS_AUTO);
}

_Static_assert((int)FFFA_TUNNEL_VIEW_INNER == (int)FFFA_TUNNEL_RECORD_INNER &&
		       (int)FFFA_TUNNEL_VIEW_OUTER == (int)FFFA_TUNNEL_RECORD_OUTER &&
		       (int)FFFA_TUNNEL_VIEW_BOTH == (int)FFFA_TUNNEL_RECORD_BOTH,
	       "the configuration's word is the kernel's number");
