/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef APP_WAKE_H
#define APP_WAKE_H

/*
 * wake - a wait that another thread or a signal can end
 *
 * One for the process.  wake_up() is async-signal-safe and may be called from
 * any thread; the others from the main thread.
 */

#include <stdint.h>

/* 0, or -1 with errno. */
int wake_open(void);
void wake_close(void);

/* Wait up to timeout_ms, or until wake_up() was called since the last wait. */
void wake_wait(int64_t timeout_ms);
void wake_up(void);

#endif /* APP_WAKE_H */
