/* SPDX-License-Identifier: GPL-2.0-only */
#include "base/digest.h"

#include <assert.h>
#include <nettle/base64.h>
#include <nettle/sha1.h>

/*
 * Short texts are digested inline, where a call would cost as much again.  For
 * whole rows the library picks what the processor has, if it was built to.
 */
#if defined(__x86_64__) && defined(__has_include)
#if __has_include(<xxh_x86dispatch.h>)
#define XXH_DISPATCH_DISABLE_REPLACE
#include <xxh_x86dispatch.h>
#define DIGEST_LONG 241 /* from where on XXH3 has a loop */
#endif
#endif

#ifdef DIGEST_LONG
static struct digest digest_long(struct slice bytes)
{
	XXH128_hash_t h = XXH3_128bits_dispatch(bytes.p, bytes.len);

	return (struct digest){.hi = h.high64, .lo = h.low64};
}
#endif

#define XXH_INLINE_ALL
#include <xxhash.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

/* Numbers go into a digest big end first, whatever the machine. */
static void digest_store(unsigned char *out, uint64_t value)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	value = __builtin_bswap64(value);
#endif
	memcpy(out, &value, sizeof(value));
}

#ifdef __SSE2__
/* Sixteen hexadecimal digits of eight bytes. */
static __m128i digest_hex(uint64_t value)
{
	const __m128i low = _mm_set1_epi8(0x0f);
	__m128i v = _mm_cvtsi64_si128((int64_t)__builtin_bswap64(value));
	__m128i digits =
		_mm_unpacklo_epi8(_mm_and_si128(_mm_srli_epi16(v, 4), low),
				  _mm_and_si128(v, low));
	__m128i letters = _mm_cmpgt_epi8(digits, _mm_set1_epi8(9));

	return _mm_add_epi8(
		_mm_add_epi8(digits, _mm_set1_epi8('0')),
		_mm_and_si128(letters, _mm_set1_epi8('a' - '0' - 10)));
}

static void digest_hex_long(uint64_t value, char out[16])
{
	_mm_storeu_si128((__m128i *)(void *)out, digest_hex(value));
}
#else
#define DIGEST_ALL(byte) (UINT64_C(0x0101010101010101) * (byte))

/* Eight hexadecimal digits, each made in a byte of a word of its own. */
static void digest_hex32(uint32_t value, char *out)
{
	uint64_t w = value, letters;

	w = (w | w << 16) & UINT64_C(0x0000ffff0000ffff);
	w = (w | w << 8) & UINT64_C(0x00ff00ff00ff00ff);
	w = (w | w << 4) & DIGEST_ALL(0x0f);
	letters = (w + DIGEST_ALL(6)) >> 4 & DIGEST_ALL(1);
	w += DIGEST_ALL('0') + letters * ('a' - '0' - 10);
	/* The highest digit comes first. */
	digest_store((unsigned char *)out, w);
}

static void digest_hex_long(uint64_t value, char out[16])
{
	digest_hex32((uint32_t)(value >> 32), out);
	digest_hex32((uint32_t)value, out + 8);
}
#endif

struct digest digest_of(struct slice bytes)
{
	XXH128_hash_t h;

#ifdef DIGEST_LONG
	if (bytes.len >= DIGEST_LONG)
		return digest_long(bytes);
#endif
	h = XXH3_128bits(bytes.len ? bytes.p : "", bytes.len);
	return (struct digest){.hi = h.high64, .lo = h.low64};
}

struct digest digest_join(const struct digest *digests, size_t count)
{
	unsigned char all[DIGEST_PARTS * 16];

	assert(count <= DIGEST_PARTS);
	for (size_t i = 0; i < count; i++) {
		digest_store(all + i * 16, digests[i].hi);
		digest_store(all + i * 16 + 8, digests[i].lo);
	}
	return digest_of(slice_of((const char *)all, count * 16));
}

struct digest digest_list(const struct slice *parts, size_t count)
{
	struct digest digests[DIGEST_PARTS];

	assert(count <= DIGEST_PARTS);
	for (size_t i = 0; i < count; i++)
		digests[i] = digest_of(parts[i]);
	return digest_join(digests, count);
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
	char high[16];

	digest_hex_long(d.hi & 0xffff, high);
	memcpy(out, high + 12, 4);
	digest_hex64(d, out + 4);
}

void digest_hex64(struct digest d, char out[DIGEST_HEX64])
{
	digest_hex_long(d.lo, out);
	out[16] = '\0';
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
