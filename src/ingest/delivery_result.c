/* SPDX-License-Identifier: GPL-2.0-only */
#include "ingest/delivery_private.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/crash.h"
#include "base/log.h"

/*
 * What an answer does to its batch: the table of PRODUCT.md, "What each answer
 * of the service does".  Every batch that was taken is in exactly one place:
 * an upload, the kept ones, or the cut.
 */

struct delivery_kept *delivery_result_keep(struct delivery *d,
					   enum delivery_kept_state state,
					   const struct batch *batch)
{
	struct delivery_kept *kept = d->kept;

	/* delivery_send.c starts nothing that would not fit in here. */
	while (kept->state != KEPT_NONE) {
		kept++;
		assert(kept < d->kept + DELIVERY_KEPT);
	}
	memset(kept, 0, sizeof(*kept));
	kept->state = state;
	kept->batch = *batch;
	return kept;
}

unsigned int delivery_result_suspects(const struct delivery *d)
{
	unsigned int n = 0;

	for (int i = 0; i < DELIVERY_KEPT; i++)
		n += d->kept[i].state == KEPT_REFUSED && d->kept[i].suspect;
	return n;
}

/* Has the service taken something that was started after "number"? */
bool delivery_result_witness(const struct delivery *d, uint64_t number)
{
	return d->accepted_number > number;
}

/* --- Leaving --- */

static struct spool_accepted result_accept(const struct delivery_kept *kept)
{
	return (struct spool_accepted){
		.batch = &kept->batch,
		.count = (uint32_t)batch_events(&kept->batch),
		.id = kept->id};
}

static int result_note(struct delivery *d, struct delivery_kept *kept)
{
	struct spool_accepted note = result_accept(kept);

	if (!kept->id[0])
		return 0;
	if (spool_note_accepted(d->spool, &note, 1, d->now_s) < 0) {
		delivery_log_disk(d, "cannot note the id of", &kept->batch);
		return -1;
	}
	kept->id[0] = '\0';
	return 0;
}

static void result_depart(struct delivery *d, struct delivery_kept *kept)
{
	bool noted = result_note(d, kept) == 0;

	/* Departing frees the room that a note may lack: do not insist. */
	if (noted || kept->tried) {
		if (spool_depart(d->spool, &kept->batch, kept->why,
				 kept->refused) == 0) {
			kept->state = KEPT_NONE;
			d->disk_said = d->disk_said && !noted;
			return;
		}
		delivery_log_disk(d, "cannot move", &kept->batch);
	}
	kept->tried = true;
	kept->at_ms = d->now_ms + DELIVERY_DISK_MS;
}

/* All of them, with the syncs of one.  When the disk refuses, each is tried by
 * itself. */
static bool result_depart_all(struct delivery *d,
			      struct delivery_kept *const *kept, size_t count)
{
	struct spool_departure leaving[SPOOL_DEPARTURES] = {0};
	struct spool_accepted notes[SPOOL_DEPARTURES];
	size_t noted = 0;

	for (size_t i = 0; i < count; i++) {
		leaving[i] = (struct spool_departure){
			&kept[i]->batch, kept[i]->why, kept[i]->refused};
		if (kept[i]->id[0])
			notes[noted++] = result_accept(kept[i]);
	}
	if (noted && spool_note_accepted(d->spool, notes, noted, d->now_s) < 0)
		return false;
	for (size_t i = 0; i < count; i++)
		kept[i]->id[0] = '\0';
	if (spool_depart_all(d->spool, leaving, count) < 0)
		return false;
	for (size_t i = 0; i < count; i++)
		kept[i]->state = KEPT_NONE;
	d->disk_said = false;
	return true;
}

/*
 * What was accepted leaves together with what is accepted soon after it: when
 * enough has come, when nothing else is in flight, or when its time is over.
 */
static bool result_gathers(const struct delivery *d)
{
	size_t count = 0;

	for (int i = 0; i < DELIVERY_KEPT; i++)
		count += d->kept[i].gathered;
	return d->in_flight && count < SPOOL_DEPARTURES;
}

static void result_leave(struct delivery *d, struct delivery_kept *const *kept,
			 size_t count)
{
	if (count > 1 && result_depart_all(d, kept, count))
		return;
	for (size_t i = 0; i < count; i++)
		result_depart(d, kept[i]);
}

void delivery_result_depart(struct delivery *d)
{
	struct delivery_kept *together[SPOOL_DEPARTURES];
	bool gathers = result_gathers(d);
	size_t count = 0;

	for (int i = 0; i < DELIVERY_KEPT; i++) {
		struct delivery_kept *kept = &d->kept[i];

		if (kept->state != KEPT_DEPART ||
		    (d->now_ms < kept->at_ms && (!kept->gathered || gathers)))
			continue;
		if (kept->gathered)
			together[count++] = kept;
		else
			result_depart(d, kept);
		kept->gathered = false;
		if (count == SPOOL_DEPARTURES) {
			result_leave(d, together, count);
			count = 0;
		}
	}
	result_leave(d, together, count);
}

/* --- Answers --- */

static void result_accepted(struct delivery *d,
			    const struct delivery_upload *upload,
			    const struct answer *answer)
{
	const struct batch *batch = &upload->batch;
	struct delivery_kept *kept;

	if (upload->number > d->accepted_number)
		d->accepted_number = upload->number;
	d->accepted_ms = d->now_ms;
	d->last_success_s = d->now_s;
	delivery_gate_works(d, upload->number);
	delivery_gate_bears(d, upload->number);
	if (d->gate.mode == GATE_OPEN) {
		d->last_error[0] = '\0';
		d->suspicion = false;
	}
	if (d->settings.verbose)
		log_info("delivery: accepted: batch %016" PRIx64
			 ": %u events, %" PRIu64 " bytes, id %s",
			 batch->seq, upload->count, batch->bytes, answer->id);
	crash_point("answer.accepted");
	if (upload->part) {
		struct spool_accepted note = {.batch = batch,
					      .first = upload->first,
					      .count = upload->count,
					      .id = answer->id};

		d->cut.in_flight = false;
		if (spool_note_accepted(d->spool, &note, 1, d->now_s) < 0)
			delivery_log_disk(d, "cannot note the id of", batch);
		return;
	}
	kept = delivery_result_keep(d, KEPT_DEPART, batch);
	kept->why = BATCH_SENT;
	memcpy(kept->id, answer->id, sizeof(kept->id));
	kept->gathered = true;
	kept->at_ms = d->now_ms + DELIVERY_GATHER_MS;
}

/*
 * It may be the data or not: held back.  The first such batch lets the next
 * one be the probe at once; when that is turned down too, it is time to wait.
 * quiet: as long as there is no next one, this one alone is no alarm.
 */
void delivery_result_suspect(struct delivery *d, struct delivery_kept *kept,
			     bool quiet)
{
	char words[ANSWER_WORDS];
	struct delivery_trouble trouble = {.kind = TROUBLE_NOT_DATA,
					   .status = kept->status,
					   .retry_after_s = -1,
					   .words = words};

	kept->suspect = d->suspicion = true;
	d->suspect_at_ms = d->now_ms + d->settings.retry_max_ms;
	memcpy(words, kept->words, sizeof(words));
	answer_mask(words);
	if (batch_events(&kept->batch) <= 1 &&
	    delivery_result_suspects(d) == 1 &&
	    (d->gate.mode == GATE_OPEN || (quiet && !d->gate.failures)))
		delivery_gate_probe(d, kept->number);
	else
		delivery_gate_fails(d, d->number + 1, &trouble);
}

static void result_refused(struct delivery *d,
			   const struct delivery_upload *upload, int status,
			   const struct answer *answer)
{
	bool lately = d->accepted_ms >= 0 &&
		      d->now_ms - d->accepted_ms <= DELIVERY_WITNESS_MS;
	struct delivery_kept *kept;

	crash_point("answer.refused");
	/* It answers, and about the data: what was wrong before is over. */
	if (!d->suspicion)
		delivery_gate_works(d, upload->number);
	if (upload->part) {
		delivery_cut_refused(d, upload, status, answer->words);
		return;
	}
	kept = delivery_result_keep(d, KEPT_REFUSED, &upload->batch);
	kept->number = upload->number;
	kept->status = status;
	memcpy(kept->words, answer->words, sizeof(kept->words));
	if (batch_events(&kept->batch) <= 1 &&
	    !delivery_result_witness(d, kept->number))
		delivery_result_suspect(d, kept, lately);
}

void delivery_result_return(struct delivery *d, struct delivery_upload *upload)
{
	if (upload->part)
		delivery_cut_again(d, upload);
	else
		spool_put_back(d->spool, &upload->batch);
}

static enum delivery_trouble_kind result_trouble(const struct answer *answer,
						 const struct http_reply *reply)
{
	switch (answer->kind) {
	case ANSWER_NOT_SERVICE:
		return TROUBLE_NOT_SERVICE;
	case ANSWER_KEY:
		return TROUBLE_KEY;
	case ANSWER_CONFIG:
		return TROUBLE_CONFIG;
	case ANSWER_SLOW_DOWN:
		return TROUBLE_SLOW;
	default:
		break;
	}
	if (reply->status)
		return TROUBLE_SERVICE;
	return reply->tls ? TROUBLE_TLS : TROUBLE_NETWORK;
}

/* For the operator: no addresses. */
static void result_show(struct delivery *d, int status, const char *words)
{
	if (status)
		snprintf(d->last_error, sizeof(d->last_error),
			 "status %d: %.250s", status, words);
	else
		snprintf(d->last_error, sizeof(d->last_error), "%.250s", words);
}

static void result_act(struct delivery *d, struct delivery_upload *upload,
		       const struct http_reply *reply)
{
	struct delivery_trouble trouble = {
		.status = reply->status, .retry_after_s = reply->retry_after_s};
	struct answer answer;
	char words[ANSWER_WORDS];

	if (reply->status)
		answer_read(reply->status, reply->body, &answer);
	else /* the same cleaning for what curl says */
		answer_read(0, reply->error, &answer);
	if (answer.kind == ANSWER_ACCEPTED) {
		result_accepted(d, upload, &answer);
		return;
	}
	memcpy(words, answer.words, sizeof(words));
	answer_mask(words);
	result_show(d, reply->status, words);
	if (answer.kind == ANSWER_REFUSED) {
		result_refused(d, upload, reply->status, &answer);
		return;
	}
	d->failures++;
	trouble.kind = result_trouble(&answer, reply);
	trouble.words = words;
	delivery_gate_fails(d, upload->number, &trouble);
	delivery_result_return(d, upload);
}

void delivery_result_reap(struct delivery *d)
{
	struct http_reply reply;

	while (d->transport->reap(d->transport_ctx, &reply, d->now_s)) {
		struct delivery_upload *upload = d->uploads;
		struct delivery_upload done;

		while (upload < d->uploads + HTTP_CONNECTIONS_MAX &&
		       !(upload->busy &&
			 upload->number + d->token == reply.token))
			upload++;
		if (upload == d->uploads + HTTP_CONNECTIONS_MAX)
			continue; /* of another time */
		done = *upload;
		upload->busy = false;
		d->in_flight--;
		result_act(d, &done, &reply);
	}
}
