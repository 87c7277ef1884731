/* SPDX-License-Identifier: GPL-2.0-only */
#include <sysexits.h>

#include "app/clock.h"
#include "app/cmd.h"
#include "app/shipper.h"
#include "app/signals.h"
#include "app/wake.h"
#include "base/log.h"

/*
 * For cron: seal all there is, upload it, end.  A service that does not answer
 * does not keep us: the next run comes in a minute, and the batches are safe.
 */

enum {
	ONCE_BEAT_MS = 1000,
	ONCE_PATIENCE_MS = 20000, /* without any batch accepted */
	ONCE_HELD_MS = 3000,	  /* without any that is tried */
	ONCE_FAR_MS = 15000	  /* a next try later than this is too late */
};

struct once {
	struct shipper shipper;
	uint64_t waiting; /* batches, when looked at last */
	int64_t moved_ms; /* when one left last */
	int64_t busy_ms;  /* when something was tried last */
	bool key_refused;
};

/* Is it worth waiting for the service any longer? */
static bool once_patient(struct once *once, const struct delivery_state *state)
{
	int64_t now_ms = clock_ms();
	struct spool_totals totals;

	spool_totals(once->shipper.spool, &totals);
	if (totals.batches != once->waiting)
		once->moved_ms = now_ms;
	if (totals.batches != once->waiting || state->phase != DELIVERY_IDLE)
		once->busy_ms = now_ms;
	once->waiting = totals.batches;
	once->key_refused = state->key_refused;
	if (!totals.batches || state->phase == DELIVERY_KEY_REFUSED)
		return false;
	if (state->phase == DELIVERY_SENDING)
		return true;
	if (state->phase == DELIVERY_IDLE) /* held back: perhaps its fault */
		return now_ms - once->busy_ms < ONCE_HELD_MS;
	return now_ms - once->moved_ms < ONCE_PATIENCE_MS &&
	       (state->next_try_s - clock_s()) * 1000 < ONCE_FAR_MS;
}

/* Is all that has left in the checkpoint?  Else it is saved, and it is worth
 * another look at once: the last batch may have been evicted, not sent, and
 * then its gap is healed. */
static bool once_settled(struct intake *in, bool *again_out)
{
	*again_out = false;
	if (intake_settled(in) || intake_save(in, clock_s()) < 0)
		return true;
	*again_out = intake_settled(in);
	return false;
}

static void once_ship(struct once *once)
{
	struct intake *in = once->shipper.intake;
	struct delivery_state state;
	bool patient = true;

	intake_flush(in);
	once->moved_ms = once->busy_ms = clock_ms();
	while (!signals_stop()) {
		int64_t wait = intake_step(in, clock_ms(), clock_s());
		bool sealed =
			(intake_done(in, clock_ms()) && !intake_healing(in)) ||
			intake_paused(in);
		bool again = false;

		uploader_state(once->shipper.uploader, &state);
		intake_uploads(in, &state, clock_ms());
		patient = once_patient(once, &state);
		if (sealed || intake_stuck(in)) {
			if (!patient && once_settled(in, &again))
				break;
			if (!again)
				wake_wait(wait < 100 ? wait : 100);
		}
	}
	while (!signals_stop() && counted_step(once->shipper.counted, in,
					       clock_ms(), clock_s()) == 0)
		;
}

static int once_status(const struct once *once)
{
	if (intake_stuck(once->shipper.intake))
		return EX_IOERR;
	if (!once->waiting)
		return intake_paused(once->shipper.intake) ? EX_TEMPFAIL
							   : EX_OK;
	return once->key_refused ? EX_NOPERM : EX_TEMPFAIL;
}

int cmd_once(const struct options *options)
{
	struct once once = {0};
	int status = cmd_no_arguments(options, "once"), closed;

	if (status != EX_OK)
		return status;
	if (wake_open() < 0) {
		log_error("cannot make an eventfd");
		return EX_OSERR;
	}
	signals_open(wake_up);
	status = shipper_open(&once.shipper, options, ONCE_BEAT_MS, wake_up);
	if (status == EX_OK) {
		once_ship(&once);
		status = once_status(&once);
		if (once.waiting)
			log_warnx("once: %llu batches are still waiting in the "
				  "spool; the next run sends them",
				  (unsigned long long)once.waiting);
		closed = shipper_close(&once.shipper, SHIPPER_GRACE_MS);
		if (status == EX_OK)
			status = closed;
	}
	wake_close();
	return status;
}
