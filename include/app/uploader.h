/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef APP_UPLOADER_H
#define APP_UPLOADER_H

/*
 * uploader - delivery on a thread of its own
 *
 *	struct uploader *u = uploader_start(config, spool, &hooks, &why);
 *	uploader_wake(u);			a batch is ready
 *	uploader_configure(u, config, &why);	after a reload
 *	uploader_stop(&u, grace_ms, &state);
 *
 * The thread owns struct delivery and struct http; the spool between it and
 * intake locks itself.  The configuration is copied where it is needed.
 * Functions are for the main thread, but uploader_wake() from any.
 */

#include <stdbool.h>
#include <stdint.h>

#include "app/config.h"
#include "ingest/delivery.h"

struct uploader;

struct uploader_hooks {
	/* On the uploader's thread: an event was refused for good. */
	void (*refused)(void *ctx, const struct batch *batch, uint32_t first,
			uint32_t count, struct slice json);
	/* Likewise: delivery_state() has news for status. */
	void (*changed)(void *ctx);
	void *ctx;
	int64_t beat_ms; /* the longest time between two beats; INT64_MAX:
			    nobody listens, so it sleeps until it is woken */
};

/* NULL and why: a setting that curl refuses. */
struct uploader *uploader_start(const struct config *config,
				struct spool *spool,
				const struct uploader_hooks *hooks,
				struct buf *why);

/* 0, or -1 and why: then the old settings stay. */
int uploader_configure(struct uploader *uploader, const struct config *config,
		       struct buf *why);

void uploader_wake(struct uploader *uploader);
void uploader_state(struct uploader *uploader, struct delivery_state *out);

/* A number that changes as long as the thread is alive and well. */
uint64_t uploader_beats(struct uploader *uploader);

/*
 * Start nothing more, give what is in flight up to grace_ms, then cancel it
 * (it stays in ready/ and will be sent again), and end the thread.
 * last_out is the state after that.
 */
void uploader_stop(struct uploader **uploader, int64_t grace_ms,
		   struct delivery_state *last_out);

#endif /* APP_UPLOADER_H */
