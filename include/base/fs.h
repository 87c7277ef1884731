/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef BASE_FS_H
#define BASE_FS_H

/*
 * fs - files and directories, without short writes or half-made files
 *
 * Every function returns 0 (or a count, where said), or -1 with errno set.
 * EINTR is never returned: interrupted calls are made again.  "dir" is a
 * directory's descriptor, or AT_FDCWD.  Files are made with mode 0640,
 * directories with 0750, less the process's umask, all close-on-exec.
 */

#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"

/* Write all "n" bytes. */
int fs_write_all(int fd, const void *p, size_t n);

/* Read up to "n" bytes at "offset".  How many; fewer only at the end. */
ssize_t fs_pread(int fd, void *p, size_t n, off_t offset);

/* Append a whole file to "out"; EFBIG when it does not fit its maximum. */
int fs_read_file(int dir, const char *name, struct buf *out);

/*
 * Write a new file and sync its bytes: fs_store() makes or truncates "name",
 * writes, syncs, closes, and removes it again when any of that fails.
 */
int fs_store(int dir, const char *name, const void *p, size_t n);

/*
 * The same in two steps, for several files at once: the open file, written and
 * not synced, or -1 (and it is removed); then sync and close it.  After a
 * failure of the second step it is still there.
 */
int fs_store_begin(int dir, const char *name, const void *p, size_t n);
int fs_store_end(int *fd);

/* Sync a directory, given by its descriptor. */
int fs_sync_dir(int dir);

/* Make a directory unless it is there. */
int fs_make_dir(int dir, const char *name);

/* Open a directory (O_PATH is not used: it can be synced and read). */
int fs_open_dir(int dir, const char *name);

/* Bytes that are free to us on the file system of "fd". */
int fs_free_bytes(int fd, uint64_t *bytes_out);

/* Close, and set the descriptor to -1.  Fine when it is -1. */
int fs_close(int *fd);

#endif /* BASE_FS_H */
