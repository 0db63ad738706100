/* SPDX-License-Identifier: MIT */
/* The tables of options that do not belong to one sink type. */
#ifndef FFFA_CONFIG_ROWS_H
#define FFFA_CONFIG_ROWS_H

#include "config/option.h"

extern const struct fffa_option fffa_config_rows[];	 /* of struct fffa_config */
extern const struct fffa_option fffa_sink_common_rows[]; /* of struct fffa_sink_common_conf */

/* True for a row outside sinks whose change HUP does not take over. A sink's rows are all taken over. */
bool fffa_rows_need_restart(const struct fffa_option *row);

#endif
