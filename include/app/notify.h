/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef APP_NOTIFY_H
#define APP_NOTIFY_H

/*
 * notify - tells a supervisor how we are (sd_notify(3) protocol)
 *
 *	notify_open();
 *	notify_send("READY=1");
 *	if (notify_watchdog_ms()) ... notify_send("WATCHDOG=1") in half the time
 *
 * A datagram to the socket that NOTIFY_SOCKET names; without one, or where it
 * fails, nothing happens: being supervised is never a condition for working.
 * Main thread only.
 */

#include <stdint.h>

void notify_open(void);
void notify_close(void);

/* One or more lines "NAME=value". */
void notify_send(const char *lines);

/* "RELOADING=1" with the time stamp that systemd wants beside it. */
void notify_reloading(void);

/* WATCHDOG_USEC in milliseconds, 0 when nobody watches this process. */
int64_t notify_watchdog_ms(void);

#endif /* APP_NOTIFY_H */
