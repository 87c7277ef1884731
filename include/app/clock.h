/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef APP_CLOCK_H
#define APP_CLOCK_H

/*
 * clock - the two clocks; only app/ reads them
 *
 * Everything else takes the time as an argument, so that tests need no sleep.
 * clock_ms() never goes backwards and says nothing about the date; clock_s()
 * is the date and may jump.  Any thread.
 */

#include <stdint.h>

int64_t clock_ms(void);
int64_t clock_s(void);

#endif /* APP_CLOCK_H */
