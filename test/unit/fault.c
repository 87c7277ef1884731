/* SPDX-License-Identifier: GPL-2.0-only */
#include "unit/fault.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#include "fault/wrap.h"
#include "unit/check_all.h"

static const char *const fault_names[] = {"write",    "read",	   "pread",
					  "fsync",    "openat",	   "renameat",
					  "unlinkat", "ftruncate", "close"};

/* Instead of one kind's place among the names. */
enum { FAULT_NONE = -1, FAULT_ANY = -2 };

/* Atomic, because code under test may have threads. */
static _Atomic int fault_counts[NROF(fault_names)];
static _Atomic int fault_total;
static _Atomic int fault_which = FAULT_NONE, fault_nth, fault_last, fault_error;
static _Atomic bool fault_is_short, fault_is_exit, fault_lies;

static int fault_index(const char *call)
{
	for (size_t i = 0; i < NROF(fault_names); i++) {
		if (strcmp(call, fault_names[i]) == 0)
			return (int)i;
	}
	ck_abort_msg("fault: no such call: %s", call);
	return -1;
}

void fault_disarm(void)
{
	fault_which = FAULT_NONE;
}

static void fault_set(const char *call, int nth, int count, int error)
{
	for (size_t i = 0; i < NROF(fault_names); i++)
		fault_counts[i] = 0;
	fault_total = 0;
	fault_is_exit = fault_is_short = false;
	fault_nth = nth;
	fault_last = nth + count - 1;
	fault_error = error;
	fault_which = call ? fault_index(call) : FAULT_ANY;
}

void fault_arm(const char *call, int nth, int error)
{
	fault_set(call, nth, 1, error);
}

void fault_arm_from(const char *call, int nth, int error)
{
	fault_set(call, nth, INT_MAX - nth, error);
}

void fault_arm_some(const char *call, int nth, int count, int error)
{
	fault_set(call, nth, count, error);
}

void fault_short(const char *call, int nth)
{
	fault_set(call, nth, 1, 0);
	fault_is_short = true;
}

void fault_arm_exit(const char *call, int nth)
{
	fault_set(call, nth, 1, 0);
	fault_is_exit = true;
}

void fault_skip_syncs(bool skip)
{
	fault_lies = skip;
}

int fault_calls(const char *call)
{
	return call ? fault_counts[fault_index(call)] : fault_total;
}

/* Count the call; does the fault strike it? */
static bool fault_strikes(const char *call)
{
	int which = fault_index(call);
	int count = ++fault_counts[which];
	int total = ++fault_total;

	if (fault_which == FAULT_ANY)
		count = total;
	else if (fault_which != which)
		return false;
	if (count < fault_nth || count > fault_last)
		return false;
	if (fault_is_exit)
		_exit(FAULT_EXIT);
	return true;
}

bool wrap_fails(const char *call)
{
	if (!fault_strikes(call) || fault_is_short)
		return false;
	errno = fault_error;
	return true;
}

/* Bytes that may move: 1 where the fault is a short count. */
ssize_t wrap_room(const char *call, int fd, size_t n)
{
	(void)fd;
	if (!fault_strikes(call))
		return (ssize_t)n;
	if (fault_is_short)
		return n ? 1 : 0;
	errno = fault_error;
	return -1;
}

bool wrap_lies(void)
{
	return fault_lies;
}
