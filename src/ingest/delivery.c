/* SPDX-License-Identifier: GPL-2.0-only */
#include "ingest/delivery_private.h"

#include <assert.h>
#include <inttypes.h>
#include <sys/random.h>

#include "base/log.h"
#include "base/mem.h"

static int over_http_post(void *ctx, uint64_t token, int fd, off_t offset,
			  off_t size)
{
	return http_post(ctx, token, fd, offset, size);
}

static bool over_http_reap(void *ctx, struct http_reply *reply_out,
			   int64_t now_s)
{
	return http_reap(ctx, reply_out, now_s);
}

static unsigned int over_http_busy(void *ctx)
{
	return http_busy(ctx);
}

const struct delivery_transport delivery_over_http = {
	.post = over_http_post, .reap = over_http_reap, .busy = over_http_busy};

uint64_t delivery_random(void)
{
	uint64_t random = 0;

	/* Never waits; without entropy the shortest wait is as good as any. */
	if (getrandom(&random, sizeof(random), GRND_NONBLOCK) < 0)
		random = 0;
	return random;
}

/* Once until the disk works again: trouble with it comes in crowds. */
void delivery_log_disk(struct delivery *d, const char *what,
		       const struct batch *batch)
{
	if (d->disk_said)
		return;
	d->disk_said = true;
	if (batch)
		log_error("delivery: %s: batch %016" PRIx64, what, batch->seq);
	else
		log_error("delivery: %s", what);
}

/* --- What is shown --- */

static unsigned int delivery_departing(const struct delivery *d)
{
	unsigned int n = 0;

	for (int i = 0; i < DELIVERY_KEPT; i++)
		n += d->kept[i].state == KEPT_DEPART && !d->kept[i].gathered;
	return n;
}

static enum delivery_phase delivery_phase(const struct delivery *d)
{
	if (delivery_gate_parked(d))
		return DELIVERY_KEY_REFUSED;
	if (d->gate.mode == GATE_SHUT)
		return DELIVERY_WAITING;
	if (d->in_flight)
		return DELIVERY_SENDING;
	return d->gate.mode == GATE_PROBE && d->gate.failures ? DELIVERY_WAITING
							      : DELIVERY_IDLE;
}

static void delivery_publish(struct delivery *d)
{
	struct delivery_state state = {
		.phase = delivery_phase(d),
		.in_flight = d->in_flight + delivery_departing(d),
		.window = d->gate.window,
		.failures = d->failures,
		.last_success_s = d->last_success_s,
		.key_refused = d->gate.key_refused,
	};

	if (d->gate.mode == GATE_SHUT)
		state.next_try_s =
			d->now_s + (d->gate.until_ms - d->now_ms + 999) / 1000;
	memcpy(state.last_error, d->last_error, sizeof(state.last_error));
	pthread_mutex_lock(&d->mutex);
	d->shown = state;
	pthread_mutex_unlock(&d->mutex);
}

void delivery_state(struct delivery *delivery, struct delivery_state *state_out)
{
	pthread_mutex_lock(&delivery->mutex);
	*state_out = delivery->shown;
	pthread_mutex_unlock(&delivery->mutex);
}

const char *delivery_phase_name(enum delivery_phase phase)
{
	static const char *const names[] = {
		[DELIVERY_IDLE] = "idle",
		[DELIVERY_SENDING] = "sending",
		[DELIVERY_WAITING] = "waiting",
		[DELIVERY_KEY_REFUSED] = "key-refused",
	};

	return names[phase];
}

/* --- Life --- */

static void delivery_use(struct delivery *d,
			 const struct delivery_settings *settings,
			 const struct delivery_transport *transport,
			 void *transport_ctx)
{
	assert(settings->connections >= 1 &&
	       settings->connections <= HTTP_CONNECTIONS_MAX);
	d->settings = *settings;
	d->transport = transport;
	d->transport_ctx = transport_ctx;
	delivery_gate_configure(d);
}

struct delivery *delivery_new(const struct delivery_settings *settings,
			      struct spool *spool,
			      const struct delivery_transport *transport,
			      void *transport_ctx)
{
	struct delivery *d = mem_zero(1, sizeof(*d));

	d->spool = spool;
	d->accepted_ms = -1;
	d->token = delivery_random() >> 1;
	pthread_mutex_init(&d->mutex, NULL);
	delivery_use(d, settings, transport, transport_ctx);
	delivery_publish(d);
	return d;
}

/* What was in flight comes back; its answers will never be seen. */
static void delivery_recall(struct delivery *d)
{
	for (int i = 0; i < HTTP_CONNECTIONS_MAX; i++) {
		if (!d->uploads[i].busy)
			continue;
		d->uploads[i].busy = false;
		delivery_result_return(d, &d->uploads[i]);
	}
	d->in_flight = 0;
}

void delivery_free(struct delivery **delivery)
{
	struct delivery *d = *delivery;

	if (!d)
		return;
	delivery_recall(d);
	delivery_send_end_burst(d);
	for (int i = 0; i < DELIVERY_KEPT; i++)
		d->kept[i].at_ms = d->now_ms;
	delivery_result_depart(d);
	for (int i = 0; i < DELIVERY_KEPT; i++) {
		if (d->kept[i].state != KEPT_NONE)
			spool_put_back(d->spool, &d->kept[i].batch);
	}
	if (d->cut.active)
		spool_put_back(d->spool, &d->cut.batch);
	pthread_mutex_destroy(&d->mutex);
	mem_free(d);
	*delivery = NULL;
}

void delivery_configure(struct delivery *delivery,
			const struct delivery_settings *settings,
			const struct delivery_transport *transport,
			void *transport_ctx)
{
	delivery_recall(delivery);
	delivery_use(delivery, settings, transport, transport_ctx);
	delivery->suspect_at_ms = 0;
	delivery_publish(delivery);
}

void delivery_drain(struct delivery *delivery)
{
	delivery->draining = true;
}

/* --- The step --- */

static bool delivery_may_send(struct delivery *d)
{
	return !d->draining && d->in_flight < delivery_gate_most(d) &&
	       d->transport->busy(d->transport_ctx) < d->settings.connections &&
	       delivery_gate_passes(d);
}

static void delivery_sooner(const struct delivery *d, int64_t at_ms,
			    int64_t *wait_ms)
{
	if (at_ms > d->now_ms && at_ms - d->now_ms < *wait_ms)
		*wait_ms = at_ms - d->now_ms;
}

/* Whatever may happen by itself, without a seal or an answer. */
static int64_t delivery_wait_ms(const struct delivery *d)
{
	int64_t wait_ms = DELIVERY_IDLE_MS;

	for (int i = 0; i < DELIVERY_KEPT; i++) {
		if (d->kept[i].state == KEPT_DEPART ||
		    (d->kept[i].state == KEPT_LATER && !d->draining))
			delivery_sooner(d, d->kept[i].at_ms, &wait_ms);
	}
	if (d->draining)
		return wait_ms;
	if (d->gate.mode == GATE_SHUT) {
		delivery_sooner(d, d->gate.until_ms, &wait_ms);
		return wait_ms;
	}
	delivery_sooner(d, d->take_at_ms, &wait_ms);
	if (d->cut.active)
		delivery_sooner(d, d->cut.again_ms, &wait_ms);
	if (delivery_result_suspects(d))
		delivery_sooner(d, d->suspect_at_ms, &wait_ms);
	return wait_ms;
}

int64_t delivery_step(struct delivery *delivery, int64_t now_ms, int64_t now_s)
{
	struct delivery *d = delivery;
	int64_t wait_ms;
	int rounds = 0;

	d->now_ms = now_ms;
	d->now_s = now_s;
	delivery_result_reap(d);
	delivery_gate_tick(d);
	delivery_result_depart(d);
	while (rounds < DELIVERY_ROUNDS && delivery_may_send(d) &&
	       delivery_send_next(d) > 0)
		rounds++;
	wait_ms = rounds < DELIVERY_ROUNDS ? delivery_wait_ms(d) : 0;
	delivery_publish(d);
	return wait_ms;
}
