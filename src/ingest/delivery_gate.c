/* SPDX-License-Identifier: GPL-2.0-only */
#include "ingest/delivery_private.h"

#include <stdio.h>

#include "base/log.h"

/*
 * May anything be sent?  Open: as many as the window says.  Shut: no,
 * until a time.  Probe: one upload, whose answer opens or shuts it.  What was
 * in flight when it shut may finish, but proves nothing: its answers are older
 * than the failure's question.
 *
 * The window begins with one upload.  When as many as it allows were accepted,
 * and it was full meanwhile, it is widened by one; a burst of trouble that
 * fewer uploads may mend halves it; any other, and a probe that fails, brings
 * it back to one, for what the service bore before an outage says nothing.
 *
 * The log hears of each kind of trouble once in an outage, and of its end.
 */

enum { SLOW_SAID = 3, SLOW_STEPS = 4, SLOW_MS = 1000, WORDS_SAID = 200 };

static const struct {
	bool parks; /* waits retry_max each time */
	void (*say)(const char *format, ...)
		__attribute__((format(printf, 1, 2)));
	const char *what, *remedy;
} troubles[] = {
	[TROUBLE_NETWORK] = {false, log_warnx, "no answer", ""},
	[TROUBLE_TLS] = {false, log_errorx, "certificate not trusted", ""},
	[TROUBLE_SERVICE] = {false, log_warnx, "service unavailable", ""},
	[TROUBLE_NOT_SERVICE] = {false, log_warnx,
				 "answer is not the service's", ""},
	[TROUBLE_SLOW] = {false, log_info, "asked to slow down", ""},
	[TROUBLE_KEY] = {true, log_errorx, "API key refused", ""},
	[TROUBLE_CONFIG] = {true, log_errorx, "request refused",
			    ": check ingest.url"},
	[TROUBLE_NOT_DATA] = {true, log_errorx, "refused whatever is sent", ""},
};

void delivery_gate_configure(struct delivery *d)
{
	struct delivery_gate *gate = &d->gate;

	backoff_init(&gate->backoff, d->settings.retry_min_ms,
		     d->settings.retry_max_ms);
	gate->slow = gate->borne = 0;
	gate->window = 1;
	gate->filled = false;
	gate->failed_number = d->number;
	if (gate->mode == GATE_SHUT)
		gate->mode = GATE_PROBE;
}

void delivery_gate_tick(struct delivery *d)
{
	if (d->gate.mode == GATE_SHUT && d->now_ms >= d->gate.until_ms)
		d->gate.mode = GATE_PROBE;
}

/* In flight at once.  A probe does not wait for those before the failure. */
unsigned int delivery_gate_most(const struct delivery *d)
{
	return d->gate.mode == GATE_OPEN ? d->gate.window
					 : d->settings.connections;
}

bool delivery_gate_passes(const struct delivery *d)
{
	if (d->gate.mode != GATE_PROBE)
		return d->gate.mode == GATE_OPEN;
	for (int i = 0; i < HTTP_CONNECTIONS_MAX; i++) {
		if (d->uploads[i].busy &&
		    d->uploads[i].number > d->gate.failed_number)
			return false;
	}
	return true;
}

bool delivery_gate_parked(const struct delivery *d)
{
	return d->gate.mode != GATE_OPEN && d->gate.failures &&
	       troubles[d->gate.trouble].parks;
}

void delivery_gate_works(struct delivery *d, uint64_t number)
{
	struct delivery_gate *gate = &d->gate;

	if (number <= gate->failed_number)
		return;
	if (gate->said)
		log_info("delivery: uploads work again: %u failures in %lld s",
			 gate->failures,
			 (long long)((d->now_ms - gate->since_ms) / 1000));
	gate->mode = GATE_OPEN;
	gate->slow = gate->said = gate->failures = 0;
	gate->key_refused = false;
	backoff_reset(&gate->backoff);
}

/* One more is in flight. */
void delivery_gate_sent(struct delivery *d)
{
	if (d->in_flight >= d->gate.window)
		d->gate.filled = true;
}

/* An upload was accepted. */
void delivery_gate_bears(struct delivery *d, uint64_t number)
{
	struct delivery_gate *gate = &d->gate;

	if (number <= gate->failed_number || gate->mode != GATE_OPEN ||
	    !gate->filled || gate->window >= d->settings.connections ||
	    ++gate->borne < gate->window)
		return;
	gate->window++;
	gate->borne = 0;
	gate->filled = false;
}

/* Before gate->failures knows of it. */
static void gate_narrow(struct delivery_gate *gate,
			enum delivery_trouble_kind kind)
{
	bool load = kind == TROUBLE_SLOW || kind == TROUBLE_SERVICE ||
		    kind == TROUBLE_NETWORK;

	gate->window = load && !gate->failures ? (gate->window + 1) / 2 : 1;
	gate->borne = 0;
	gate->filled = false;
}

static int64_t gate_at_least(int64_t wait_ms, int64_t retry_after_s)
{
	if (retry_after_s > DELIVERY_PATIENCE_S)
		retry_after_s = DELIVERY_PATIENCE_S;
	return retry_after_s * 1000 > wait_ms ? retry_after_s * 1000 : wait_ms;
}

/* 1 to 2 s after the first 429, 1 to 5 s from the fourth on. */
static int64_t gate_slow_ms(struct delivery_gate *gate)
{
	if (gate->slow < SLOW_STEPS)
		gate->slow++;
	return SLOW_MS + (int64_t)(delivery_random() %
				   (SLOW_MS * (uint64_t)gate->slow + 1));
}

static int64_t gate_wait_ms(struct delivery *d,
			    const struct delivery_trouble *t, bool counts)
{
	int64_t wait_ms = 0;

	if (troubles[t->kind].parks)
		return d->settings.retry_max_ms;
	if (counts && t->kind == TROUBLE_SLOW)
		wait_ms = gate_slow_ms(&d->gate);
	else if (counts)
		wait_ms = backoff_fail(&d->gate.backoff, delivery_random());
	return gate_at_least(wait_ms, t->retry_after_s);
}

static void gate_say(struct delivery *d, const struct delivery_trouble *t)
{
	struct delivery_gate *gate = &d->gate;
	unsigned int bit = 1u << t->kind;
	char status[32] = "";

	if ((gate->said & bit) ||
	    (t->kind == TROUBLE_SLOW && gate->slow < SLOW_SAID))
		return;
	gate->said |= bit;
	if (t->status)
		snprintf(status, sizeof(status), "status %d: ", t->status);
	troubles[t->kind].say("delivery: %s: %s%.*s%s: next try in %.1f s",
			      troubles[t->kind].what, status, WORDS_SAID,
			      t->words, troubles[t->kind].remedy,
			      (double)(gate->until_ms - d->now_ms) / 1000);
}

void delivery_gate_fails(struct delivery *d, uint64_t number,
			 const struct delivery_trouble *trouble)
{
	struct delivery_gate *gate = &d->gate;
	bool counts = number > gate->failed_number;
	int64_t until_ms;

	if (!counts && gate->mode != GATE_SHUT)
		return;
	until_ms = d->now_ms + gate_wait_ms(d, trouble, counts);
	if (counts || until_ms > gate->until_ms)
		gate->until_ms = until_ms;
	if (counts) {
		gate->failed_number = d->number;
		gate_narrow(gate, trouble->kind);
		if (gate->failures++ == 0)
			gate->since_ms = d->now_ms;
	}
	gate->mode = GATE_SHUT;
	if (counts || troubles[trouble->kind].parks) {
		gate->trouble = trouble->kind;
		gate->key_refused = trouble->kind == TROUBLE_KEY;
	}
	gate_say(d, trouble);
}

/* What is started after upload "number" goes alone. */
void delivery_gate_probe(struct delivery *d, uint64_t number)
{
	if (d->gate.mode != GATE_OPEN)
		return;
	d->gate.mode = GATE_PROBE;
	d->gate.failed_number = number;
}
