/* SPDX-License-Identifier: GPL-2.0-only */
#include "app/lost.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>

#include "app/rows.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/mem.h"

struct lost_event {
	struct batch batch;
	char *event_id;
};

struct lost {
	pthread_mutex_t mutex;
	struct lost_event *events;
	size_t count;
};

struct lost *lost_new(void)
{
	struct lost *lost = mem_zero(1, sizeof(*lost));

	pthread_mutex_init(&lost->mutex, NULL);
	return lost;
}

static void lost_release(struct lost_event *events, size_t count)
{
	for (size_t i = 0; i < count; i++)
		mem_free(events[i].event_id);
	mem_free(events);
}

void lost_free(struct lost **lost)
{
	if (!*lost)
		return;
	lost_release((*lost)->events, (*lost)->count);
	pthread_mutex_destroy(&(*lost)->mutex);
	mem_free(*lost);
	*lost = NULL;
}

void lost_add(struct lost *lost, const struct batch *batch, struct slice json)
{
	struct buf id;

	buf_init(&id, 64);
	if (rows_event_id(json, &id).len) {
		pthread_mutex_lock(&lost->mutex);
		if (lost->count < LOST_MAX) {
			lost->events =
				mem_resize_array(lost->events, lost->count + 1,
						 sizeof(*lost->events));
			lost->events[lost->count++] = (struct lost_event){
				*batch, mem_str_of(buf_slice(&id))};
		}
		pthread_mutex_unlock(&lost->mutex);
	}
	buf_release(&id);
}

/* Take the whole list, so that the lock is not held while files are read. */
static struct lost_event *lost_take(struct lost *lost, size_t *count_out)
{
	struct lost_event *events;

	pthread_mutex_lock(&lost->mutex);
	events = lost->events;
	*count_out = lost->count;
	lost->events = NULL;
	lost->count = 0;
	pthread_mutex_unlock(&lost->mutex);
	return events;
}

static const struct position *lost_position(struct sources *sources,
					    const struct position_id *id)
{
	for (size_t i = 0; i < sources_count(sources); i++) {
		const struct position *at =
			source_position(sources_get(sources, i));

		if (at->id.dev == id->dev && at->id.ino == id->ino)
			return at;
	}
	return NULL;
}

static int lost_find_one(const struct lost_event *event,
			 const struct config *config, const struct position *at,
			 struct buf *out)
{
	struct rows_query query = {.batch = &event->batch,
				   .event_id = slice_str(event->event_id),
				   .columns = buf_slice(&at->file.header),
				   .path = at->path};
	int found, fd;

	fd = openat(AT_FDCWD, at->path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return -1;
	query.fd = fd;
	found = rows_find(config, &query, out);
	fs_close(&fd);
	return found;
}

void lost_find(struct lost *lost, const struct config *config,
	       struct sources *sources, struct spool *spool)
{
	size_t count, missing = 0;
	struct lost_event *events = lost_take(lost, &count);
	struct buf lines;

	if (!count)
		return;
	buf_init(&lines, 8 << 20);
	for (size_t i = 0; i < count; i++) {
		const struct position *at =
			lost_position(sources, &events[i].batch.source);

		if (!at || lost_find_one(&events[i], config, at, &lines) <= 0)
			missing++;
	}
	if (lines.len && spool_add_rows(spool, buf_slice(&lines)) < 0)
		log_warn("spool: cannot keep refused rows in refused/rows.csv; "
			 "their events are in refused/");
	if (missing)
		log_warnx(
			"rows: the rows of %zu refused events were not found "
			"(the accounting file is gone or changed); the events "
			"are in refused/",
			missing);
	buf_release(&lines);
	lost_release(events, count);
}
