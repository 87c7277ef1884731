/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef INGEST_DELIVERY_PRIVATE_H
#define INGEST_DELIVERY_PRIVATE_H

/*
 * delivery_private - what the files of delivery share; nobody else's
 *
 *	delivery.c		life, the step, what is shown
 *	delivery_send.c		what is sent next
 *	delivery_result.c	what an answer does to its batch
 *	delivery_gate.c		may anything be sent: the destination's state
 *	delivery_cut.c		a refused batch, down to its guilty events
 *	delivery_part.c		lines of a batch, packed again
 *
 * Uploads are numbered, and the number says what an answer proves: an upload
 * with a higher number than the last failure was started after it.
 */

#include <pthread.h>

#include "base/backoff.h"
#include "ingest/answer.h"
#include "ingest/delivery.h"

enum {
	DELIVERY_KEPT = 32,	 /* batches that are ours but not in flight */
	DELIVERY_SUSPECTS = 16,	 /* of them, held back without a witness */
	DELIVERY_DISK_MS = 2000, /* until the disk is tried again */
	DELIVERY_WITNESS_MS = 3600 * 1000,
	DELIVERY_IDLE_MS = 3600 * 1000,
	DELIVERY_ROUNDS = 256 /* things done in one step */
};

enum delivery_gate_mode { GATE_OPEN = 0, GATE_SHUT, GATE_PROBE };

enum delivery_trouble_kind {
	TROUBLE_NETWORK = 0,
	TROUBLE_TLS,
	TROUBLE_SERVICE,
	TROUBLE_NOT_SERVICE,
	TROUBLE_SLOW,
	TROUBLE_KEY, /* this and the next are worth retry_max each time */
	TROUBLE_CONFIG,
	TROUBLE_NOT_DATA
};

struct delivery_trouble {
	enum delivery_trouble_kind kind;
	int status; /* 0: none came */
	int64_t retry_after_s;
	const char *words; /* masked */
};

struct delivery_gate {
	enum delivery_gate_mode mode;
	int64_t until_ms; /* with GATE_SHUT */
	struct backoff backoff;
	unsigned int window;	/* uploads at once, 1 to connections */
	unsigned int borne;	/* accepted since it was widened */
	bool filled;		/* so many were in flight since then */
	unsigned int slow;	/* requests to slow down in a row */
	uint64_t failed_number; /* no upload up to this one proves anything */
	enum delivery_trouble_kind trouble; /* the last one, unless open */
	unsigned int said;     /* a bit for each kind that the log knows of */
	unsigned int failures; /* of this outage */
	int64_t since_ms;      /* when it began */
	bool key_refused;
};

struct delivery_upload {
	bool busy, part;
	bool again; /* of a part: see struct delivery_part */
	uint64_t number;
	struct batch batch;
	uint32_t first, count; /* of a part */
};

enum delivery_kept_state {
	KEPT_NONE = 0,
	KEPT_REFUSED, /* to be cut; suspects, when there is a witness */
	KEPT_DEPART,  /* accepted or refused, the disk did not let it go */
	KEPT_LATER    /* cannot be opened now */
};

struct delivery_kept {
	enum delivery_kept_state state;
	struct batch batch;
	int64_t at_ms; /* DEPART, LATER: when to try again */

	uint64_t number; /* REFUSED: the upload that was */
	bool suspect;	 /* perhaps not the data's fault */
	bool damaged;	 /* it cannot be unpacked, so not be cut */
	int status;
	char words[ANSWER_WORDS];

	enum batch_departure why; /* DEPART */
	uint32_t refused;
	char id[ANSWER_ID]; /* "" = nothing to note */
	bool tried;
	bool gathered; /* leaves with others, at at_ms at the latest */
};

enum { CUT_TODO = 80, CUT_DOUBT = 40 }; /* one other half at each level */

struct delivery_part {
	uint32_t first, count;
	/* Refused twice, by itself or in a larger part, and something else was
	 * accepted between: no outage looks like that. */
	bool again;
	int status; /* of its refusal */
	char words[ANSWER_WORDS];
};

struct delivery_cut {
	bool active, in_flight;
	struct batch batch;
	uint32_t events, refused;
	uint64_t number; /* the last upload of it that was refused */
	uint64_t begun;	 /* the first one */
	int64_t again_ms;
	unsigned int todo_count, doubt_count;
	struct {
		uint32_t first, count;
		bool again;
	} todo[CUT_TODO];
	struct delivery_part doubt[CUT_DOUBT]; /* refused, no witness yet */
	struct delivery_part last;	       /* the last refusal */
};

struct delivery {
	struct delivery_settings settings;
	struct spool *spool;
	const struct delivery_transport *transport;
	void *transport_ctx;
	int64_t now_ms, now_s;
	bool draining;

	uint64_t token;	 /* added to numbers, so that tokens differ */
	uint64_t number; /* of the last upload */
	uint64_t accepted_number;
	int64_t accepted_ms; /* -1 = nothing yet */
	unsigned int in_flight;
	struct delivery_upload uploads[HTTP_CONNECTIONS_MAX];
	struct delivery_kept kept[DELIVERY_KEPT];
	struct delivery_gate gate;
	struct delivery_cut cut;

	bool suspicion; /* held back, nothing accepted since: a refusal does
			   not prove that the destination is well */
	int64_t suspect_at_ms; /* before, suspects are no probes */
	int64_t take_at_ms;    /* the spool could not be read */
	bool disk_said;
	uint64_t expired_batches, expired_events; /* of this burst */

	uint64_t failures;
	int64_t last_success_s;
	char last_error[320];
	pthread_mutex_t mutex; /* guards shown */
	struct delivery_state shown;
};

uint64_t delivery_random(void);
void delivery_log_disk(struct delivery *d, const char *what,
		       const struct batch *batch);

/* gate.c */
void delivery_gate_configure(struct delivery *d);
void delivery_gate_tick(struct delivery *d);
unsigned int delivery_gate_most(const struct delivery *d);
bool delivery_gate_passes(const struct delivery *d);
void delivery_gate_works(struct delivery *d, uint64_t number);
void delivery_gate_sent(struct delivery *d);
void delivery_gate_bears(struct delivery *d, uint64_t number);
void delivery_gate_fails(struct delivery *d, uint64_t number,
			 const struct delivery_trouble *trouble);
void delivery_gate_probe(struct delivery *d, uint64_t number);
bool delivery_gate_parked(const struct delivery *d);

/* send.c */
int delivery_send_next(struct delivery *d);
int delivery_send_fd(struct delivery *d, const struct delivery_upload *what,
		     int fd, off_t size);
void delivery_send_end_burst(struct delivery *d);

/* result.c */
void delivery_result_reap(struct delivery *d);
void delivery_result_depart(struct delivery *d);
void delivery_result_return(struct delivery *d, struct delivery_upload *upload);
struct delivery_kept *delivery_result_keep(struct delivery *d,
					   enum delivery_kept_state state,
					   const struct batch *batch);
void delivery_result_suspect(struct delivery *d, struct delivery_kept *kept,
			     bool quiet);
unsigned int delivery_result_suspects(const struct delivery *d);
bool delivery_result_witness(const struct delivery *d, uint64_t number);

/* cut.c */
bool delivery_cut_begin(struct delivery *d);
int delivery_cut_next(struct delivery *d);
void delivery_cut_refused(struct delivery *d,
			  const struct delivery_upload *upload, int status,
			  const char *words);
void delivery_cut_again(struct delivery *d,
			const struct delivery_upload *upload);

/* part.c: lines of a batch as gzip, and, unless NULL, as they are: how many */
int64_t delivery_part_pack(int fd, const struct delivery_part *part, int level,
			   struct buf *gz_out, struct buf *line_out);
int delivery_part_file(struct slice bytes);

#endif /* INGEST_DELIVERY_PRIVATE_H */
