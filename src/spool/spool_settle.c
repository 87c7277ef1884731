/* SPDX-License-Identifier: GPL-2.0-only */
#include "spool/spool_private.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/crash.h"

/*
 * A file of sent/ may go when a durable checkpoint has its departure in the
 * ledger.  A removal that fails or is lost in a crash is made up for by the
 * next one: the number in the name says that it is due.
 */

uint64_t spool_settle(struct spool *spool, struct ledger *ledger)
{
	uint64_t departures;

	pthread_mutex_lock(&spool->mutex);
	ledger_merge(ledger, &spool->left);
	ledger_release(&spool->left);
	departures = spool->departures;
	pthread_mutex_unlock(&spool->mutex);
	return departures;
}

bool spool_unsettled(struct spool *spool)
{
	bool unsettled;

	pthread_mutex_lock(&spool->mutex);
	unsettled = spool->departures > spool->settled;
	pthread_mutex_unlock(&spool->mutex);
	return unsettled;
}

struct clean {
	int sent;
	uint64_t settled;
	bool all;	  /* no file is kept */
	int64_t before_s; /* a kept one goes when it left before that */
};

static bool clean_due(const struct clean *clean, const struct batch *batch,
		      const char *name)
{
	struct stat st;

	if (batch->departure == BATCH_READY || batch->departed > clean->settled)
		return false;
	if (clean->all || batch->departure == BATCH_EVICTED ||
	    batch->departure == BATCH_EXPIRED)
		return true;
	return fstatat(clean->sent, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       st.st_ctim.tv_sec < clean->before_s;
}

static int clean_visit(void *ctx, const struct batch *batch, const char *name)
{
	const struct clean *clean = ctx;

	if (clean_due(clean, batch, name)) {
		crash_point("settle.remove");
		unlinkat(clean->sent, name, 0);
		crash_point("settle.removed");
	}
	return 0;
}

void spool_settled(struct spool *spool, uint64_t departures)
{
	struct clean clean = {.sent = spool->rooms.sent,
			      .settled = departures,
			      .before_s = INT64_MIN};
	bool due;

	pthread_mutex_lock(&spool->mutex);
	clean.all = spool->settings.keep_sent_s <= 0;
	due = departures > spool->settled &&
	      (clean.all || spool->emptied > spool->settled);
	if (departures > spool->settled)
		spool->settled = departures;
	pthread_mutex_unlock(&spool->mutex);
	if (due)
		spool_each(spool->rooms.sent, clean_visit, &clean);
}

void spool_clean(struct spool *spool, int64_t now_s)
{
	struct clean clean = {.sent = spool->rooms.sent};

	pthread_mutex_lock(&spool->mutex);
	clean.all = spool->settings.keep_sent_s <= 0;
	clean.before_s = now_s - spool->settings.keep_sent_s;
	clean.settled = spool->settled;
	pthread_mutex_unlock(&spool->mutex);
	spool_each(spool->rooms.sent, clean_visit, &clean);
}
