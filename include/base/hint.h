/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef BASE_HINT_H
#define BASE_HINT_H

/*
 * hint - what mostly is so, where a row passes
 *
 *	if (UNLIKELY(event->listed)) ...
 *
 * The compiler lays the usual way out straight, and what is rare out of it.
 * For the branches that nearly every row of every file takes alike, and no
 * others: elsewhere it only makes reading harder.
 */

#define LIKELY(condition)   __builtin_expect(!!(condition), 1)
#define UNLIKELY(condition) __builtin_expect(!!(condition), 0)

#endif /* BASE_HINT_H */
