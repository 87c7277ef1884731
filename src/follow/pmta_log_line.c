/* SPDX-License-Identifier: GPL-2.0-only */
#include "follow/pmta_log.h"

/*
 * A line is a row of words: what stands between blanks, brackets, quotes and
 * the like.  Two signs belong to a word when a digit stands on either side of
 * them, so that "12,345" is one number and "12:30:45" none.
 */
enum word_kind {
	WORD_OTHER = 0,
	WORD_RECORDS, /* "records", "recordcount", ... */
	WORD_FILLER,  /* may stand between that and its number */
	WORD_NUMBER
};

struct word {
	struct slice text;
	enum word_kind kind;
	int64_t value;
};

/* How far from its number "records" may be: "5 csv accounting records". */
enum { WORD_REACH = 3 };

static bool word_is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool word_ends_at(struct slice line, size_t at)
{
	static const char ends[] = " \t\r\"'`()[]{}<>|;=,:";
	char c = line.p[at];

	if (!c || !strchr(ends, c))
		return !c;
	return !((c == ',' || c == ':') && at && at + 1 < line.len &&
		 word_is_digit(line.p[at - 1]) &&
		 word_is_digit(line.p[at + 1]));
}

static bool word_in(struct slice word, const char *const *list)
{
	for (; *list; list++) {
		if (slice_eq_nocase(word, slice_str(*list)))
			return true;
	}
	return false;
}

/* 1234 or 1,234: 0, or -1 when it is no number. */
static int word_number(struct slice text, int64_t *value_out)
{
	size_t group = slice_find(text, ',');
	bool grouped = group < text.len;
	int64_t value = 0;

	if (!text.len || text.len > 18 || (grouped && group > 3))
		return -1;
	for (size_t i = 0; i < text.len; i++) {
		/* A comma before every three digits from the end. */
		bool comma = grouped && (text.len - i) % 4 == 0;

		if (comma ? text.p[i] != ',' : !word_is_digit(text.p[i]))
			return -1;
		if (!comma)
			value = value * 10 + (text.p[i] - '0');
	}
	*value_out = value;
	return 0;
}

static enum word_kind word_judge(struct slice text, int64_t *value_out)
{
	static const char *const records[] = {
		"record",	 "records",	  "recordcount",
		"recordscount",	 "record-count",  "record_count",
		"records-count", "records_count", NULL};
	static const char *const fillers[] = {
		"accounting", "acct", "csv", "data", "total", "count", "moved",
		"s",	      "is",   "was", "-",    "->",    "#",     NULL};

	if (word_number(text, value_out) == 0)
		return WORD_NUMBER;
	if (word_in(text, records))
		return WORD_RECORDS;
	return word_in(text, fillers) ? WORD_FILLER : WORD_OTHER;
}

/* The next word, without a full stop at its end; false: there is none. */
static bool word_next(struct slice *line, struct word *word_out)
{
	size_t begin = 0, end;

	while (begin < line->len && word_ends_at(*line, begin))
		begin++;
	end = begin;
	while (end < line->len && !word_ends_at(*line, end))
		end++;
	word_out->text = slice_of(line->p + begin, end - begin);
	*line = slice_skip(*line, end);
	if (begin == end)
		return false;
	if (word_out->text.len > 1 && word_out->text.p[end - begin - 1] == '.')
		word_out->text.len--;
	word_out->kind = word_judge(word_out->text, &word_out->value);
	return true;
}

/* The name of a file of ours, without its directory; empty: it is none. */
static struct slice word_file(const struct pmta_log *log, struct slice text)
{
	char name[PMTA_LOG_NAME + 1];
	size_t slash = slice_find_last(text, '/');

	if (slash < text.len)
		text = slice_skip(text, slash + 1);
	if (!text.len || text.len > PMTA_LOG_NAME)
		return slice_of(NULL, 0);
	memcpy(name, text.p, text.len);
	name[text.len] = '\0';
	return pmta_log_wants(log, name) ? text : slice_of(NULL, 0);
}

/* What a line has said so far.  "number" and "records" tell how many words ago
 * one was that only fillers stand behind; 0: none. */
struct reading {
	struct pmta_log_fact fact;
	int number, records;
	int64_t value;	  /* of that number */
	bool number_used; /* it has stood beside "records" already */
	unsigned int numbers;
	bool names_differ;
};

static void reading_count(struct reading *r, int64_t value)
{
	r->fact.records = value;
	r->numbers++;
}

static void reading_take(struct reading *r, const struct word *word)
{
	if (word->kind == WORD_NUMBER) {
		r->number_used = r->records > 0;
		if (r->number_used)
			reading_count(r, word->value);
		r->value = word->value;
		r->number = 1;
		r->records = 0;
	} else if (word->kind == WORD_RECORDS) {
		if (r->number && !r->number_used)
			reading_count(r, r->value);
		r->number = 0;
		r->records = 1;
	} else if (word->kind == WORD_FILLER) {
		r->number =
			r->number && r->number < WORD_REACH ? r->number + 1 : 0;
		r->records = r->records && r->records < WORD_REACH
				     ? r->records + 1
				     : 0;
	} else {
		r->number = r->records = 0;
	}
}

/* Nearly every line of the log is about something else. */
static bool line_may_count(struct slice line)
{
	return memmem(line.p, line.len, "ecord", 5) ||
	       memmem(line.p, line.len, "ECORD", 5);
}

bool pmta_log_line(const struct pmta_log *log, struct slice line,
		   struct pmta_log_fact *fact_out)
{
	struct reading r = {0};
	struct word word;

	*fact_out = r.fact;
	if (!line.len || !line_may_count(line))
		return false;
	while (word_next(&line, &word)) {
		struct slice name = slice_of(NULL, 0);

		if (word.kind == WORD_OTHER)
			name = word_file(log, word.text);
		reading_take(&r, &word);
		if (!name.len)
			continue;
		r.names_differ |=
			r.fact.name.len && !slice_eq(r.fact.name, name);
		r.fact.name = name;
	}
	*fact_out = r.fact;
	return r.numbers == 1 && r.fact.name.len && !r.names_differ;
}
