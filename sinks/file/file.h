/* SPDX-License-Identifier: MIT */
/*
 * The file sink: writes batches to a file, a FIFO or standard output (layout plain), or to objects
 * in a folder (the AWS layouts), in order and one at a time, on a worker thread. "Delivered" means
 * written, or written and synced. The process must ignore SIGPIPE and SIGXFSZ.
 */
#ifndef FFFA_SINKS_FILE_FILE_H
#define FFFA_SINKS_FILE_FILE_H

#include "sinks/file/layout/conf.h"
#include "sinks/sink.h"

extern const struct fffa_sink_ops fffa_sink_file_ops; /* conf: struct fffa_sink_file_conf */

#endif
