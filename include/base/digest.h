/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef BASE_DIGEST_H
#define BASE_DIGEST_H

/*
 * digest - short names for bytes: XXH3, and SHA-1 where a recipient is hidden
 *
 * XXH3 is fast and gives the same on every machine; it is no protection
 * against somebody who makes collisions on purpose, and nothing here needs
 * one: the ids tell rows of one operator's own logs apart.  Pure; any thread.
 */

#include <stdint.h>

#include "base/slice.h"

struct digest {
	uint64_t hi, lo;
};

enum { DIGEST_HEX80 = 21, DIGEST_HEX64 = 17, DIGEST_SHA1_BASE64 = 29 };

struct digest digest_of(struct slice bytes);

/*
 * Of a list, so that ("ab", "c") and ("a", "bc") differ: the digest of the
 * digests of its parts.  At most DIGEST_PARTS parts.
 */
enum { DIGEST_PARTS = 8 };
struct digest digest_list(const struct slice *parts, size_t count);

/* The same of parts whose digests are known. */
struct digest digest_join(const struct digest *digests, size_t count);

/* Of a digest, a number and a word: one value from a row and its place. */
struct digest digest_mix(struct digest d, uint64_t number, struct slice word);

/* The lower 80 bits as 20 lower-case hexadecimal digits and a NUL. */
void digest_hex80(struct digest d, char out[DIGEST_HEX80]);

/* The lower 64 bits as 16 lower-case hexadecimal digits and a NUL. */
void digest_hex64(struct digest d, char out[DIGEST_HEX64]);

/* A number from 0 to 2^63-1. */
uint64_t digest_63(struct digest d);

/* SHA-1 in base64 with its padding, 28 characters and a NUL. */
void digest_sha1_base64(struct slice bytes, char out[DIGEST_SHA1_BASE64]);

#endif /* BASE_DIGEST_H */
