/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef GENERATOR_GEN_H
#define GENERATOR_GEN_H

/*
 * gen - accounting files as PowerMTA writes them, from a seed
 *
 * main.c picks the types, gen_mail.c makes up messages and fills the columns
 * of a row, gen_fields.c knows which columns there are, gen_files.c writes
 * rows to files and says what a reader should make of them.  The same options
 * and seed give the same bytes, but for --rate without --now.
 */

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/buf.h"

enum gen_type {
	GEN_D = 0,
	GEN_B,
	GEN_T,
	GEN_R,
	GEN_RB,
	GEN_F,
	GEN_TQ,
	GEN_RS,
	GEN_TYPES
};

enum gen_columns { GEN_DEFAULT = 0, GEN_D_ONLY, GEN_SIGNALS };

enum gen_column {
	COL_TYPE = 0,
	COL_LOGGED,
	COL_QUEUED,
	COL_ORIG,
	COL_RCPT,
	COL_ORCPT,
	COL_ACTION,
	COL_STATUS,
	COL_DIAG,
	COL_MTA,
	COL_CAT,
	COL_SRC_TYPE,
	COL_SRC_MTA,
	COL_DLV_TYPE,
	COL_DLV_SOURCE,
	COL_DLV_DEST,
	COL_ESMTP,
	COL_SIZE,
	COL_VMTA,
	COL_JOB,
	COL_ENVID,
	COL_QUEUE,
	COL_POOL,
	COL_MESSAGE_ID,
	COL_SUBACCOUNT,
	COL_REP_SOURCE,
	COL_FEEDBACK,
	COL_FORMAT,
	COL_AGENT,
	COL_REPORTING_MTA,
	COL_REPORTED_DOMAIN,
	COL_FROM,
	COL_RETURN_PATH,
	COL_X_JOB,
	COL_SUBJECT,
	COL_RCV_SOURCE,
	COL_RCV_DEST,
	COL_DSN_REPORTING,
	GEN_COLS
};

struct gen_options {
	const char *dir, *base, *manifest, *stamps;
	uint64_t seed, rows, rate, roll_every;
	unsigned int weights[GEN_TYPES]; /* [GEN_R]: r rows, or not */
	enum gen_columns columns;
	bool halves, torn, crlf, epoch;
	int64_t now_s; /* 0: the clock */
	int64_t span_s;
	unsigned int hostile; /* odd rows in a thousand */
};

/* One row, as columns; slices of literals or of "text". */
struct gen_row {
	enum gen_type type;
	struct slice value[GEN_COLS];
	int cut_after; /* write no column after this one; -1: all */
	char text[4096];
	size_t used;
	/* What a reader should make of it. */
	bool reception, main_event;
	struct slice key;	/* the recipient in lower case */
	int64_t reception_time; /* and when its injection was */
};

/* A message between its rows. */
struct gen_message {
	uint64_t n;
	int64_t queued_s;
};

struct gen_dice {
	uint64_t state;
};

uint64_t gen_roll(struct gen_dice *dice);

/* Hash of a number: what is made up about a message is the same each time. */
uint64_t gen_hash(uint64_t n);

const char *gen_type_name(enum gen_type type);

/* --- gen_fields.c --- */

struct gen_layout {
	enum gen_column column[GEN_COLS];
	size_t count;
	const char *line_end;
};

void gen_layout(struct gen_layout *layout, const struct gen_options *o);
void gen_header(const struct gen_layout *layout, struct buf *out);
void gen_write(const struct gen_layout *layout, const struct gen_row *row,
	       struct buf *out);

/* --- gen_mail.c --- */

void gen_fill(struct gen_row *row, const struct gen_options *o,
	      const struct gen_message *message, enum gen_type type,
	      int64_t logged_s);

/* Make a d or b row odd, in one of a few ways. */
void gen_spoil(struct gen_row *row, uint64_t how);

/* --- gen_files.c --- */

struct gen_files {
	const struct gen_options *o;
	struct gen_layout layout;
	struct gen_dice dice; /* where --halves and --torn cut */
	struct buf out;
	struct buf list; /* of the manifest */
	char name[256];
	unsigned int number; /* the NNNN of the name */
	uint64_t in_file;    /* rows */
	uint64_t offset;     /* of what is in "out" */
	uint64_t rows;	     /* in all files */
	int fd, list_fd, stamps_fd;
};

/* Each returns 0, or -1 with errno set. */
int gen_files_open(struct gen_files *files, const struct gen_options *o);
int gen_files_row(struct gen_files *files, const struct gen_row *row);
int gen_files_flush(struct gen_files *files);

/* All but a random tail, which may begin within a row; it follows later. */
int gen_files_tear(struct gen_files *files);
int gen_files_close(struct gen_files *files);

#endif /* GENERATOR_GEN_H */
