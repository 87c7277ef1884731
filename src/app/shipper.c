/* SPDX-License-Identifier: GPL-2.0-only */
#include "app/shipper.h"

#include <sysexits.h>

#include "app/clock.h"
#include "base/log.h"

static void shipper_on_seal(void *ctx)
{
	struct shipper *s = ctx;

	if (s->uploader)
		uploader_wake(s->uploader);
}

static void shipper_on_depart(void *ctx)
{
	struct shipper *s = ctx;

	s->wake();
}

static void shipper_on_refused(void *ctx, const struct batch *batch,
			       uint32_t first, uint32_t count,
			       struct slice json)
{
	struct shipper *s = ctx;

	(void)first;
	(void)count;
	intake_refused(s->intake, batch, json);
	s->wake();
}

static int shipper_open_status(enum spool_open_status status)
{
	switch (status) {
	case SPOOL_OPEN_OK:
		return EX_OK;
	case SPOOL_OPEN_TAKEN:
		return EX_TEMPFAIL;
	case SPOOL_OPEN_NEWER:
		return EX_CONFIG;
	case SPOOL_OPEN_FAILED:
		break;
	}
	return EX_CANTCREAT;
}

static void shipper_say_found(const struct shipper *s,
			      const struct spool_found *found)
{
	const char *directory = s->config->spool.directory;

	if (found->damaged)
		log_warnx(
			"spool: the checkpoint was damaged: set aside as "
			"%s/checkpoint.damaged; positions come from %zu "
			"batches, files without one are read from their start",
			directory, found->beyond_count);
	if (found->tmp_removed)
		log_info("spool: removed %llu unfinished files from %s/tmp",
			 (unsigned long long)found->tmp_removed, directory);
}

static int shipper_open_spool(struct shipper *s, struct spool_found *found)
{
	struct buf why;
	enum spool_open_status status;

	buf_init(&why, 4096);
	status = spool_open(&s->config->spool, &s->spool, found, &why);
	if (status != SPOOL_OPEN_OK)
		log_errorx("%s", buf_str(&why));
	buf_release(&why);
	if (status == SPOOL_OPEN_OK)
		shipper_say_found(s, found);
	return shipper_open_status(status);
}

static int shipper_start(struct shipper *s, const struct spool_found *found,
			 int64_t beat_ms)
{
	struct uploader_hooks hooks = {shipper_on_refused, shipper_on_depart, s,
				       beat_ms};
	struct buf why;

	s->intake =
		intake_new(s->config, s->spool, found, clock_ms(), clock_s());
	s->counted = counted_new(s->config);
	buf_init(&why, 4096);
	spool_on_seal(s->spool, shipper_on_seal, s);
	spool_on_depart(s->spool, shipper_on_depart, s);
	s->uploader = uploader_start(s->config, s->spool, &hooks, &why);
	if (!s->uploader)
		log_errorx("ingest: %s", buf_str(&why));
	buf_release(&why);
	return s->uploader ? EX_OK : EX_CONFIG;
}

int shipper_open(struct shipper *s, const struct options *options,
		 int64_t beat_ms, void (*wake)(void))
{
	struct spool_found found = {0};
	int status;

	*s = (struct shipper){.wake = wake};
	s->config = cmd_config(options, CONFIG_FOR_SHIPPING);
	if (!s->config)
		return EX_CONFIG;
	status = shipper_open_spool(s, &found);
	if (status == EX_OK)
		status = shipper_start(s, &found, beat_ms);
	spool_found_release(&found);
	if (status != EX_OK)
		shipper_close(s, 0);
	return status;
}

void shipper_reload(struct shipper *s, const struct options *options)
{
	struct config *config = cmd_config(options, CONFIG_FOR_SHIPPING);
	struct config *old = s->config;
	struct buf why;

	if (!config) {
		log_errorx("config: %s has mistakes: the old configuration "
			   "stays in force",
			   options->config_path);
		return;
	}
	buf_init(&why, 4096);
	if (!slice_eq(slice_str(config->spool.directory),
		      slice_str(old->spool.directory)))
		buf_addf(&why, "spool.directory cannot change while running");
	else if (uploader_configure(s->uploader, config, &why) == 0)
		s->config = config;
	if (s->config == old) {
		log_errorx("config: %s: the old configuration stays in force",
			   buf_str(&why));
		config_free(&config);
	} else {
		spool_configure(s->spool, &config->spool);
		intake_configure(s->intake, config, clock_ms(), clock_s());
		counted_configure(s->counted, config);
		config_free(&old);
		log_info("config: %s is in force", options->config_path);
	}
	buf_release(&why);
}

/* Departures of the last moment are settled before the lock is given back. */
int shipper_close(struct shipper *s, int64_t grace_ms)
{
	struct delivery_state state;
	int status = EX_OK;

	if (s->uploader) {
		if (intake_save(s->intake, clock_s()) < 0)
			status = EX_IOERR;
		uploader_stop(&s->uploader, grace_ms, &state);
		intake_uploads(s->intake, &state, clock_ms());
		if (intake_save(s->intake, clock_s()) < 0)
			status = EX_IOERR;
	}
	counted_free(&s->counted);
	intake_free(&s->intake);
	spool_close(&s->spool);
	config_free(&s->config);
	return status;
}
