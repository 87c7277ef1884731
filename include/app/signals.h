/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef APP_SIGNALS_H
#define APP_SIGNALS_H

/*
 * signals - what the operator or the supervisor asked for
 *
 * signals_open() installs handlers that only set a flag and call "wake", which
 * must be async-signal-safe.  SIGTERM and SIGINT: stop.  SIGHUP: reload.
 * SIGUSR1: say how we are.  Main thread; other threads are started with these
 * signals blocked (signals_block(), signals_unblock()).
 */

#include <stdbool.h>

void signals_open(void (*wake)(void));

bool signals_stop(void);

/* Was it asked since the last call? */
bool signals_reload(void);
bool signals_report(void);

void signals_block(void);
void signals_unblock(void);

#endif /* APP_SIGNALS_H */
