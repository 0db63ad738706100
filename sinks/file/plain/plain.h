/* SPDX-License-Identifier: MIT */
/* Layout plain: one file, FIFO or standard output; a regular file is rotated by size and time. */
#ifndef FFFA_SINKS_FILE_PLAIN_PLAIN_H
#define FFFA_SINKS_FILE_PLAIN_PLAIN_H

#include "sinks/file/layout/layout.h"

extern const struct fffa_file_layout_ops fffa_file_plain_layout;

#endif
