/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef UNIT_FAULT_H
#define UNIT_FAULT_H

/*
 * fault - makes the n-th system call of a kind fail
 *
 *	fault_arm("fsync", 2, EIO);	the second fsync from now fails
 *	... the code under test ...
 *	n = fault_calls("fsync");	how many there were since arming
 *	fault_disarm();
 *
 * Works on calls made by our objects (the Makefile's WRAPS, by the linker's
 * --wrap), not inside libraries.  fault_short(): the n-th write or pread moves
 * only one byte.  One call is armed at a time; per process, not per thread.
 */

#include <stdbool.h>

void fault_arm(const char *call, int nth, int error);
void fault_short(const char *call, int nth);

/* Once fired, every later call of that kind fails too (a full disk). */
void fault_arm_from(const char *call, int nth, int error);

/*
 * "count" calls fail, from the n-th on.  Here and below, a "call" of NULL
 * means all of them, counted together.
 */
void fault_arm_some(const char *call, int nth, int count, int error);

/*
 * The process ends with FAULT_EXIT just before the n-th call, without cleaning
 * up: a crash.  Fork first.
 */
enum { FAULT_EXIT = 99 };
void fault_arm_exit(const char *call, int nth);

/*
 * fsync is counted and fails on demand, but does not wait for the disk: for
 * tests that sync by the thousand.  What they kill is a process, not a machine.
 */
void fault_skip_syncs(bool skip);

int fault_calls(const char *call);
void fault_disarm(void);

#endif /* UNIT_FAULT_H */
