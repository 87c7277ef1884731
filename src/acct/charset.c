/* SPDX-License-Identifier: GPL-2.0-only */
#include "acct/charset.h"

#include <errno.h>

#include "base/utf8.h"

#define CHARSET_NONE ((iconv_t)-1)

/* Windows-1252; what it leaves open is U+FFFD. */
static const uint16_t charset_1252[32] = {
	0x20ac, 0xfffd, 0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021,
	0x02c6, 0x2030, 0x0160, 0x2039, 0x0152, 0xfffd, 0x017d, 0xfffd,
	0xfffd, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014,
	0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0xfffd, 0x017e, 0x0178,
};

static uint32_t charset_latin9(unsigned char c)
{
	switch (c) {
	case 0xa4:
		return 0x20ac;
	case 0xa6:
		return 0x160;
	case 0xa8:
		return 0x161;
	case 0xb4:
		return 0x17d;
	case 0xb8:
		return 0x17e;
	case 0xbc:
		return 0x152;
	case 0xbd:
		return 0x153;
	case 0xbe:
		return 0x178;
	default:
		return c;
	}
}

static uint32_t charset_latin1(unsigned char c)
{
	return c;
}

static uint32_t charset_windows(unsigned char c)
{
	return c >= 0x80 && c <= 0x9f ? charset_1252[c - 0x80] : c;
}

/* decode NULL: UTF-8 or a part of it. */
static const struct {
	const char *name;
	uint32_t (*decode)(unsigned char c);
} charset_own[] = {
	{"utf-8", NULL},
	{"utf8", NULL},
	{"us-ascii", NULL},
	{"ascii", NULL},
	{"iso-8859-1", charset_latin1},
	{"iso8859-1", charset_latin1},
	{"latin1", charset_latin1},
	{"iso-8859-15", charset_latin9},
	{"iso8859-15", charset_latin9},
	{"windows-1252", charset_windows},
	{"cp1252", charset_windows},
};

void charset_init(struct charset *charset)
{
	*charset = (struct charset){0};
}

static void charset_forget(struct charset_known *known)
{
	if (known->name[0] && known->cd != CHARSET_NONE)
		iconv_close(known->cd);
	known->name[0] = '\0';
}

void charset_release(struct charset *charset)
{
	for (int i = 0; i < CHARSET_KEPT; i++)
		charset_forget(&charset->known[i]);
	charset_init(charset);
}

void charset_reset(struct charset *charset)
{
	charset->opens = 0;
}

/* Names that iconv may be asked for: no path, none of its own suffixes. */
static bool charset_is_name(struct slice name)
{
	if (!name.len || name.len > CHARSET_NAME)
		return false;
	for (size_t i = 0; i < name.len; i++) {
		char c = slice_lower(name.p[i]);

		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
		      c == '-' || c == '_' || c == ':' || c == '+'))
			return false;
	}
	return true;
}

static iconv_t charset_open(struct charset *charset, struct slice name)
{
	struct charset_known *known;

	for (int i = 0; i < CHARSET_KEPT; i++) {
		known = &charset->known[i];
		if (slice_eq_nocase(slice_str(known->name), name))
			return known->cd;
	}
	if (charset->opens >= CHARSET_OPENS)
		return CHARSET_NONE;
	charset->opens++;
	known = &charset->known[charset->turn++ % CHARSET_KEPT];
	charset_forget(known);
	memcpy(known->name, name.p, name.len);
	known->name[name.len] = '\0';
	known->cd = iconv_open("UTF-8", known->name);
	return known->cd;
}

static void charset_iconv(iconv_t cd, struct slice text, struct buf *out)
{
	char piece[512], *in = (char *)text.p;
	size_t left = text.len;

	iconv(cd, NULL, NULL, NULL, NULL);
	for (;;) {
		bool last = !left; /* what the decoder still holds back */
		char *to = piece;
		size_t room = sizeof(piece);
		size_t n = iconv(cd, last ? NULL : &in, &left, &to, &room);
		int error = n == (size_t)-1 ? errno : 0;

		utf8_repair(slice_of(piece, sizeof(piece) - room), out);
		if (last)
			return;
		if (!error || error == E2BIG)
			continue;
		/* A byte of no character, or the text ends within one. */
		utf8_encode(0xfffd, out);
		if (error != EILSEQ)
			return;
		in++;
		left--;
	}
}

int charset_decode(struct charset *charset, struct slice name,
		   struct slice text, struct buf *out)
{
	iconv_t cd;

	for (size_t i = 0; i < sizeof(charset_own) / sizeof(charset_own[0]);
	     i++) {
		if (!slice_eq_nocase(name, slice_str(charset_own[i].name)))
			continue;
		if (!charset_own[i].decode)
			return utf8_repair(text, out);
		for (size_t at = 0; at < text.len; at++)
			utf8_encode(charset_own[i].decode(
					    (unsigned char)text.p[at]),
				    out);
		return 0;
	}
	if (!charset_is_name(name))
		return -1;
	cd = charset_open(charset, name);
	if (cd == CHARSET_NONE)
		return -1;
	charset_iconv(cd, text, out);
	return 0;
}
