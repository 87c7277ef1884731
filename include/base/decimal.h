/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef BASE_DECIMAL_H
#define BASE_DECIMAL_H

/*
 * decimal - the digits of a number, without printf
 *
 *	p = decimal_put(p, 4711);	p moves behind them
 *
 * Takes DECIMAL_ROOM bytes at "p" as its own, however many digits there are.
 * Cannot fail; any thread.
 */

#include <stdint.h>

#include "base/slice.h"

/* 20 digits, written by eights. */
enum { DECIMAL_ROOM = 32 };

char *decimal_put(char *p, uint64_t number);

static inline struct slice decimal_text(char text[DECIMAL_ROOM],
					uint64_t number)
{
	return slice_of(text, (size_t)(decimal_put(text, number) - text));
}

#endif /* BASE_DECIMAL_H */
