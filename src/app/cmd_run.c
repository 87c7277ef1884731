/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <sysexits.h>

#include "app/clock.h"
#include "app/cmd.h"
#include "app/notify.h"
#include "app/shipper.h"
#include "app/signals.h"
#include "app/wake.h"
#include "base/log.h"
#include "follow/hints.h"
#include "follow/watcher.h"

/*
 * The main thread's loop: seal what is due, then wait for a hint, a signal, or
 * the moment when something becomes due.  While rows pour in, hints are left
 * in the kernel's queue for a moment, where equal ones are one, and each name
 * among them is looked at once, so that neither the number of wake-ups nor the
 * work of one follows the number of rows.
 */

enum {
	RUN_COALESCE_MS = 200, /* how long hints may wait while rows pour in */
	RUN_STATUS_MS = 10000, /* how often the supervisor is told */
	RUN_REWATCH_MS = 1000, /* how often watches are looked at, if awake */
	RUN_BLIND_MS = 2000,   /* how often to look when nothing is watched */
	RUN_REOPEN_MS = 10000, /* how often inotify is tried again */
	RUN_NOTICES = 20000    /* taken at once: more than the queue holds */
};

struct run {
	struct shipper shipper;
	bool watching; /* inotify works at all */
	bool blind;    /* some directory could not be watched */
	int64_t rewatch_ms, status_ms, watchdog_ms;
	int64_t open_ms; /* inotify is not tried before; 0: never tried */
	uint64_t beats, scans, watches;
	struct tally said; /* directories whose trouble was said */
	struct hints hints;
};

static void run_wake(void)
{
	watcher_wake();
	wake_up();
}

/* There may be too many instances, which passes. */
static void run_open_watcher(struct run *run, int64_t now_ms)
{
	if (now_ms < run->open_ms)
		return;
	run->watching = watcher_open() == 0;
	if (run->watching && run->open_ms)
		log_info("follow: inotify works now");
	if (!run->watching && !run->open_ms)
		log_warn("follow: no inotify, looking every %d s instead "
			 "(raise fs.inotify.max_user_instances)",
			 RUN_BLIND_MS / 1000);
	run->open_ms = now_ms + RUN_REOPEN_MS;
}

/*
 * Watch every directory; a trouble is said once for each.  Those that are
 * watched are asked for by name: a directory that was removed gives no notice
 * as long as a file of it is open, and we are the ones who keep it open.
 */
static void run_watch(struct run *run, int64_t now_ms)
{
	const char *directory;

	run->rewatch_ms = now_ms + RUN_REWATCH_MS;
	run->scans = intake_scans(run->shipper.intake);
	if (!run->watching)
		run_open_watcher(run, now_ms);
	run->blind = !run->watching;
	if (!run->watching)
		return;
	for (size_t i = 0;
	     (directory = intake_directory(run->shipper.intake, i)); i++) {
		if (watcher_add(directory) == 0)
			continue;
		run->blind = true;
		if (tally_get(&run->said, slice_str(directory)))
			continue;
		tally_add(&run->said, slice_str(directory), 1);
		log_warn("follow: cannot watch %s, looking every %d s "
			 "instead%s",
			 directory, RUN_BLIND_MS / 1000,
			 errno == ENOSPC
				 ? " (raise fs.inotify.max_user_watches)"
				 : "");
	}
}

/*
 * A rescan may have found directories that nobody watches, and files that came
 * before a watch was up have given no hint: watch and look in turns until
 * nothing is new.  True when it looked.
 */
static bool run_keep_watch(struct run *run, int64_t now_ms)
{
	struct intake *in = run->shipper.intake;
	bool looked = false;

	while (now_ms >= run->rewatch_ms || run->scans != intake_scans(in)) {
		run_watch(run, now_ms);
		if (run->watches == watcher_watches())
			continue;
		run->watches = watcher_watches();
		intake_rescan(in, now_ms, clock_s());
		looked = true;
	}
	return looked;
}

/* Look at each name that was noticed, once. */
static void run_look(struct run *run)
{
	for (size_t i = 0; i < run->hints.count; i++) {
		const struct hint *hint = &run->hints.list[i];

		if (!hint->name[0])
			run->rewatch_ms = 0;
		intake_notice(run->shipper.intake, hint->directory, hint->name,
			      clock_ms(), clock_s());
	}
	hints_reset(&run->hints);
}

/* Take the hints that are there, or the first ones that come. */
static void run_notices(struct run *run, int64_t timeout_ms)
{
	struct watcher_notice notice;

	for (int i = 0; i < RUN_NOTICES; i++) {
		enum watcher_what what = watcher_wait(timeout_ms, &notice);

		timeout_ms = 0;
		if (what == WATCHER_OVERFLOW) {
			log_info("follow: notices were lost, looking at "
				 "everything");
			intake_rescan(run->shipper.intake, clock_ms(),
				      clock_s());
			run->rewatch_ms = 0;
			continue;
		}
		if (what != WATCHER_NOTICE)
			break;
		if (hints_add(&run->hints, notice.directory, notice.name))
			continue;
		run_look(run);
		hints_add(&run->hints, notice.directory, notice.name);
	}
	run_look(run);
}

static void run_wait(struct run *run, int64_t wait_ms)
{
	if (run->blind && wait_ms > RUN_BLIND_MS)
		wait_ms = RUN_BLIND_MS;
	if (!run->watching) {
		wake_wait(wait_ms);
		intake_rescan(run->shipper.intake, clock_ms(), clock_s());
		return;
	}
	if (wait_ms && intake_pending(run->shipper.intake)) {
		int64_t sleep_ms =
			wait_ms < RUN_COALESCE_MS ? wait_ms : RUN_COALESCE_MS;

		wait_ms = watcher_sleep(sleep_ms) ? 0 : wait_ms - sleep_ms;
	}
	run_notices(run, wait_ms);
	if (run->blind)
		intake_rescan(run->shipper.intake, clock_ms(), clock_s());
}

static void run_summary(struct run *run, struct buf *out)
{
	struct delivery_state state;

	uploader_state(run->shipper.uploader, &state);
	intake_summary(run->shipper.intake, out);
	buf_addf(out, "; upload %s%s%s", delivery_phase_name(state.phase),
		 state.last_error[0] ? ": " : "", state.last_error);
}

static void run_say_status(struct run *run, int64_t now_ms)
{
	struct buf text;

	if (now_ms < run->status_ms)
		return;
	run->status_ms = now_ms + RUN_STATUS_MS;
	buf_init(&text, 1024);
	buf_add_str(&text, "STATUS=");
	run_summary(run, &text);
	notify_send(buf_str(&text));
	buf_release(&text);
}

/*
 * The watchdog hears from us only when both threads moved: this one by being
 * here, the uploader by its beats.
 */
static int64_t run_watchdog(struct run *run, int64_t now_ms)
{
	int64_t every = notify_watchdog_ms() / 2;
	uint64_t beats;

	if (!every)
		return INT64_MAX;
	if (now_ms >= run->watchdog_ms) {
		beats = uploader_beats(run->shipper.uploader);
		if (beats != run->beats)
			notify_send("WATCHDOG=1");
		run->beats = beats;
		run->watchdog_ms = now_ms + every;
	}
	return run->watchdog_ms - now_ms;
}

static void run_asked(struct run *run, const struct options *options)
{
	struct buf text;

	if (signals_reload()) {
		notify_reloading();
		shipper_reload(&run->shipper, options);
		run->rewatch_ms = 0;
		notify_send("READY=1");
	}
	if (signals_report()) {
		buf_init(&text, 1024);
		run_summary(run, &text);
		log_info("status: %s", buf_str(&text));
		buf_release(&text);
	}
}

static void run_loop(struct run *run, const struct options *options)
{
	while (!signals_stop()) {
		int64_t now_ms = clock_ms(), wait, watchdog, counted;
		struct delivery_state state;

		run_asked(run, options);
		uploader_state(run->shipper.uploader, &state);
		intake_uploads(run->shipper.intake, &state, now_ms);
		counted = counted_step(run->shipper.counted,
				       run->shipper.intake, now_ms, clock_s());
		wait = intake_step(run->shipper.intake, now_ms, clock_s());
		if (counted < wait)
			wait = counted;
		if (run_keep_watch(run, now_ms))
			wait = 0;
		run_say_status(run, now_ms);
		watchdog = run_watchdog(run, now_ms);
		if (!signals_stop())
			run_wait(run, wait < watchdog ? wait : watchdog);
	}
}

static int run_open(struct run *run, const struct options *options)
{
	int64_t beat = INT64_MAX;
	int status;

	if (notify_watchdog_ms())
		beat = notify_watchdog_ms() / 4;
	status = shipper_open(&run->shipper, options, beat, run_wake);
	if (status == EX_OK)
		run_open_watcher(run, clock_ms());
	return status;
}

/* Rows that are there are sealed before the end, so that the next start and
 * the service have them; what cannot be sealed stays where it is. */
static int run_close(struct run *run)
{
	int64_t end = clock_ms() + SHIPPER_GRACE_MS / 2;
	struct intake *in = run->shipper.intake;

	notify_send("STOPPING=1");
	log_info("stopping");
	intake_flush(in);
	do {
		intake_step(in, clock_ms(), clock_s());
	} while (!intake_done(in, clock_ms()) && !intake_stuck(in) &&
		 !intake_paused(in) && clock_ms() < end);
	return shipper_close(&run->shipper,
			     end + SHIPPER_GRACE_MS / 2 - clock_ms() - 500);
}

int cmd_run(const struct options *options)
{
	struct run run = {0};
	int status = cmd_no_arguments(options, "run");

	if (status != EX_OK)
		return status;
	if (wake_open() < 0) {
		log_error("cannot make an eventfd");
		return EX_OSERR;
	}
	notify_open();
	signals_open(run_wake);
	status = run_open(&run, options);
	if (status == EX_OK) {
		log_info("started: sparktail " VERSION ": %zu sources, spool "
			 "%s",
			 run.shipper.config->sources_count,
			 run.shipper.config->spool.directory);
		notify_send("READY=1");
		run_loop(&run, options);
		status = run_close(&run);
		log_info("stopped");
	}
	watcher_close();
	wake_close();
	notify_close();
	tally_release(&run.said);
	hints_reset(&run.hints);
	return status;
}
