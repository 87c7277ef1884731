/* SPDX-License-Identifier: GPL-2.0-only */
#include "base/digest.h"

#include <assert.h>
#include <nettle/base64.h>
#include <nettle/sha1.h>
#include <xxhash.h>

/* Numbers go into a digest big end first, whatever the machine. */
static void digest_store(unsigned char *out, uint64_t value)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	value = __builtin_bswap64(value);
#endif
	memcpy(out, &value, sizeof(value));
}

static void digest_hex(uint64_t value, int digits, char *out)
{
	static const char hex[] = "0123456789abcdef";

	for (int i = digits - 1; i >= 0; i--) {
		out[i] = hex[value & 15];
		value >>= 4;
	}
	out[digits] = '\0';
}

struct digest digest_of(struct slice bytes)
{
	XXH128_hash_t h = XXH3_128bits(bytes.len ? bytes.p : "", bytes.len);

	return (struct digest){.hi = h.high64, .lo = h.low64};
}

struct digest digest_list(const struct slice *parts, size_t count)
{
	unsigned char all[DIGEST_PARTS * 16];

	assert(count <= DIGEST_PARTS);
	for (size_t i = 0; i < count; i++) {
		struct digest d = digest_of(parts[i]);

		digest_store(all + i * 16, d.hi);
		digest_store(all + i * 16 + 8, d.lo);
	}
	return digest_of(slice_of((const char *)all, count * 16));
}

struct digest digest_mix(struct digest d, uint64_t number, struct slice word)
{
	unsigned char all[24 + 32];

	assert(word.len <= 32);
	digest_store(all, d.hi);
	digest_store(all + 8, d.lo);
	digest_store(all + 16, number);
	if (word.len)
		memcpy(all + 24, word.p, word.len);
	return digest_of(slice_of((const char *)all, 24 + word.len));
}

void digest_hex80(struct digest d, char out[DIGEST_HEX80])
{
	digest_hex(d.hi & 0xffff, 4, out);
	digest_hex(d.lo, 16, out + 4);
}

void digest_hex64(struct digest d, char out[DIGEST_HEX64])
{
	digest_hex(d.lo, 16, out);
}

uint64_t digest_63(struct digest d)
{
	return d.lo >> 1;
}

void digest_sha1_base64(struct slice bytes, char out[DIGEST_SHA1_BASE64])
{
	struct sha1_ctx ctx;
	uint8_t sha[SHA1_DIGEST_SIZE];

	sha1_init(&ctx);
	sha1_update(&ctx, bytes.len,
		    (const uint8_t *)(bytes.len ? bytes.p : ""));
	sha1_digest(&ctx, sizeof(sha), sha);
	base64_encode_raw(out, sizeof(sha), sha);
	out[DIGEST_SHA1_BASE64 - 1] = '\0';
}
