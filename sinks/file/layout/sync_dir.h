/* SPDX-License-Identifier: MIT */
/* Durable names of files. */
#ifndef FFFA_SINKS_FILE_LAYOUT_SYNC_DIR_H
#define FFFA_SINKS_FILE_LAYOUT_SYNC_DIR_H

/*
 * Brings the names in the directory behind dir_fd to the disk. 0, or -EIO when the disk fails. Some
 * file systems cannot sync a directory (EINVAL); that counts as done. Blocks.
 */
int fffa_sync_dir(int dir_fd);

#endif
