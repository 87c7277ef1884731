/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SPOOL_CHECKPOINT_PUT_H
#define SPOOL_CHECKPOINT_PUT_H

/*
 * checkpoint_put - pieces of JSON text, for the checkpoint's writer alone
 *
 * Where a "key" is given it is written first, as it stands: with its comma,
 * quotes and colon.  Text that passes the buffer's maximum sets its overflow.
 */

#include <stdint.h>

#include "base/buf.h"

void checkpoint_put_uint(struct buf *out, uint64_t value);

/* As a number; beyond what JSON readers hold in a signed one, as a string. */
void checkpoint_put_count(struct buf *out, struct slice key, uint64_t value);
void checkpoint_put_quoted(struct buf *out, struct slice key, uint64_t value);
void checkpoint_put_signed(struct buf *out, struct slice key, int64_t value);

/* 16 hexadecimal digits. */
void checkpoint_put_hex(struct buf *out, struct slice key, uint64_t value);

/* The text must be UTF-8. */
void checkpoint_put_string(struct buf *out, struct slice text);

/* Any bytes, two digits each. */
void checkpoint_put_hex_string(struct buf *out, struct slice text);

#endif /* SPOOL_CHECKPOINT_PUT_H */
