/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SPOOL_SPOOL_PRIVATE_H
#define SPOOL_SPOOL_PRIVATE_H

/*
 * spool_private - what the files of the spool share among themselves
 *
 * spool_read    names and checkpoints from a directory, for open and view
 * spool_open    directories, lock, close
 * spool_recover what a crash left
 * spool_seal    the commit, and the checkpoint alone
 * spool_settle  departures into the ledger, files out of sent/
 * spool_window  which batch is next
 * spool_depart  leaving ready/
 * spool_room    eviction
 * spool_reserve room for the checkpoint on a full disk
 * spool_note    accepted.ndjson and rows.csv
 * spool_refuse  refused events
 * spool_view    a spool that somebody else may hold
 *
 * Locks.  "mutex" guards all of struct spool below it and is never held over a
 * write or a sync.  "leaving" lets one departure at a time happen, so that
 * their numbers become durable in order; it is taken before "mutex".  What
 * stands above the locks is set once at open, or belongs to intake's thread.
 */

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/json.h"
#include "spool/spool.h"

enum {
	SPOOL_TEXT = 64 << 10, /* bytes kept of a text from outside */
	SPOOL_IN_FLIGHT = 64,  /* that delivery may hold */
	SPOOL_RETRIES = 1000   /* of a view that changes while it is read */
};

#define SPOOL_CHECKPOINT "checkpoint.json"
#define SPOOL_NEXT	 "checkpoint.next"
#define SPOOL_DAMAGED	 "checkpoint.damaged"
#define SPOOL_LOCK	 "lock"

/* --- spool_read --- */

struct spool_rooms {
	int dir, tmp, ready, sent, refused; /* -1: not open */
};

void spool_rooms_init(struct spool_rooms *rooms);
void spool_rooms_close(struct spool_rooms *rooms);

/* A room is never a link.  -1 with errno. */
int spool_open_room(int dir, const char *name);

/* Stop with -1 (and errno), go on with 0. */
typedef int spool_visit_name(void *ctx, const char *name);
typedef int spool_visit(void *ctx, const struct batch *batch, const char *name);

/* Every name of a directory but "." and ".."; every batch of it. */
int spool_each_name(int dir, spool_visit_name *visit, void *ctx);
int spool_each(int dir, spool_visit *visit, void *ctx);

/* How many events files there are in refused/. */
int spool_count_refused(int refused, uint64_t *count_out);

/* One of the two files that may hold the checkpoint. */
struct spool_saved {
	bool there;
	enum checkpoint_status status;
	struct checkpoint checkpoint; /* empty unless there and OK */
};

/* -1 only where the file is there and cannot be read. */
int spool_read_saved(int dir, const char *name, struct spool_saved *saved_out);
void spool_saved_release(struct spool_saved *saved);

/* The batches that a commit brought: numbers [first, last], and a bit for each
 * that was met. */
struct spool_group {
	uint64_t first, last;
	uint64_t met;
};

/* As the checkpoint says; empty (first > last) if it is not one. */
struct spool_group spool_group_of(const struct spool_saved *saved);
void spool_group_meet(struct spool_group *group, uint64_t seq);
bool spool_group_has(const struct spool_group *group, uint64_t seq);
bool spool_group_whole(const struct spool_group *group);

/* Meet those that are in a directory. */
int spool_group_look(int dir, struct spool_group *group);

/* Does checkpoint.next hold the truth?  "has_batch": of its commit. */
bool spool_next_counts(const struct spool_saved *saved,
		       const struct spool_saved *next, bool has_batch);

/* --- The spool --- */

/* In sent/ under a number that does not count, for neither the sync nor the way
 * back worked.  It stays in flight until it is back; "back": then it goes into
 * the window. */
struct spool_stuck {
	struct batch batch;
	bool back;
};

struct spool {
	struct spool_rooms rooms;
	int lock;

	/* Intake's: what an earlier failure left to do first (spool_seal.c). */
	bool undo;	  /* take the group out of ready/ */
	bool unsynced;	  /* ready/ must be synced */
	bool uninstalled; /* checkpoint.next is the checkpoint */

	/* The commit that is being made, or taken back. */
	struct batch group[SPOOL_GROUP];
	int group_fds[SPOOL_GROUP]; /* -1: closed */
	size_t group_count;	    /* in tmp/, or ready/ if "undo" */
	size_t staged;		    /* of them; 0 while it is taken back */
	uint64_t text_bytes;	    /* of the last checkpoint */
	uint64_t reserved;	    /* bytes of the reserve */
	void (*on_seal)(void *ctx);
	void *on_seal_ctx;
	void (*on_depart)(void *ctx);
	void *on_depart_ctx;

	pthread_mutex_t leaving;
	pthread_mutex_t mutex;
	struct spool_settings settings;
	uint64_t seq;	     /* the last one committed */
	uint64_t departures; /* the last one that is durable */
	uint64_t settled;    /* up to here the durable checkpoint knows */
	uint64_t emptied;    /* the last one whose file lies there empty */
	struct ledger left;  /* departures not given to intake yet */

	uint64_t batches, events, bytes; /* in ready/ */
	struct deadlines deadlines;	 /* of the same */

	/* The oldest batches that are not in flight, sorted (window_order()).
	 */
	struct batch window[SPOOL_WINDOW];
	size_t window_at, window_count;
	bool window_whole;   /* there is none behind it */
	int64_t rest_oldest; /* oldest event behind it, 0 = none */

	struct batch flight[SPOOL_IN_FLIGHT + 1]; /* one for an eviction */
	size_t flight_count;

	struct spool_stuck stuck[SPOOL_DEPARTURES];
	size_t stuck_count;
};

/* The earlier of two times of an oldest event, where 0 is none. */
int64_t spool_older(int64_t a, int64_t b);

/* --- spool_open, spool_recover --- */

/* Both, before anything is changed. */
struct spool_pair {
	struct spool_saved saved, next;
};

/* "cannot WHAT DIRECTORY/NAME: errno; remedy", and SPOOL_OPEN_FAILED. */
enum spool_open_status spool_failed(const struct spool *spool, const char *what,
				    const char *name, struct buf *why);

enum spool_open_status
spool_read_pair(struct spool *spool, struct spool_pair *pair, struct buf *why);
enum spool_open_status spool_recover(struct spool *spool,
				     struct spool_pair *pair,
				     struct spool_found *found,
				     struct buf *why);

/* --- spool_window; the mutex is held --- */

/* Read the window from ready/, and count; "also" sees each name as well. */
int spool_window_fill(struct spool *spool, spool_visit *also, void *ctx);

/* A new batch. */
void spool_window_append(struct spool *spool, const struct batch *batch);

/*
 * Move a batch from the window into flight: the first, or the first whose
 * newest event is older than "before_s".  1, 0 when there is none, or -1.
 */
int spool_window_next(struct spool *spool, struct batch *batch_out);
int spool_window_expired(struct spool *spool, int64_t before_s,
			 struct batch *batch_out);

/* It does not wait any more. */
void spool_window_uncount(struct spool *spool, const struct batch *batch);

bool spool_window_flies(struct spool *spool, uint64_t seq);

/* Back from flight into the window; and out of flight for good. */
void spool_window_return(struct spool *spool, uint64_t seq);
void spool_window_forget(struct spool *spool, uint64_t seq);

/* --- spool_seal --- */

/* Something may be sent: wake who asked for it (spool_on_seal()). */
void spool_tell(struct spool *spool);

/* --- spool_depart; no lock is held --- */

/* Bring back what is stuck in sent/.  -1 when that fails again. */
int spool_unstick(struct spool *spool);

/*
 * A batch in flight leaves; "departure" and "refused" are set, its number of
 * departure is given here.  After a failure it is in ready/ and in flight.
 */
int spool_leave(struct spool *spool, struct batch *batch);

/* The same, and its bytes are given back. */
int spool_evict(struct spool *spool, struct batch *batch);

/* --- spool_reserve; intake's thread --- */

/* Have a reserve, if there is room for it. */
void spool_reserve_keep(struct spool *spool);

/* After a failure: was it for want of room, and is there some more now? */
bool spool_reserve_give(struct spool *spool);

/* --- spool_note --- */

/* The name a batch has, or had, in ready/. */
void spool_ready_name(const struct batch *batch, char name[BATCH_NAME]);

/* A member whose text comes from outside: capped, and made UTF-8. */
void spool_put_text(struct json *json, const char *key, struct slice text);

#endif /* SPOOL_SPOOL_PRIVATE_H */
