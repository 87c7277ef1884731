/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef APP_SHIPPER_H
#define APP_SHIPPER_H

/*
 * shipper - a configuration, a spool, intake and uploader, put together
 *
 *	struct shipper s;
 *	status = shipper_open(&s, options, wake);  0, or the exit status; said
 *	... intake_step(s.intake, ...) ...
 *	shipper_reload(&s);
 *	shipper_close(&s, grace_ms);
 *
 * What run and once share: start in the right order, end in the reverse one.
 * "wake" is called, from any thread, when something departed.  Main thread.
 */

#include "app/cmd.h"
#include "app/config.h"
#include "app/counted.h"
#include "app/intake.h"
#include "app/uploader.h"

enum { SHIPPER_GRACE_MS = 10000 };

struct shipper {
	struct config *config;
	struct spool *spool;
	struct intake *intake;
	struct uploader *uploader;
	struct counted *counted;
	void (*wake)(void);
};

/* beat_ms: see struct uploader_hooks. */
int shipper_open(struct shipper *shipper, const struct options *options,
		 int64_t beat_ms, void (*wake)(void));

/* Read the configuration again.  One that is wrong is said and not used. */
void shipper_reload(struct shipper *shipper, const struct options *options);

/* Save, stop the uploader within grace_ms, save what it did.  0, or EX_IOERR
 * when the checkpoint could not be saved. */
int shipper_close(struct shipper *shipper, int64_t grace_ms);

#endif /* APP_SHIPPER_H */
