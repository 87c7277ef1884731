/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FOLLOW_SOURCES_EVENT_H
#define FOLLOW_SOURCES_EVENT_H

/*
 * sources_event - what happened to accounting files, for the log (sources.h)
 *
 *	while (sources_event(sources, &event)) say it;
 */

#include <stdbool.h>
#include <stdint.h>

struct sources;

enum sources_event_kind {
	SOURCES_FOUND = 0,  /* a file never seen before */
	SOURCES_FINISHED,   /* read to its end, another took over */
	SOURCES_RENAMED,    /* detail: the old path */
	SOURCES_TRUNCATED,  /* shorter than before: read from its start */
	SOURCES_REPLACED,   /* same name, another file */
	SOURCES_REWRITTEN,  /* bytes before the offset changed: as truncated */
	SOURCES_GONE,	    /* deleted; detail says if rows were unread */
	SOURCES_UNREADABLE, /* a file or a directory; detail: why; said once
			       until it changes */
	SOURCES_READABLE,   /* again */
	SOURCES_NOT_A_FILE  /* a directory, fifo, ...: ignored */
};

struct sources_event {
	enum sources_event_kind kind;
	const char *path;
	const char *detail;
	int64_t bytes; /* offset or size, as fits the kind */
};

/* The next one, oldest first; false when there is none.  Strings are good
 * until the next call.  At most 1000 are kept, newer ones are dropped. */
bool sources_event(struct sources *sources, struct sources_event *event_out);

#endif /* FOLLOW_SOURCES_EVENT_H */
