/* SPDX-License-Identifier: GPL-2.0-only */
#include "base/json_run.h"

/* One byte that is not as itself in a string. */
static char *run_escape(char *out, unsigned char c)
{
	static const char hex[] = "0123456789ABCDEF";
	static const char letters[32] = {['\b'] = 'b',
					 ['\t'] = 't',
					 ['\n'] = 'n',
					 ['\f'] = 'f',
					 ['\r'] = 'r'};

	*out++ = '\\';
	if (c == '"' || c == '\\') {
		*out++ = (char)c;
	} else if (letters[c]) {
		*out++ = letters[c];
	} else {
		memcpy(out, "u00", 3);
		out[3] = hex[c >> 4];
		out[4] = hex[c & 15];
		out += 5;
	}
	return out;
}

/* How many bytes stand before the first mark. */
static size_t run_before(uint64_t marks)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	return (size_t)__builtin_ctzll(marks) / 8;
#else
	return (size_t)__builtin_clzll(marks) / 8;
#endif
}

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
/* Up to 8 bytes and zeros, without a loop: parts may overlap. */
static uint64_t run_load(const char *p, size_t n)
{
	const unsigned char *c = (const unsigned char *)p;

	if (n >= 8)
		return json_run_load(p);
	if (n >= 4)
		return json_run_few(p, n);
	return (uint64_t)c[0] | (uint64_t)c[n / 2] << n / 2 * 8 |
	       (uint64_t)c[n - 1] << (n - 1) * 8;
}
#else
static uint64_t run_load(const char *p, size_t n)
{
	uint64_t word = 0;

	memcpy(&word, p, n < 8 ? n : 8);
	return word;
}
#endif

/* Bytes of a word that are copied as they are; the word is stored whole. */
static size_t run_word(char *out, const char *p, size_t n)
{
	uint64_t word = run_load(p, n), marks = json_run_marks(word);
	size_t good = marks ? run_before(marks) : sizeof(word);

	memcpy(out, &word, sizeof(word));
	return good < n ? good : n;
}

char *json_run_long(char *out, struct slice text)
{
	const char *p = text.p;
	size_t left = text.len;

	while (left) {
		size_t most = 8, n;

#ifdef __SSE2__
		if (left >= 16) {
			unsigned int marks = json_run_wide(out, p);

			most = 16;
			n = marks ? (size_t)__builtin_ctz(marks) : most;
		} else
#endif
			n = run_word(out, p, left);
		out += n;
		p += n;
		left -= n;
		if (n < most && left) {
			out = run_escape(out, (unsigned char)*p);
			p++;
			left--;
		}
	}
	return out;
}
