/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef INGEST_DELIVERY_H
#define INGEST_DELIVERY_H

/*
 * delivery - takes batches out of ready/ and brings them to the service
 *
 *	struct delivery *d = delivery_new(&settings, spool, &transport, ctx);
 *	for (;;) {
 *		wait_ms = delivery_step(d, now_ms, now_s);
 *		transport wait, at most wait_ms
 *	}
 *	delivery_free(&d);
 *
 * A step reaps what the transport finished, acts on each answer as the table
 * in PRODUCT.md says, and starts what may start.  It takes the time as an
 * argument and talks to the service through struct delivery_transport, so that
 * tests script both.  It is one thread's; delivery_state() alone may be called
 * from another.
 *
 * The destination has one state, not each batch: after a failure nothing is
 * started until the backoff ends, then one upload is the probe, and when it
 * succeeds more may follow.
 *
 * How many uploads are in flight at once follows what the service bears: one at
 * first, one more whenever a window's worth was accepted, and never more than
 * "connections"; half as many after a burst of 429, 5xx, or no answer, and one
 * after an outage, or any other trouble.
 *
 * Several failures of one burst count once, an upload that was started before
 * the last failure proves nothing either way.  Retry-After is honoured up to
 * DELIVERY_PATIENCE_S, so that one wrong header cannot hold data back until it
 * has expired.
 *
 * What was accepted leaves the spool together with what is accepted within
 * DELIVERY_GATHER_MS, or until nothing more is in flight: they share the syncs.
 * A crash before that sends them again, as one before the answer does.
 *
 * Cutting.  A batch that is refused (400, 413, 422) stays in ready/ as it is,
 * and parts of it are sent, halved again until the guilty events stand alone.
 * Only one batch is cut at a time.  Parts are made from the batch's own bytes
 * in a stream, so memory does not depend on its size.  When it ends, the
 * guilty events are in refused/, the batch departs as sent, or as refused when
 * nothing of it was accepted.  When no part was accepted all the way down to
 * one event, and neither were the other halves on that way, nor any other
 * batch meanwhile, it is not the data: nothing is refused, the batch stays
 * whole in ready/, and the destination is treated as with a refused key.  Such
 * a batch is held back, and the next one is the probe; when that is accepted,
 * it was the data after all, and the batch is cut down to the end.  A batch of
 * one event has no other half: it is held back likewise, without alarm when
 * something was accepted in the last hour, until another one is accepted.
 * An event is refused for good only when it was refused twice, by itself or in
 * a larger part, and something else was accepted between: else it may have met
 * an outage, and is asked about again.  A crash in between repeats parts, which
 * the service drops as duplicates by event_id.
 *
 * Disk trouble.  What was accepted and cannot depart is kept in mind, tried
 * again, and never sent again by this process.  A batch whose file is gone is
 * left alone.
 */

#include <stdbool.h>
#include <stdint.h>

#include "ingest/http.h"
#include "spool/spool.h"

struct delivery;

enum {
	DELIVERY_PATIENCE_S = 3600,
	DELIVERY_GATHER_MS = 20 /* that what was accepted waits for others */
};

struct delivery_settings {
	unsigned int connections;
	int64_t retry_min_ms, retry_max_ms;
	int compression; /* for the parts of a batch that is cut */
	bool verbose;	 /* log a line for each batch */
	/* Replaces, in the service's words, what must not be kept: with
	 * privacy, mail addresses are masked before words are stored.  In the
	 * log and in last_error they always are. */
	bool privacy;
	/* Batches whose newest event is older hold nothing that the service
	 * would take: they depart unsent.  0 = never. */
	int64_t max_age_s;
	/* Called for events that have just been put into refused/, for their
	 * rows; "event_json" is the line of a single one, else empty.  After a
	 * crash the same events may come again.  NULL = nobody asks. */
	void (*on_refused)(void *ctx, const struct batch *batch, uint32_t first,
			   uint32_t count, struct slice event_json);
	void *on_refused_ctx;
};

/* http.h behind function pointers; NULL ctx is never passed. */
struct delivery_transport {
	int (*post)(void *ctx, uint64_t token, int fd, off_t offset,
		    off_t size);
	bool (*reap)(void *ctx, struct http_reply *reply_out, int64_t now_s);
	unsigned int (*busy)(void *ctx);
};

/* The one for struct http. */
extern const struct delivery_transport delivery_over_http;

struct delivery *delivery_new(const struct delivery_settings *settings,
			      struct spool *spool,
			      const struct delivery_transport *transport,
			      void *transport_ctx);
void delivery_free(struct delivery **delivery);

/* New settings and transport after a reload: what was in flight goes back to
 * ready/; a refused key is tried again at once. */
void delivery_configure(struct delivery *delivery,
			const struct delivery_settings *settings,
			const struct delivery_transport *transport,
			void *transport_ctx);

/* The milliseconds until it wants to be called again without any event. */
int64_t delivery_step(struct delivery *delivery, int64_t now_ms, int64_t now_s);

/* Start nothing more; what is in flight may finish: until in_flight is 0. */
void delivery_drain(struct delivery *delivery);

enum delivery_phase {
	DELIVERY_IDLE = 0,
	DELIVERY_SENDING,
	DELIVERY_WAITING,    /* backoff */
	DELIVERY_KEY_REFUSED /* 401, 403, configuration, or not the data */
};

struct delivery_state {
	enum delivery_phase phase;
	unsigned int in_flight; /* uploads, and batches that cannot depart */
	unsigned int window;	/* how many may be in flight at once */
	uint64_t failures;	/* since this process began */
	int64_t last_success_s; /* 0 = none in this process */
	int64_t next_try_s;	/* 0 = now */
	bool key_refused;	/* 401 or 403 was the last answer (exit 77) */
	char last_error[320];	/* without key or address; "" after success */
};

/* A copy; any thread. */
void delivery_state(struct delivery *delivery,
		    struct delivery_state *state_out);

/* "idle", "sending", "waiting", "key-refused". */
const char *delivery_phase_name(enum delivery_phase phase);

#endif /* INGEST_DELIVERY_H */
