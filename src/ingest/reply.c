/* SPDX-License-Identifier: GPL-2.0-only */
#include "ingest/reply.h"

#include <limits.h>
#include <stdio.h>
#include <time.h>

void reply_init(struct reply *reply, size_t max)
{
	memset(reply, 0, sizeof(*reply));
	buf_init(&reply->body, max);
	reply_reset(reply);
}

void reply_release(struct reply *reply)
{
	buf_release(&reply->body);
}

void reply_reset(struct reply *reply)
{
	reply->status = 0;
	reply->begun = false;
	reply->expected = -1;
	reply->arrived = 0;
	reply->retry_after[0] = reply->date[0] = '\0';
	buf_reset(&reply->body);
}

/* "HTTP/1.1 200 OK", "HTTP/2 200" */
static void reply_status_line(struct reply *reply, struct slice line)
{
	struct slice rest;
	unsigned long long status;

	slice_cut(line, ' ', &rest);
	reply_reset(reply);
	if (slice_number(slice_cut(slice_trim(rest), ' ', &rest), 999,
			 &status) == 0)
		reply->status = (int)status;
}

/* These have no body, whatever their header says. */
static bool reply_is_bare(int status)
{
	return status == 204 || status == 304;
}

static void reply_keep(char out[REPLY_RETRY_AFTER], struct slice value)
{
	if (!value.len || value.len >= REPLY_RETRY_AFTER)
		return;
	memcpy(out, value.p, value.len);
	out[value.len] = '\0';
}

void reply_header(struct reply *reply, struct slice line)
{
	struct slice name, value;
	unsigned long long n;

	line = slice_trim(line);
	if (slice_starts(line, SLICE("HTTP/"))) {
		reply_status_line(reply, line);
		return;
	}
	if (!line.len) {
		reply->begun = reply->status >= 200;
		if (reply_is_bare(reply->status))
			reply->expected = 0;
		return;
	}
	name = slice_cut(line, ':', &value);
	value = slice_trim(value);
	if (slice_eq_nocase(name, SLICE("Content-Length"))) {
		if (slice_number(value, INT64_MAX, &n) == 0)
			reply->expected = (int64_t)n;
	} else if (slice_eq_nocase(name, SLICE("Retry-After"))) {
		reply_keep(reply->retry_after, value);
	} else if (slice_eq_nocase(name, SLICE("Date"))) {
		reply_keep(reply->date, value);
	}
}

void reply_body(struct reply *reply, const char *p, size_t n)
{
	size_t room = reply->body.max - reply->body.len;

	reply->arrived += (int64_t)n;
	buf_add(&reply->body, p, n < room ? n : room);
}

bool reply_complete(const struct reply *reply)
{
	return reply->begun && reply->expected >= 0 &&
	       reply->arrived >= reply->expected;
}

static int reply_month(const char *name)
{
	static const char *const months[] = {"Jan", "Feb", "Mar", "Apr",
					     "May", "Jun", "Jul", "Aug",
					     "Sep", "Oct", "Nov", "Dec"};

	for (int i = 0; i < 12; i++) {
		if (slice_eq_nocase(slice_str(name), slice_str(months[i])))
			return i;
	}
	return -1;
}

/* RFC 9110, 5.6.7.  Returns 0, or -1 when it is no date. */
static int reply_date(const char *text, int64_t *seconds_out)
{
	struct tm tm = {0};
	char month[4];

	if (sscanf(text, "%*9[A-Za-z], %2d %3[A-Za-z] %4d %2d:%2d:%2d",
		   &tm.tm_mday, month, &tm.tm_year, &tm.tm_hour, &tm.tm_min,
		   &tm.tm_sec) != 6 &&
	    sscanf(text, "%*9[A-Za-z], %2d-%3[A-Za-z]-%2d %2d:%2d:%2d",
		   &tm.tm_mday, month, &tm.tm_year, &tm.tm_hour, &tm.tm_min,
		   &tm.tm_sec) != 6 &&
	    sscanf(text, "%*3[A-Za-z] %3[A-Za-z] %2d %2d:%2d:%2d %4d", month,
		   &tm.tm_mday, &tm.tm_hour, &tm.tm_min, &tm.tm_sec,
		   &tm.tm_year) != 6)
		return -1;
	tm.tm_mon = reply_month(month);
	if (tm.tm_year >= 1000)
		tm.tm_year -= 1900;
	else if (tm.tm_year < 70)
		tm.tm_year += 100; /* two digits: 1970 to 2069 */
	if (tm.tm_mon < 0 || tm.tm_mday < 1 || tm.tm_mday > 31 ||
	    tm.tm_hour < 0 || tm.tm_hour > 23 || tm.tm_min < 0 ||
	    tm.tm_min > 59 || tm.tm_sec < 0 || tm.tm_sec > 60)
		return -1;
	*seconds_out = (int64_t)timegm(&tm);
	return 0;
}

int64_t reply_retry_after(const struct reply *reply, int64_t now_s)
{
	struct slice text = slice_str(reply->retry_after);
	unsigned long long n;
	int64_t seconds, date;

	if (slice_number(text, ULLONG_MAX, &n) == 0)
		return n < REPLY_RETRY_MAX_S ? (int64_t)n : REPLY_RETRY_MAX_S;
	if (reply_date(reply->retry_after, &seconds) < 0)
		return -1;
	seconds -= reply_date(reply->date, &date) == 0 ? date : now_s;
	if (seconds < 0)
		return 0;
	return seconds < REPLY_RETRY_MAX_S ? seconds : REPLY_RETRY_MAX_S;
}

void reply_hide(struct reply *reply, const char *secret)
{
	size_t n = strlen(secret);
	char *hit = reply->body.p;
	char *end;

	if (!reply->body.len || !n)
		return;
	end = reply->body.p + reply->body.len;
	while ((hit = memmem(hit, (size_t)(end - hit), secret, n))) {
		memset(hit, 'x', n);
		hit += n;
	}
}

struct slice reply_error(const char *words, const char *code_words, bool tls)
{
	if (!*words || (tls && !strstr(words, "certificate")))
		return slice_str(code_words);
	return slice_str(words);
}
