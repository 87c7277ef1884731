/* SPDX-License-Identifier: GPL-2.0-only */
#include "app/clock.h"

#include <inttypes.h>
#include <pthread.h>
#include <time.h>

#include "base/log.h"

/*
 * What has expired is gone for good, so a date that leaps ahead is not believed
 * until it has stayed for a while: an operator's slip or a bad time server is
 * mended by then.  Going back makes events younger, which harms nothing.  The
 * machine's uptime counts sleep as well, so waking up is no leap.
 */

enum {
	CLOCK_LEAP_S = 300,
	CLOCK_DOUBT_S = 3600 /* how long a leap must last */
};

static pthread_mutex_t clock_mutex = PTHREAD_MUTEX_INITIALIZER;
static struct clock_trust clock_trust;

int64_t clock_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

enum clock_news clock_believe(struct clock_trust *trust, int64_t date_s,
			      int64_t uptime_s, int64_t *now_s_out)
{
	int64_t since_s = date_s - uptime_s;
	int64_t leap_s = since_s - trust->since_s;
	enum clock_news news = CLOCK_NO_NEWS;

	if (trust->known && leap_s > CLOCK_LEAP_S) {
		if (!trust->doubted ||
		    since_s < trust->doubted_s - CLOCK_LEAP_S ||
		    since_s > trust->doubted_s + CLOCK_LEAP_S) {
			trust->doubted = true;
			trust->doubted_s = since_s;
			trust->doubted_at_s = uptime_s;
			news = CLOCK_LEAPT;
		}
		if (uptime_s - trust->doubted_at_s < CLOCK_DOUBT_S) {
			*now_s_out = uptime_s + trust->since_s;
			return news;
		}
		news = CLOCK_BELIEVED;
	} else if (trust->doubted) {
		news = CLOCK_MENDED;
	}
	trust->known = true;
	trust->doubted = false;
	trust->since_s = since_s;
	*now_s_out = date_s;
	return news;
}

static void clock_say(enum clock_news news, int64_t ahead_s)
{
	if (news == CLOCK_LEAPT)
		log_warnx("clock: the date leapt %" PRId64 " s ahead: it is "
			  "not believed for %d minutes, so that nothing "
			  "expires by a slip",
			  ahead_s, CLOCK_DOUBT_S / 60);
	if (news == CLOCK_BELIEVED)
		log_warnx("clock: the date stays %" PRId64 " s ahead: it is "
			  "believed from now on",
			  ahead_s);
	if (news == CLOCK_MENDED)
		log_info("clock: the date is as it was before it leapt");
}

int64_t clock_s(void)
{
	int64_t date_s = (int64_t)time(NULL), now_s, ahead_s;
	struct timespec up;
	enum clock_news news;

	clock_gettime(CLOCK_BOOTTIME, &up);
	pthread_mutex_lock(&clock_mutex);
	ahead_s = date_s - (int64_t)up.tv_sec - clock_trust.since_s;
	news = clock_believe(&clock_trust, date_s, (int64_t)up.tv_sec, &now_s);
	pthread_mutex_unlock(&clock_mutex);
	clock_say(news, ahead_s);
	return now_s;
}
