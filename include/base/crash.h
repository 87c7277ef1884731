/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef BASE_CRASH_H
#define BASE_CRASH_H

/*
 * crash - places where a test lets the program die
 *
 *	crash_point("seal.placed");
 *
 * One stands between any two steps that change the disk.  Here they are
 * nothing; in the fault build (test/fault/) the process ends there at once,
 * without cleaning up, when SPARKTAIL_CRASH names the place.  A name is
 * ROOM.WHAT_HAS_HAPPENED and stands in one place only; test/fault/f_crash.sh
 * has a scenario for each, and fails for one that has none.
 */

#ifdef CRASH_POINTS
void crash_point(const char *name);
#else
#define crash_point(name) ((void)0)
#endif

#endif /* BASE_CRASH_H */
