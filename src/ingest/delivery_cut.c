/* SPDX-License-Identifier: GPL-2.0-only */
#include "ingest/delivery_private.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <unistd.h>

#include "base/crash.h"
#include "base/fs.h"
#include "base/log.h"

/*
 * The parts to send are a stack, the first half on top.  As long as nothing
 * was accepted, only the first half of each refused part is cut further: what
 * is refused beside that way is in doubt.  With a witness the doubtful parts
 * are cut too; without one, when all is sent, it was not the data.
 *
 * Only with a witness are events refused, and always after it was seen: one
 * that was refused before that is asked about again, since the service may have
 * been refusing everything until then.  Each is on disk before the batch
 * departs, and what the disk does not take at once stays in doubt and is tried
 * again.
 */

enum { CUT_GZ = 64 << 20, CUT_LINE = 16 << 20 };

static bool cut_witness(const struct delivery *d)
{
	return delivery_result_witness(d, d->cut.begun);
}

static void cut_push(struct delivery_cut *cut, uint32_t first, uint32_t count,
		     bool again)
{
	assert(cut->todo_count < CUT_TODO);
	cut->todo[cut->todo_count].first = first;
	cut->todo[cut->todo_count].count = count;
	cut->todo[cut->todo_count].again = again;
	cut->todo_count++;
}

static void cut_halve(struct delivery_cut *cut, uint32_t first, uint32_t count)
{
	uint32_t half = count / 2;

	cut_push(cut, first + half, count - half, false);
	cut_push(cut, first, half, false);
}

static void cut_doubt(struct delivery_cut *cut,
		      const struct delivery_part *part)
{
	assert(cut->doubt_count < CUT_DOUBT);
	cut->doubt[cut->doubt_count++] = *part;
}

/* The disk, not the service: the same again a little later. */
static void cut_disk(struct delivery *d, const char *what)
{
	delivery_log_disk(d, what, &d->cut.batch);
	d->cut.again_ms = d->now_ms + DELIVERY_DISK_MS;
}

/* --- Refusing --- */

static struct slice cut_words(struct delivery *d, struct delivery_part *part)
{
	if (d->settings.privacy)
		answer_mask(part->words);
	return slice_str(part->words);
}

static int cut_refuse_packed(struct delivery *d, struct delivery_part *part,
			     struct slice gz, struct slice json)
{
	struct delivery_cut *cut = &d->cut;

	if (spool_refuse(d->spool, &cut->batch, part->first, part->count, gz,
			 part->status, cut_words(d, part), d->now_s) < 0)
		return -1;
	cut->refused += part->count;
	cut->last = *part;
	d->disk_said = false;
	if (d->settings.on_refused)
		d->settings.on_refused(d->settings.on_refused_ctx, &cut->batch,
				       part->first, part->count, json);
	return 0;
}

/* -1: errno says why; EBADMSG: the batch cannot be unpacked. */
static int cut_refuse_event(struct delivery *d, struct delivery_part *part)
{
	struct buf gz, json;
	int fd = spool_open_batch(d->spool, &d->cut.batch);
	int status = -1;
	int error;

	if (fd < 0)
		return -1;
	buf_init(&gz, CUT_GZ);
	buf_init(&json, CUT_LINE);
	if (delivery_part_pack(fd, part, d->settings.compression, &gz, &json) >=
	    0)
		status = cut_refuse_packed(d, part, buf_slice(&gz),
					   slice_trim(buf_slice(&json)));
	error = errno;
	buf_release(&gz);
	buf_release(&json);
	close(fd);
	errno = error;
	return status;
}

/* The whole file as it is: it cannot be unpacked. */
static int cut_refuse_file(struct delivery *d, struct delivery_part *part)
{
	struct buf gz;
	int fd = spool_open_batch(d->spool, &d->cut.batch);
	ssize_t n = -1;
	int error;

	if (fd < 0)
		return -1;
	buf_init(&gz, CUT_GZ);
	if (d->cut.batch.bytes <= CUT_GZ &&
	    buf_reserve(&gz, d->cut.batch.bytes) == 0)
		n = fs_pread(fd, gz.p, d->cut.batch.bytes, 0);
	if (n >= 0 && cut_refuse_packed(d, part, slice_of(gz.p, (size_t)n),
					SLICE("")) < 0)
		n = -1;
	error = errno;
	buf_release(&gz);
	close(fd);
	errno = error;
	return n < 0 ? -1 : 0;
}

/* --- Beginning and ending --- */

static void cut_start(struct delivery_cut *cut,
		      const struct delivery_kept *kept)
{
	memset(cut, 0, sizeof(*cut));
	cut->active = true;
	cut->batch = kept->batch;
	cut->events = (uint32_t)batch_events(&kept->batch);
	cut->begun = cut->number = kept->number;
	cut->last.count = cut->events;
	cut->last.status = kept->status;
	memcpy(cut->last.words, kept->words, sizeof(cut->last.words));
}

static struct delivery_kept *cut_oldest(struct delivery *d)
{
	struct delivery_kept *oldest = NULL;

	for (int i = 0; i < DELIVERY_KEPT; i++) {
		struct delivery_kept *kept = &d->kept[i];

		if (kept->state == KEPT_REFUSED &&
		    (!kept->suspect ||
		     delivery_result_witness(d, kept->number)) &&
		    (!oldest || kept->batch.seq < oldest->batch.seq))
			oldest = kept;
	}
	return oldest;
}

/* Take up the oldest refused batch; false when there is none to cut. */
bool delivery_cut_begin(struct delivery *d)
{
	struct delivery_kept *kept = cut_oldest(d);

	if (!kept)
		return false;
	cut_start(&d->cut, kept);
	d->cut.last.again = kept->damaged;
	if (kept->damaged)
		cut_doubt(&d->cut, &d->cut.last);
	else if (d->cut.events <= 1)
		cut_push(&d->cut, 0, d->cut.events, true);
	else
		cut_halve(&d->cut, 0, d->cut.events);
	kept->state = KEPT_NONE;
	return true;
}

static void cut_end(struct delivery *d)
{
	struct delivery_cut *cut = &d->cut;
	struct delivery_kept *kept;
	char words[ANSWER_WORDS];

	crash_point("cut.ended");
	kept = delivery_result_keep(d, KEPT_DEPART, &cut->batch);
	kept->why = cut->refused == cut->events ? BATCH_REFUSED : BATCH_SENT;
	kept->refused = cut->refused;
	kept->at_ms = d->now_ms;
	cut->active = false;
	memcpy(words, cut->last.words, sizeof(words));
	answer_mask(words);
	if (cut->refused)
		log_warnx("delivery: events refused: batch %016" PRIx64
			  ": %u of %u: status %d: %.200s",
			  cut->batch.seq, cut->refused, cut->events,
			  cut->last.status, words);
	else
		log_info("delivery: accepted in parts: batch %016" PRIx64
			 ": %u events: status %d: %.200s",
			 cut->batch.seq, cut->events, cut->last.status, words);
	delivery_result_depart(d);
}

static struct delivery_kept *cut_back(struct delivery *d)
{
	struct delivery_cut *cut = &d->cut;
	struct delivery_kept *kept;

	cut->active = false;
	kept = delivery_result_keep(d, KEPT_REFUSED, &cut->batch);
	kept->number = cut->begun;
	kept->status = cut->last.status;
	memcpy(kept->words, cut->last.words, sizeof(kept->words));
	return kept;
}

/* Nothing was accepted: back in one piece, and with it all in the same case. */
static void cut_give_up(struct delivery *d)
{
	struct delivery_kept *kept;

	for (int i = 0; i < DELIVERY_KEPT; i++) {
		kept = &d->kept[i];
		if (kept->state == KEPT_REFUSED &&
		    !delivery_result_witness(d, kept->number))
			kept->suspect = true;
	}
	kept = cut_back(d);
	kept->number = d->cut.number;
	delivery_result_suspect(d, kept, false);
}

/* It cannot be cut: refused as it is, once there is a witness. */
static void cut_damaged(struct delivery *d)
{
	struct delivery_kept *kept = cut_back(d);

	log_errorx("delivery: batch is damaged: batch %016" PRIx64 ": %" PRIu64
		   " bytes",
		   kept->batch.seq, kept->batch.bytes);
	kept->damaged = true;
	if (!delivery_result_witness(d, kept->number))
		delivery_result_suspect(d, kept, false);
}

/* --- One step of it --- */

/* With a witness: what is in doubt is refused, or cut further. */
static int cut_resolve(struct delivery *d)
{
	struct delivery_cut *cut = &d->cut;
	struct delivery_part *part = &cut->doubt[cut->doubt_count - 1];
	bool whole = part->count == cut->events;
	int status = 0;

	if (part->count == 1 && !part->again) {
		cut->doubt_count--;
		cut_push(cut, part->first, 1, true);
		return 1;
	}
	if (whole && part->count != 1)
		status = cut_refuse_file(d, part);
	else if (part->count == 1)
		status = cut_refuse_event(d, part);
	if (status < 0 && errno == EBADMSG && !whole) {
		cut_damaged(d);
		return 1;
	}
	if (status < 0 && errno == EBADMSG)
		status = cut_refuse_file(d, part);
	if (status < 0) {
		cut_disk(d, "cannot keep refused events of");
		return 0;
	}
	crash_point("cut.resolved");
	cut->doubt_count--;
	if (part->count > 1 && !whole)
		cut_halve(cut, part->first, part->count);
	return 1;
}

/* Pack the part on top of the stack: its descriptor and size, or -1. */
static int cut_pack(struct delivery *d, const struct delivery_part *part,
		    off_t *size_out)
{
	struct buf gz;
	int batch = spool_open_batch(d->spool, &d->cut.batch);
	int fd = -1;
	int error;
	int64_t lines;

	if (batch < 0)
		return -1;
	buf_init(&gz, CUT_GZ);
	lines = delivery_part_pack(batch, part, d->settings.compression, &gz,
				   NULL);
	if (lines >= 0)
		fd = delivery_part_file(buf_slice(&gz));
	error = errno;
	*size_out = lines > 0 ? (off_t)gz.len : 0;
	buf_release(&gz);
	close(batch);
	errno = error;
	return fd;
}

static int cut_send(struct delivery *d)
{
	struct delivery_cut *cut = &d->cut;
	struct delivery_upload upload = {.part = true, .batch = cut->batch};
	struct delivery_part part = {0};
	off_t size;
	int fd;

	upload.first = part.first = cut->todo[cut->todo_count - 1].first;
	upload.count = part.count = cut->todo[cut->todo_count - 1].count;
	upload.again = cut->todo[cut->todo_count - 1].again;
	fd = cut_pack(d, &part, &size);
	if (fd < 0 && errno == EBADMSG) {
		cut_damaged(d);
		return 1;
	}
	if (fd < 0) {
		cut_disk(d, "cannot cut");
		return 0;
	}
	cut->todo_count--;
	if (!size) { /* the file has fewer lines than its name says */
		close(fd);
		return 1;
	}
	cut->in_flight = true;
	return delivery_send_fd(d, &upload, fd, size);
}

/* 1: something was done; 0: nothing to do now; -1: nothing can be sent. */
int delivery_cut_next(struct delivery *d)
{
	struct delivery_cut *cut = &d->cut;

	if (!cut->active || cut->in_flight || d->now_ms < cut->again_ms)
		return 0;
	if (cut->doubt_count && cut_witness(d) &&
	    (!cut->todo_count || cut->doubt[cut->doubt_count - 1].count == 1))
		return cut_resolve(d);
	if (cut->todo_count)
		return cut_send(d);
	if (cut->doubt_count)
		cut_give_up(d);
	else
		cut_end(d);
	return 1;
}

void delivery_cut_refused(struct delivery *d,
			  const struct delivery_upload *upload, int status,
			  const char *words)
{
	struct delivery_cut *cut = &d->cut;
	struct delivery_part part = {.first = upload->first,
				     .count = upload->count,
				     .status = status};
	bool since = cut_witness(d) && d->accepted_number < upload->number;

	part.again = upload->again || since;
	memcpy(part.words, words, sizeof(part.words));
	cut->in_flight = false;
	cut->number = upload->number;
	cut->last = part;
	if (part.count > 1 && (part.first == 0 || cut_witness(d)))
		cut_halve(cut, part.first, part.count);
	else
		cut_doubt(cut, &part);
}

/* It came to nothing: the same part once more. */
void delivery_cut_again(struct delivery *d,
			const struct delivery_upload *upload)
{
	d->cut.in_flight = false;
	cut_push(&d->cut, upload->first, upload->count, upload->again);
}
