/* SPDX-License-Identifier: GPL-2.0-only */
#include <arpa/inet.h>
#include <stdio.h>

#include "app/config_parts.h"

/*
 * The key goes where this URL says, so it is read more strictly than any
 * library reads it: what two readers could take for different hosts is turned
 * down.  "@" and "\" may stand nowhere, a host is letters, digits, "-", "." and
 * "_" or an IPv6 address in brackets, and plain http is for localhost and for
 * addresses that are written out: 127.0.0.0/8 in four decimal parts, or ::1.
 */

struct config_url {
	bool plain;
	struct slice host; /* without brackets */
	bool bracketed;
	struct slice port;
	struct slice rest; /* from the path on */
};

static bool config_url_clean(struct slice url)
{
	for (size_t i = 0; i < url.len; i++) {
		unsigned char c = (unsigned char)url.p[i];

		if (c <= 0x20 || c >= 0x7f || strchr("\\\"<>^`{|}", c))
			return false;
	}
	return true;
}

static bool config_url_is_host(struct slice host)
{
	for (size_t i = 0; i < host.len; i++) {
		char c = slice_lower(host.p[i]);

		if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') &&
		    c != '-' && c != '.' && c != '_')
			return false;
	}
	return host.len > 0 && host.len <= 253;
}

/* Is "host" an address of this family (as inet_pton reads it)? */
static bool config_url_address(struct slice host, int family, void *address)
{
	char text[INET6_ADDRSTRLEN];

	if (host.len >= sizeof(text))
		return false;
	snprintf(text, sizeof(text), "%.*s", SLICE_ARGS(host));
	return inet_pton(family, text, address) == 1;
}

static bool config_url_is_loopback(const struct config_url *url)
{
	struct in6_addr six;
	unsigned char four[4];

	if (url->bracketed)
		return config_url_address(url->host, AF_INET6, &six) &&
		       IN6_IS_ADDR_LOOPBACK(&six);
	if (slice_eq_nocase(url->host, SLICE("localhost")))
		return true;
	return config_url_address(url->host, AF_INET, four) && four[0] == 127;
}

/* host[:port], host may be [v6].  NULL, or what is wrong. */
static const char *config_url_authority(struct slice authority,
					struct config_url *url)
{
	unsigned char address[sizeof(struct in6_addr)];
	unsigned long long number;

	url->bracketed = slice_starts(authority, SLICE("["));
	if (url->bracketed) {
		size_t end = slice_find(authority, ']');

		url->host = slice_of(authority.p + 1, end - 1);
		if (end == authority.len)
			url->host.len = 0;
		authority = slice_skip(authority, end + 1);
		if (!config_url_address(url->host, AF_INET6, address))
			return "no IPv6 address stands between the brackets; "
			       "write one such as [::1]";
	} else {
		size_t end = slice_find(authority, ':');

		url->host = slice_of(authority.p, end);
		authority = slice_skip(authority, end);
		if (!config_url_is_host(url->host))
			return "the host is not one; write a name or an "
			       "address";
	}
	if (!authority.len)
		return NULL;
	if (authority.p[0] != ':' ||
	    slice_number(slice_skip(authority, 1), 65535, &number) < 0 ||
	    number == 0)
		return "the port is not one; write a number from 1 to 65535 "
		       "after the host and a colon";
	return NULL;
}

const char *config_url_check(struct slice text)
{
	struct config_url url = {0};
	struct slice authority;
	const char *wrong;

	if (slice_starts_nocase(text, SLICE("http://")))
		url.plain = true;
	else if (!slice_starts_nocase(text, SLICE("https://")))
		return "must begin with https://";
	if (slice_find(text, '@') < text.len)
		return "must hold no user, no password and no @; the key has "
		       "its own file";
	if (!config_url_clean(text))
		return "holds a character that no URL holds; write only the "
		       "address";
	if (slice_find(text, '#') < text.len)
		return "must hold no #; remove it and what follows";
	authority = slice_skip(text, url.plain ? 7 : 8);
	url.rest = slice_skip(authority, slice_find(authority, '/'));
	authority.len -= url.rest.len;
	wrong = config_url_authority(authority, &url);
	if (wrong)
		return wrong;
	if (!url.rest.len)
		return "the path is missing; add /api/v1/ingest/events";
	if (url.plain && !config_url_is_loopback(&url))
		return "plain http is for this machine alone (127.0.0.1, [::1] "
		       "or localhost); write https://";
	return NULL;
}

bool config_url_is_plain(const char *url)
{
	return slice_starts_nocase(slice_str(url), SLICE("http:"));
}
