/* SPDX-License-Identifier: GPL-2.0-only */
#include "follow/position.h"

#include "base/mem.h"

static const char *const position_names[] = {
	[POSITION_FOLLOWING] = "following", [POSITION_WAITING] = "waiting",
	[POSITION_FINISHED] = "finished",   [POSITION_GONE] = "gone",
	[POSITION_SET_ASIDE] = "set-aside",
};

const char *position_state_name(enum position_state state)
{
	return position_names[state];
}

int position_state_parse(struct slice name, enum position_state *state_out)
{
	for (int i = POSITION_FOLLOWING; i <= POSITION_SET_ASIDE; i++) {
		if (slice_eq(name, slice_str(position_names[i]))) {
			*state_out = (enum position_state)i;
			return 0;
		}
	}
	return -1;
}

void position_init(struct position *position)
{
	*position = (struct position){.state = POSITION_FOLLOWING,
				      .pmta_rows = POSITION_PMTA_UNKNOWN};
	shape_file_init(&position->file);
}

void position_release(struct position *position)
{
	mem_free(position->path);
	shape_file_release(&position->file);
	account_release(&position->account);
	position_init(position);
}

void position_copy(struct position *to, const struct position *from)
{
	if (to == from)
		return;
	mem_free(to->path);
	to->path = from->path ? mem_str(from->path) : NULL;
	to->number = from->number;
	to->id = from->id;
	to->anew_seq = from->anew_seq;
	to->offset = from->offset;
	to->tail_len = from->tail_len;
	to->tail = from->tail;
	shape_file_copy(&to->file, &from->file);
	to->state = from->state;
	to->size = from->size;
	to->last_read_s = from->last_read_s;
	account_release(&to->account);
	account_merge(&to->account, &from->account);
	to->fate = from->fate;
	to->pmta_rows = from->pmta_rows;
}

static void position_sum(uint64_t events[EVENT_TYPES],
			 struct position_fate *fate,
			 const struct position_credit *more)
{
	for (int i = 0; i < EVENT_TYPES; i++)
		events[i] += more->events[i];
	fate->sent += more->fate.sent;
	fate->refused += more->fate.refused;
	fate->evicted += more->fate.evicted;
	fate->expired += more->fate.expired;
	fate->healed += more->fate.healed;
}

void position_credit_add(struct position_credit *total,
			 const struct position_credit *more)
{
	position_sum(total->events, &total->fate, more);
}

void position_credit_take(struct position *position,
			  const struct position_credit *credit)
{
	position_sum(position->account.events, &position->fate, credit);
}
