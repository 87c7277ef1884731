/* SPDX-License-Identifier: GPL-2.0-only */
#include "app/crew.h"

#include <pthread.h>
#include <unistd.h>

#include "app/signals.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/mem.h"

enum crew_state { CREW_FREE = 0, CREW_QUEUED, CREW_MAKING, CREW_MADE };

struct crew_job {
	/* Under the mutex; the rest is the worker's while it is MAKING, and
	 * else the asking thread's. */
	enum crew_state state;
	bool dropped; /* nobody waits for what is being made */
	uint64_t ticket;

	uint64_t number;
	int64_t from, bytes, next, now_s;
	struct shape_file file, after; /* after: without a header, no idea */
	int fd;
	struct block *block;
	enum block_status status;
};

struct crew {
	const struct config *config;
	pthread_mutex_t mutex;
	pthread_cond_t work, made;
	bool stop;
	uint64_t tickets;
	pthread_t threads[CREW_MAX];
	size_t threads_count;
	struct crew_job jobs[CREW_AHEAD_MAX + 1];
	size_t jobs_count;
};

/* --- The threads --- */

/* The one that waits longest. */
static struct crew_job *crew_oldest(struct crew *crew)
{
	struct crew_job *oldest = NULL;

	for (size_t i = 0; i < crew->jobs_count; i++) {
		struct crew_job *job = &crew->jobs[i];

		if (job->state == CREW_QUEUED &&
		    (!oldest || job->ticket < oldest->ticket))
			oldest = job;
	}
	return oldest;
}

static void crew_make(struct block *block, struct crew_job *job)
{
	struct block_part part = {.fd = job->fd,
				  .from = job->from,
				  .to = INT64_MAX,
				  .bytes = job->bytes,
				  .file = &job->file};

	job->status = block_read_part(block, &part, job->now_s);
	if (job->status == BLOCK_MADE)
		block_move(job->block, block);
	fs_close(&job->fd);
}

static void *crew_run(void *arg)
{
	struct crew *crew = arg;
	struct block *block = block_new(crew->config);

	pthread_mutex_lock(&crew->mutex);
	while (!crew->stop) {
		struct crew_job *job = crew_oldest(crew);

		if (!job) {
			pthread_cond_wait(&crew->work, &crew->mutex);
			continue;
		}
		job->state = CREW_MAKING;
		pthread_mutex_unlock(&crew->mutex);
		crew_make(block, job);
		pthread_mutex_lock(&crew->mutex);
		job->state = job->dropped ? CREW_FREE : CREW_MADE;
		pthread_cond_signal(&crew->made);
	}
	pthread_mutex_unlock(&crew->mutex);
	block_free(&block);
	return NULL;
}

/* --- Life --- */

static size_t crew_size(const struct config *config)
{
	long count = config->threads;

	if (!count)
		count = sysconf(_SC_NPROCESSORS_ONLN);
	if (count < 2)
		return 0;
	return count < CREW_MAX ? (size_t)count : CREW_MAX;
}

static void crew_start(struct crew *crew, size_t count)
{
	int error = 0;

	signals_block();
	while (crew->threads_count < count && !error) {
		error = pthread_create(&crew->threads[crew->threads_count],
				       NULL, crew_run, crew);
		if (!error)
			crew->threads_count++;
	}
	signals_unblock();
	if (error)
		log_warnx("threads: only %zu of %zu can be started",
			  crew->threads_count, count);
}

struct crew *crew_new(const struct config *config)
{
	size_t count = crew_size(config);
	struct crew *crew;

	if (!count)
		return NULL;
	crew = mem_zero(1, sizeof(*crew));
	crew->config = config;
	crew->jobs_count = 2 * count + 1;
	for (size_t i = 0; i < crew->jobs_count; i++) {
		shape_file_init(&crew->jobs[i].file);
		shape_file_init(&crew->jobs[i].after);
		crew->jobs[i].fd = -1;
		crew->jobs[i].block = block_new_shelf(config);
	}
	pthread_mutex_init(&crew->mutex, NULL);
	pthread_cond_init(&crew->work, NULL);
	pthread_cond_init(&crew->made, NULL);
	crew_start(crew, count);
	if (!crew->threads_count)
		crew_free(&crew);
	return crew;
}

void crew_free(struct crew **crew)
{
	struct crew *c = *crew;

	if (!c)
		return;
	pthread_mutex_lock(&c->mutex);
	c->stop = true;
	pthread_cond_broadcast(&c->work);
	pthread_mutex_unlock(&c->mutex);
	for (size_t i = 0; i < c->threads_count; i++)
		pthread_join(c->threads[i], NULL);
	for (size_t i = 0; i < c->jobs_count; i++) {
		fs_close(&c->jobs[i].fd);
		shape_file_release(&c->jobs[i].file);
		shape_file_release(&c->jobs[i].after);
		block_free(&c->jobs[i].block);
	}
	pthread_cond_destroy(&c->work);
	pthread_cond_destroy(&c->made);
	pthread_mutex_destroy(&c->mutex);
	mem_free(c);
	*crew = NULL;
}

size_t crew_ahead(const struct crew *crew)
{
	return crew->jobs_count - 1;
}

/* --- The thread that asks --- */

static bool crew_is(const struct crew_job *job, const struct crew_order *order)
{
	return job->state != CREW_FREE && !job->dropped &&
	       job->number == order->number && job->from == order->from &&
	       job->bytes == order->bytes && job->now_s <= order->now_s &&
	       order->now_s - job->now_s <= CREW_FRESH_S &&
	       shape_file_same(&job->file, order->file);
}

struct crew_job *crew_find(struct crew *crew, const struct crew_order *order)
{
	struct crew_job *found = NULL;

	pthread_mutex_lock(&crew->mutex);
	for (size_t i = 0; i < crew->jobs_count && !found; i++) {
		if (crew_is(&crew->jobs[i], order))
			found = &crew->jobs[i];
	}
	pthread_mutex_unlock(&crew->mutex);
	return found;
}

static void crew_drop(struct crew_job *job)
{
	if (job->state == CREW_MAKING) {
		job->dropped = true;
		return;
	}
	fs_close(&job->fd);
	job->state = CREW_FREE;
}

void crew_keep(struct crew *crew, struct crew_job *const *jobs, size_t count)
{
	pthread_mutex_lock(&crew->mutex);
	for (size_t i = 0; i < crew->jobs_count; i++) {
		bool kept = false;

		for (size_t j = 0; j < count; j++)
			kept |= jobs[j] == &crew->jobs[i];
		if (!kept)
			crew_drop(&crew->jobs[i]);
	}
	pthread_mutex_unlock(&crew->mutex);
}

static struct crew_job *crew_vacant(struct crew *crew)
{
	for (size_t i = 0; i < crew->jobs_count; i++) {
		if (crew->jobs[i].state == CREW_FREE)
			return &crew->jobs[i];
	}
	return NULL;
}

struct crew_job *crew_begin(struct crew *crew, const struct crew_order *order,
			    int fd)
{
	struct crew_job *job;

	pthread_mutex_lock(&crew->mutex);
	job = crew_vacant(crew);
	if (job) {
		job->state = CREW_QUEUED;
		job->dropped = false;
		job->ticket = ++crew->tickets;
		job->number = order->number;
		job->from = order->from;
		job->bytes = order->bytes;
		job->next = order->next;
		job->now_s = order->now_s;
		shape_file_copy(&job->file, order->file);
		if (order->after)
			shape_file_copy(&job->after, order->after);
		else
			shape_file_release(&job->after);
		job->fd = fd;
		pthread_cond_signal(&crew->work);
	}
	pthread_mutex_unlock(&crew->mutex);
	if (!job)
		fs_close(&fd);
	return job;
}

bool crew_after(struct crew *crew, const struct crew_job *job,
		int64_t *from_out, const struct shape_file **file_out)
{
	enum crew_state state;

	pthread_mutex_lock(&crew->mutex);
	state = job->state;
	pthread_mutex_unlock(&crew->mutex);
	if (state != CREW_MADE) {
		*from_out = job->next;
		*file_out = &job->after;
		return job->next >= 0 && job->after.header.len;
	}
	if (job->status != BLOCK_MADE)
		return false;
	*from_out = block_batch(job->block)->to;
	*file_out = &block_batch(job->block)->file;
	return true;
}

enum block_status crew_wait(struct crew *crew, const struct crew_job *job)
{
	pthread_mutex_lock(&crew->mutex);
	while (job->state != CREW_MADE)
		pthread_cond_wait(&crew->made, &crew->mutex);
	pthread_mutex_unlock(&crew->mutex);
	return job->status;
}

struct block *crew_block(const struct crew_job *job)
{
	return job->block;
}
