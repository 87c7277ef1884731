/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FAULT_INJECT_H
#define FAULT_INJECT_H

/*
 * inject - what the environment of the fault build asks for
 *
 *	SPARKTAIL_CRASH=NAME[:N]	die at the N-th pass (1) of this point
 *	SPARKTAIL_FAULT=CALL:N:WHAT[:COUNT]
 *		the N-th CALL fails, and so do the next, COUNT in all (1; 0 =
 *		for ever).  CALL: one of the Makefile's WRAPS, or "any".  WHAT:
 *		EIO, ENOSPC, ... or a number; "short": one byte moves;
 *		"exit": the process dies before the call.  What is written to
 *		standard error is neither counted nor fails.
 *	SPARKTAIL_CALLS=FILE		at the end: a line "CALL COUNT" for each
 *					kind, and "any"
 *	SPARKTAIL_CLOCK=FILE		seconds in there, which may be negative,
 *					are added to time(2); read at each call
 *	SPARKTAIL_NOSYNC=1		fsync is counted but does nothing
 *
 * To die is to end with INJECT_EXIT, without cleaning up.  What cannot be
 * understood ends the process with 64.  Any thread.
 */

enum { INJECT_EXIT = 99 };

/* End at once; the counters are written before. */
_Noreturn void inject_die(void);

/* "TEXT[:N]"; the number, 1 when there is none.  Ends the text before it. */
long inject_number(char *text);

_Noreturn void inject_mistake(const char *name, const char *value);

#endif /* FAULT_INJECT_H */
