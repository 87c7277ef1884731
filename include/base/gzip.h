/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef BASE_GZIP_H
#define BASE_GZIP_H

/*
 * gzip - bytes in and out of standard gzip
 *
 * Packing writes one member without name or time, so that the same bytes and
 * level always give the same output.  Levels 1 to 3 go to ISA-L where it was
 * built in, 4 to 9 (and all, without ISA-L) to zlib.  Bytes may come in large
 * pieces, which then need not be in memory as a whole and come from the cache;
 * small ones would cost ISA-L a quarter more.
 *
 * Unpacking reads a file to its last member, in pieces, so that memory does
 * not depend on its size.  Zeros after a member are padding, as for gzip(1);
 * anything else there, and a file without a member, are damage.  One thread
 * for each object.
 */

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

struct gzip_packer;

/* level 1 to 9. */
struct gzip_packer *gzip_packer_new(int level);
void gzip_packer_free(struct gzip_packer **packer);

/*
 * Append one member that holds all of "in".  Returns 0, or -1 when it would
 * pass the maximum of "out" (which is then as it was, overflow set).
 */
int gzip_pack(struct gzip_packer *packer, struct slice in, struct buf *out);

/*
 * The same in pieces: gzip_pack_begin(), then for each piece gzip_pack_piece().
 * 0, or -1 past the maximum of "out" (what was appended is then useless,
 * overflow set).  The same pieces always give the same output.
 */
void gzip_pack_begin(struct gzip_packer *packer);
int gzip_pack_piece(struct gzip_packer *packer, struct slice in, bool last,
		    struct buf *out);

/*
 * Packing in pieces of any size, seldom: gzip_write() for each piece,
 * gzip_write_end() at last, which makes it ready for another member.  Both
 * append to "out"; 0, or -1 past its maximum (what was appended is then
 * useless).  Always zlib.
 */
struct gzip_writer;

struct gzip_writer *gzip_writer_new(int level);
void gzip_writer_free(struct gzip_writer **writer);
int gzip_write(struct gzip_writer *writer, struct slice in, struct buf *out);
int gzip_write_end(struct gzip_writer *writer, struct buf *out);

struct gzip_reader;

/* Read from "fd" at its offset; the descriptor stays the caller's. */
struct gzip_reader *gzip_reader_new(int fd);
void gzip_reader_free(struct gzip_reader **reader);

/*
 * Up to "n" bytes, n > 0.  How many, 0 at the end of the last member, or -1:
 * errno is EBADMSG when the file is damaged or cut short, else read(2)'s.
 */
ptrdiff_t gzip_read(struct gzip_reader *reader, void *p, size_t n);

#endif /* BASE_GZIP_H */
