/* SPDX-License-Identifier: GPL-2.0-only */
#include "spool/checkpoint_headers.h"

#include "base/mem.h"
#include "base/utf8.h"
#include "spool/checkpoint_put.h"

static struct checkpoint_header *
headers_slot(const struct checkpoint_headers *headers, struct digest d)
{
	size_t at = (size_t)d.lo;

	for (;; at++) {
		struct checkpoint_header *slot =
			&headers->table[at & (headers->slots - 1)];

		if (!slot->number ||
		    (slot->digest.lo == d.lo && slot->digest.hi == d.hi))
			return slot;
	}
}

static void headers_grow(struct checkpoint_headers *headers)
{
	struct checkpoint_header *old = headers->table;
	size_t slots = headers->slots;

	headers->slots = slots ? slots * 2 : 16;
	headers->table = mem_zero(headers->slots, sizeof(*headers->table));
	for (size_t i = 0; i < slots; i++) {
		if (old[i].number)
			*headers_slot(headers, old[i].digest) = old[i];
	}
	mem_free(old);
}

uint32_t checkpoint_headers_number(struct checkpoint_headers *headers,
				   struct slice header)
{
	struct digest digest = digest_of(header);
	struct buf *text = &headers->text;
	struct checkpoint_header *slot;

	if ((size_t)headers->count * 2 >= headers->slots)
		headers_grow(headers);
	slot = headers_slot(headers, digest);
	if (slot->number)
		return slot->number - 1;
	slot->digest = digest;
	slot->number = ++headers->count;
	if (text->len)
		buf_add_slice(text, SLICE(","));
	if (utf8_valid(header) == header.len) {
		checkpoint_put_string(text, header);
	} else {
		buf_add_slice(text, SLICE("{\"hex\":"));
		checkpoint_put_hex_string(text, header);
		buf_add_slice(text, SLICE("}"));
	}
	return slot->number - 1;
}

void checkpoint_headers_release(struct checkpoint_headers *headers)
{
	mem_free(headers->table);
	buf_release(&headers->text);
	headers->table = NULL;
	headers->slots = 0;
	headers->count = 0;
}
