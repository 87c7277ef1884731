/* SPDX-License-Identifier: GPL-2.0-only */
#include "ingest/delivery_private.h"

#include <errno.h>
#include <inttypes.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"

/*
 * What is sent next: the batch that is being cut goes on, then one that is to
 * be cut, then the oldest in ready/, and last, when nothing else can be the
 * probe, a batch that was held back.
 */

/* The descriptor is the transport's from now on.  1, or -1. */
int delivery_send_fd(struct delivery *d, const struct delivery_upload *what,
		     int fd, off_t size)
{
	struct delivery_trouble trouble = {.kind = TROUBLE_NETWORK,
					   .retry_after_s = -1,
					   .words = "cannot start an upload"};
	struct delivery_upload *upload = d->uploads;

	while (upload->busy)
		upload++;
	*upload = *what;
	upload->number = ++d->number;
	upload->busy = true;
	d->in_flight++;
	delivery_gate_sent(d);
	if (d->transport->post(d->transport_ctx, upload->number + d->token, fd,
			       0, size) == 0)
		return 1;
	upload->busy = false;
	d->in_flight--;
	d->failures++;
	delivery_gate_fails(d, upload->number, &trouble);
	delivery_result_return(d, upload);
	return -1;
}

/* --- Batches that are too old --- */

void delivery_send_end_burst(struct delivery *d)
{
	if (!d->expired_batches)
		return;
	log_warnx("delivery: expired before they could be sent: %" PRIu64
		  " batches: %" PRIu64 " events, limit %lld s",
		  d->expired_batches, d->expired_events,
		  (long long)d->settings.max_age_s);
	d->expired_batches = d->expired_events = 0;
}

static bool send_expired(struct delivery *d, const struct batch *batch)
{
	struct delivery_kept *kept;

	if (d->settings.max_age_s <= 0 ||
	    d->now_s - d->settings.max_age_s <= batch->newest_s)
		return false;
	d->expired_batches++;
	d->expired_events += batch_events(batch);
	kept = delivery_result_keep(d, KEPT_DEPART, batch);
	kept->why = BATCH_EXPIRED;
	kept->at_ms = d->now_ms;
	delivery_result_depart(d);
	return true;
}

/* --- Whole batches --- */

static int send_open_failed(struct delivery *d, const struct batch *batch)
{
	int error = errno;

	if (error == ENOENT) {
		log_errorx(
			"delivery: file is gone, left alone: batch %016" PRIx64
			": %" PRIu64 " events",
			batch->seq, batch_events(batch));
		return 1;
	}
	delivery_log_disk(d, "cannot open", batch);
	if (error == EMFILE || error == ENFILE || error == ENOMEM) {
		spool_put_back(d->spool, batch);
		d->take_at_ms = d->now_ms + DELIVERY_DISK_MS;
		return 0;
	}
	/* Do not let one unreadable file hold up all that come after it. */
	delivery_result_keep(d, KEPT_LATER, batch)->at_ms =
		d->now_ms + d->settings.retry_max_ms;
	return 1;
}

static int send_batch(struct delivery *d, const struct batch *batch)
{
	struct delivery_upload upload = {
		.batch = *batch, .count = (uint32_t)batch_events(batch)};
	struct stat st;
	int fd;

	if (send_expired(d, batch))
		return 1;
	delivery_send_end_burst(d);
	fd = spool_open_batch(d->spool, batch);
	if (fd < 0)
		return send_open_failed(d, batch);
	if (fstat(fd, &st) < 0)
		st.st_size = (off_t)batch->bytes;
	return delivery_send_fd(d, &upload, fd, st.st_size);
}

static int send_fresh(struct delivery *d)
{
	struct batch batch;
	int status;

	if (d->now_ms < d->take_at_ms)
		return 0;
	status = spool_take(d->spool, &batch);
	if (status > 0)
		return send_batch(d, &batch);
	delivery_send_end_burst(d);
	if (status < 0) {
		delivery_log_disk(d, "cannot read ready/", NULL);
		d->take_at_ms = d->now_ms + DELIVERY_DISK_MS;
	}
	return 0;
}

static int send_kept(struct delivery *d, struct delivery_kept *kept)
{
	/* Its place may be the one where it is kept again. */
	struct batch batch = kept->batch;

	kept->state = KEPT_NONE;
	return send_batch(d, &batch);
}

static int send_later(struct delivery *d)
{
	for (int i = 0; i < DELIVERY_KEPT; i++) {
		if (d->kept[i].state == KEPT_LATER &&
		    d->now_ms >= d->kept[i].at_ms)
			return send_kept(d, &d->kept[i]);
	}
	return 0;
}

/* Nothing else could be the probe: the oldest of those held back. */
static int send_suspect(struct delivery *d)
{
	struct delivery_kept *oldest = NULL;

	if (d->gate.mode != GATE_PROBE || d->now_ms < d->suspect_at_ms ||
	    d->cut.active)
		return 0;
	for (int i = 0; i < DELIVERY_KEPT; i++) {
		struct delivery_kept *kept = &d->kept[i];

		if (kept->state == KEPT_REFUSED && kept->suspect &&
		    (!oldest || kept->batch.seq < oldest->batch.seq))
			oldest = kept;
	}
	return oldest ? send_kept(d, oldest) : 0;
}

/* Each upload, and the cut, may need a place among the kept. */
static bool send_has_room(const struct delivery *d)
{
	unsigned int used = d->in_flight + d->cut.active;

	for (int i = 0; i < DELIVERY_KEPT; i++)
		used += d->kept[i].state != KEPT_NONE;
	return used + 1 < DELIVERY_KEPT &&
	       delivery_result_suspects(d) < DELIVERY_SUSPECTS;
}

/* 1: something was done; 0: nothing to do now; -1: nothing can be sent. */
int delivery_send_next(struct delivery *d)
{
	int status = delivery_cut_next(d);

	if (status)
		return status;
	if (!d->cut.active && delivery_cut_begin(d))
		return 1;
	if (send_has_room(d)) {
		status = send_fresh(d);
		if (status)
			return status;
		status = send_later(d);
		if (status)
			return status;
	}
	return send_suspect(d);
}
