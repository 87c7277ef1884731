/* SPDX-License-Identifier: GPL-2.0-only */
#include "app/uploader.h"

#include <pthread.h>
#include <stdatomic.h>

#include "app/clock.h"
#include "app/signals.h"
#include "base/mem.h"

struct uploader {
	pthread_t thread;
	struct uploader_hooks hooks;
	struct delivery *delivery;
	atomic_uint_fast64_t beats;
	atomic_bool draining, cancelled;
	int64_t told_next_try_s; /* the thread's own */
	uint64_t told_failures;

	/* Guards what follows, and what a reload exchanges; http is waited on
	 * without it. */
	pthread_mutex_t mutex;
	pthread_cond_t end;
	bool ended; /* the thread has nothing more to do */
	struct http *http;
	struct http *next_http; /* NULL: no reload is waiting */
	struct delivery_settings next_settings;
};

static struct delivery_settings
uploader_settings(const struct config *config,
		  const struct uploader_hooks *hooks)
{
	return (struct delivery_settings){
		.connections = config->http.connections,
		.retry_min_ms = config->retry_min_ms,
		.retry_max_ms = config->retry_max_ms,
		.max_age_s = config->events.max_age_s,
		.compression = config->batch_compression,
		.verbose = config->verbose,
		.privacy = config->events.privacy_sha1,
		.on_refused = hooks->refused,
		.on_refused_ctx = hooks->ctx};
}

/* Take over what a reload left.  The old http ends with what it carried. */
static void uploader_exchange(struct uploader *u)
{
	struct http *old = NULL;
	struct delivery_settings settings;

	pthread_mutex_lock(&u->mutex);
	if (u->next_http) {
		old = u->http;
		u->http = u->next_http;
		u->next_http = NULL;
		settings = u->next_settings;
	}
	pthread_mutex_unlock(&u->mutex);
	if (!old)
		return;
	delivery_configure(u->delivery, &settings, &delivery_over_http,
			   u->http);
	http_free(&old);
}

/* Tell when it fails, recovers, or will try at another time. */
static void uploader_tell(struct uploader *u)
{
	struct delivery_state state;

	delivery_state(u->delivery, &state);
	if (state.next_try_s == u->told_next_try_s &&
	    state.failures == u->told_failures)
		return;
	u->told_next_try_s = state.next_try_s;
	u->told_failures = state.failures;
	u->hooks.changed(u->hooks.ctx);
}

static void *uploader_run(void *arg)
{
	struct uploader *u = arg;

	while (!atomic_load(&u->cancelled)) {
		int64_t wait;

		uploader_exchange(u);
		if (atomic_load(&u->draining))
			delivery_drain(u->delivery);
		wait = delivery_step(u->delivery, clock_ms(), clock_s());
		uploader_tell(u);
		atomic_fetch_add(&u->beats, 1);
		if (atomic_load(&u->draining) && !http_busy(u->http))
			break;
		if (wait > u->hooks.beat_ms)
			wait = u->hooks.beat_ms;
		http_wait(u->http, wait);
	}
	atomic_store(&u->cancelled, true);
	pthread_mutex_lock(&u->mutex);
	u->ended = true;
	pthread_cond_signal(&u->end);
	pthread_mutex_unlock(&u->mutex);
	return NULL;
}

static void uploader_init(struct uploader *u)
{
	pthread_condattr_t attributes;

	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_mutex_init(&u->mutex, NULL);
	pthread_cond_init(&u->end, &attributes);
	pthread_condattr_destroy(&attributes);
}

static void uploader_free(struct uploader **uploader)
{
	struct uploader *u = *uploader;

	delivery_free(&u->delivery);
	http_free(&u->http);
	http_free(&u->next_http);
	pthread_cond_destroy(&u->end);
	pthread_mutex_destroy(&u->mutex);
	mem_free(u);
	*uploader = NULL;
}

struct uploader *uploader_start(const struct config *config,
				struct spool *spool,
				const struct uploader_hooks *hooks,
				struct buf *why)
{
	struct delivery_settings settings = uploader_settings(config, hooks);
	struct http *http = http_new(&config->http, why);
	struct uploader *u;
	int error;

	if (!http)
		return NULL;
	u = mem_zero(1, sizeof(*u));
	u->http = http;
	u->hooks = *hooks;
	uploader_init(u);
	u->delivery =
		delivery_new(&settings, spool, &delivery_over_http, u->http);
	signals_block();
	error = pthread_create(&u->thread, NULL, uploader_run, u);
	signals_unblock();
	if (!error)
		return u;
	buf_addf(why, "cannot start a thread: error %d", error);
	uploader_free(&u);
	return NULL;
}

int uploader_configure(struct uploader *u, const struct config *config,
		       struct buf *why)
{
	struct http *http = http_new(&config->http, why);
	struct http *unused;

	if (!http)
		return -1;
	pthread_mutex_lock(&u->mutex);
	unused = u->next_http;
	u->next_http = http;
	u->next_settings = uploader_settings(config, &u->hooks);
	pthread_mutex_unlock(&u->mutex);
	http_free(&unused);
	uploader_wake(u);
	return 0;
}

void uploader_wake(struct uploader *u)
{
	pthread_mutex_lock(&u->mutex);
	http_wake(u->http);
	pthread_mutex_unlock(&u->mutex);
}

void uploader_state(struct uploader *u, struct delivery_state *out)
{
	delivery_state(u->delivery, out);
}

uint64_t uploader_beats(struct uploader *u)
{
	return atomic_load(&u->beats);
}

/* By the clock that nobody sets: pthread_timedjoin_np() goes by the date. */
static bool uploader_ended(struct uploader *u, int64_t until_ms)
{
	const struct timespec until = {.tv_sec = until_ms / 1000,
				       .tv_nsec = until_ms % 1000 * 1000000};
	int error = 0;
	bool ended;

	pthread_mutex_lock(&u->mutex);
	while (!u->ended && !error)
		error = pthread_cond_timedwait(&u->end, &u->mutex, &until);
	ended = u->ended;
	pthread_mutex_unlock(&u->mutex);
	return ended;
}

void uploader_stop(struct uploader **uploader, int64_t grace_ms,
		   struct delivery_state *last_out)
{
	struct uploader *u = *uploader;

	atomic_store(&u->draining, true);
	uploader_wake(u);
	if (!uploader_ended(u, clock_ms() + grace_ms)) {
		atomic_store(&u->cancelled, true);
		uploader_wake(u);
	}
	pthread_join(u->thread, NULL);
	delivery_state(u->delivery, last_out);
	uploader_free(uploader);
}
