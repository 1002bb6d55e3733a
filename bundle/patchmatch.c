/* SPDX-License-Identifier: ISC
 *
 * patchmatch: see patchmatch.h. Where the last copy ended the two files differ; mostly they are alike again a few bytes further on, by
 * the same distance (a value was replaced) or by another (it has another length, rows came or went). That is looked for close by
 * first; then the index says where else the text may stand.
 */
#include "bundle/patchmatch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "bundle/limits.h"

/* A window that follows its file forward grows; one that jumps reads little. */
#define WINDOW_LEAST ((size_t)16 * KIB)
#define WINDOW_MOST ((size_t)256 * KIB)
/* Bytes before the place asked for that a window holds too, for looking back; and how far ahead it always reaches, but for the file's
 * end. */
#define WINDOW_BACK ((size_t)4 * KIB)
#define WINDOW_AHEAD ((size_t)4 * KIB)
/* How far from a difference the two files are searched for what is alike again; what must be alike there to be a copy at all, to be
 * taken without looking further, and to be taken at once where the distance is the same. */
#define NEAR_AHEAD 2048
#define NEAR_BACK 1024
#define NEAR_LEAST 12
#define NEAR_SURE 32
#define NEAR_SAME 24
#define NEAR_SAME_AHEAD 64
#define NEAR_LOG 12
/* Of a candidate's length no more counts: it goes on. */
#define NEAR_LONG 512
/* What was inserted is copied from about it only where so much is alike: its distance is another. */
#define NEAR_CONTEXT 40
/* What lies between two copies is searched for smaller ones, and again. */
#define FILL_DEPTH 12
/* Where nothing sure is close by, so far is the index asked before less is taken. */
#define FAR_SOON 4096
/* A copy so long tells where the files go on side by side. */
#define LONG_COPY 512
/* After so many vain searches close by, only every so many times is one made. */
#define VAIN_MOST 32

struct window {
	int fd;
	uint64_t file_size, start;
	size_t size, wanted;
	uint8_t *bytes; /* WINDOW_MOST */
};

struct patchmatch {
	const struct patchindex *index;
	struct window news, base, probe; /* the new file; the base, where it is copied from; the base elsewhere */
	const struct patchmatch_sink *sink;
	uint16_t near_heads[1 << NEAR_LOG];
	uint32_t near_marks[1 << NEAR_LOG]; /* of which search a head is */
	uint32_t near_mark;
	unsigned n_vain, n_skipped;
	/* What the last copies say of the distance between the two files: base offset less new offset. */
	bool has_distance;
	int64_t distance, long_distance;
};

/* --- windows --------------------------------------------------------------------------------------------------------- */

static int window_fill(struct window *window, uint64_t offset)
{
	bool follows = offset >= window->start && offset <= window->start + window->size;

	window->wanted = !follows ? WINDOW_LEAST : window->wanted < WINDOW_MOST ? window->wanted * 2 : WINDOW_MOST;
	window->start = offset > WINDOW_BACK ? offset - WINDOW_BACK : 0;
	window->size = 0;
	while (window->size < window->wanted && window->start + window->size < window->file_size) {
		ssize_t n = pread(window->fd, window->bytes + window->size, window->wanted - window->size,
				  (off_t)(window->start + window->size));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		window->size += (size_t)n;
	}
	return 0;
}

/* The bytes from OFFSET on: at least WINDOW_AHEAD of them, or all there are; WINDOW_BACK stand before them, or all there are. Good until
 * the next call. */
static int window_at(struct window *window, uint64_t offset, const uint8_t **ret_bytes, size_t *ret_size)
{
	uint64_t due = window->file_size - offset;
	int r;

	if (due > WINDOW_AHEAD)
		due = WINDOW_AHEAD;
	if (offset < window->start + (window->start > 0 ? WINDOW_BACK : 0) ||
	    offset + due > window->start + window->size) {
		r = window_fill(window, offset);
		if (r < 0)
			return r;
	}
	*ret_bytes = window->bytes + (offset - window->start);
	*ret_size = window->size - (size_t)(offset - window->start);
	return 0;
}

/* --- comparing ------------------------------------------------------------------------------------------------------- */

static size_t count_alike(const uint8_t *a, const uint8_t *b, size_t size)
{
	size_t n = 0;

	while (size - n >= 1024 && memcmp(a + n, b + n, 1024) == 0)
		n += 1024;
	while (size - n >= 8) {
		uint64_t left, right;

		memcpy(&left, a + n, 8);
		memcpy(&right, b + n, 8);
		if (left != right)
			return n + (size_t)__builtin_ctzll(left ^ right) / 8;
		n += 8;
	}
	while (n < size && a[n] == b[n])
		n++;
	return n;
}

/* How many bytes from NEW_OFFSET (at most to END) the base has at BASE_OFFSET. */
static int match_ahead(struct patchmatch *match, struct window *base, uint64_t new_offset, uint64_t base_offset,
		       uint64_t end, uint64_t *ret_length)
{
	const uint8_t *a, *b;
	size_t a_size, b_size, size, n;

	*ret_length = 0;
	for (;;) {
		uint64_t at = new_offset + *ret_length, in_base = base_offset + *ret_length;
		int r;

		if (at >= end || in_base >= base->file_size)
			return 0;
		if ((r = window_at(&match->news, at, &a, &a_size)) < 0 ||
		    (r = window_at(base, in_base, &b, &b_size)) < 0)
			return r;
		size = a_size < b_size ? a_size : b_size;
		if (size > end - at)
			size = (size_t)(end - at);
		n = count_alike(a, b, size);
		*ret_length += n;
		if (n < size)
			return 0;
	}
}

/* And how many before, at most to BEGIN: as far as the windows hold. */
static int match_back(struct patchmatch *match, struct window *base, uint64_t new_offset, uint64_t base_offset,
		      uint64_t begin, uint64_t *ret_length)
{
	const uint8_t *a, *b;
	size_t size;
	uint64_t most = new_offset - begin, n = 0;
	int r;

	*ret_length = 0;
	if ((r = window_at(&match->news, new_offset, &a, &size)) < 0 ||
	    (r = window_at(base, base_offset, &b, &size)) < 0)
		return r;
	if (most > new_offset - match->news.start)
		most = new_offset - match->news.start;
	if (most > base_offset - base->start)
		most = base_offset - base->start;
	while (n < most && a[-(ptrdiff_t)n - 1] == b[-(ptrdiff_t)n - 1])
		n++;
	*ret_length = n;
	return 0;
}

/* --- close by -------------------------------------------------------------------------------------------------------- */

struct found {
	uint64_t new_offset, base_offset, length;
};

/* Two texts in windows, and a copy between them by indexes. */
struct texts {
	const uint8_t *news, *base;
	size_t new_size, base_size;
};
struct candidate {
	size_t at, in_base, length; /* length 0: none */
};

static uint32_t near_hash(const uint8_t *bytes)
{
	uint64_t word;

	memcpy(&word, bytes, 8);
	return (uint32_t)((word * 0x9e3779b97f4a7c15ULL) >> (64 - NEAR_LOG));
}

static void near_note(struct patchmatch *match, const uint8_t *base, size_t at)
{
	uint32_t hash = near_hash(base + at);

	match->near_marks[hash] = match->near_mark;
	match->near_heads[hash] = (uint16_t)at;
}

/* Of the places with the same eight bytes the one that is nearest to EXPECTED, ahead of it if there is one, is kept. */
static void near_index(struct patchmatch *match, const uint8_t *base, size_t size, size_t expected)
{
	match->near_mark++;
	for (size_t i = 0; i < expected && i + 8 <= size; i++)
		near_note(match, base, i);
	for (size_t i = size < 8 ? 0 : size - 7; i-- > expected;)
		near_note(match, base, i);
}

static int64_t worth(const struct candidate *candidate)
{
	size_t length = candidate->length < NEAR_LONG ? candidate->length : NEAR_LONG;

	return candidate->length == 0 ? INT64_MIN : (int64_t)length * 2 - (int64_t)candidate->at;
}

/* The copy that is worth most: long, and begins soon. */
static struct candidate best_candidate(struct patchmatch *match, const struct texts *texts, size_t expected)
{
	struct candidate best = {0, 0, 0};

	near_index(match, texts->base, texts->base_size, expected);
	for (size_t i = 0; i + 8 <= texts->new_size; i++) {
		uint32_t hash = near_hash(texts->news + i);
		struct candidate candidate = {i, match->near_heads[hash], 0};
		size_t most;

		if (match->near_marks[hash] != match->near_mark)
			continue;
		most = texts->base_size - candidate.in_base;
		most = most < texts->new_size - i ? most : texts->new_size - i;
		candidate.length = count_alike(texts->news + i, texts->base + candidate.in_base, most);
		if (candidate.length < NEAR_LEAST)
			continue;
		i += candidate.length - 8; /* within a copy there is no better one */
		while (candidate.at > 0 && candidate.in_base > 0 &&
		       texts->news[candidate.at - 1] == texts->base[candidate.in_base - 1])
			candidate.at--, candidate.in_base--, candidate.length++;
		if (worth(&candidate) > worth(&best))
			best = candidate;
		if (best.length >= NEAR_LONG)
			break;
	}
	return best;
}

/* What stands between two copies: literals, and what smaller copies there are. OFFSETs are those of the texts' first bytes. */
static void fill(struct patchmatch *match, const struct texts *texts, uint64_t base_offset, size_t least,
		 unsigned depth)
{
	struct candidate found = {0, 0, 0};
	struct texts left, right;

	if (depth < FILL_DEPTH && texts->new_size >= NEAR_LEAST && texts->base_size >= NEAR_LEAST)
		found = best_candidate(match, texts, 0);
	if (found.length < least) {
		if (texts->new_size > 0)
			match->sink->literal(match->sink->ctx, texts->news, texts->new_size);
		return;
	}
	left = (struct texts){texts->news, texts->base, found.at, found.in_base};
	right = (struct texts){texts->news + found.at + found.length, texts->base + found.in_base + found.length,
			       texts->new_size - found.at - found.length,
			       texts->base_size - found.in_base - found.length};
	fill(match, &left, base_offset, least, depth + 1);
	match->sink->copy(match->sink->ctx, base_offset + found.in_base, found.length);
	fill(match, &right, base_offset + found.in_base + found.length, least, depth + 1);
}

/* The texts round a difference at OFFSET of the new file, by DISTANCE; EXPECTED is where the base would go on. False: out of the base. */
static int near_texts(struct patchmatch *match, uint64_t offset, int64_t distance, uint64_t end,
		      struct texts *ret_texts, size_t *ret_expected, bool *ret_any)
{
	int64_t in_base = (int64_t)offset + distance;
	const uint8_t *base;
	size_t size;
	int r;

	*ret_any = in_base >= 0 && (uint64_t)in_base <= match->base.file_size;
	if (!*ret_any)
		return 0;
	if ((r = window_at(&match->news, offset, &ret_texts->news, &ret_texts->new_size)) < 0 ||
	    (r = window_at(&match->base, (uint64_t)in_base, &base, &size)) < 0)
		return r;
	if (ret_texts->new_size > end - offset)
		ret_texts->new_size = (size_t)(end - offset);
	if (ret_texts->new_size > NEAR_AHEAD)
		ret_texts->new_size = NEAR_AHEAD;
	*ret_expected = in_base < NEAR_BACK ? (size_t)in_base : NEAR_BACK;
	ret_texts->base = base - *ret_expected;
	ret_texts->base_size = *ret_expected + (size < NEAR_AHEAD ? size : NEAR_AHEAD);
	return 0;
}

/* By the same distance: a value of the same length was replaced. */
static size_t same_distance(const struct texts *texts, size_t expected)
{
	size_t size = texts->base_size - expected < texts->new_size ? texts->base_size - expected : texts->new_size;

	for (size_t i = 0; i <= NEAR_SAME_AHEAD && i + NEAR_SAME <= size; i++) {
		if (memcmp(texts->news + i, texts->base + expected + i, NEAR_SAME) == 0)
			return i;
	}
	return SIZE_MAX;
}

/* Literals and copies up to the candidate; and the candidate as a place in the files. */
static struct found take_near(struct patchmatch *match, uint64_t offset, uint64_t base_offset,
			      const struct texts *texts, size_t expected, const struct candidate *candidate)
{
	struct texts gap = {texts->news, texts->base + expected, candidate->at, 0};

	if (candidate->in_base > expected) {
		gap.base_size = candidate->in_base - expected;
		fill(match, &gap, base_offset + expected, NEAR_LEAST, 0);
	} else {
		/* Something was inserted: what stands about may be like it. */
		gap.base = texts->base;
		gap.base_size = texts->base_size;
		fill(match, &gap, base_offset, NEAR_CONTEXT, 0);
	}
	return (struct found){offset + candidate->at, base_offset + candidate->in_base, candidate->length};
}

/* --- anywhere -------------------------------------------------------------------------------------------------------- */

/* Whether what the index said is so, and how far the copy reaches, back to OFFSET too. */
static int verify_far(struct patchmatch *match, uint64_t offset, uint64_t end, struct found *found, bool *ret_good)
{
	uint64_t ahead, back;
	int r = match_ahead(match, &match->probe, found->new_offset, found->base_offset, end, &ahead);

	*ret_good = false;
	if (r < 0 || ahead < PATCH_GRAIN)
		return r;
	r = match_back(match, &match->probe, found->new_offset, found->base_offset, offset, &back);
	if (r < 0)
		return r;
	found->new_offset -= back;
	found->base_offset -= back;
	found->length = ahead + back;
	*ret_good = true;
	return 0;
}

static int find_far(struct patchmatch *match, uint64_t offset, uint64_t end, struct found *ret_found, bool *ret_any)
{
	uint32_t mask = patchindex_mask(match->index), hash = 0;
	uint64_t at = offset;

	*ret_any = false;
	while (at < end) {
		const uint8_t *bytes;
		size_t size, i;
		int r = window_at(&match->news, at, &bytes, &size);

		if (r < 0)
			return r;
		if (size > end - at)
			size = (size_t)(end - at);
		for (i = 0; i < size; i++) {
			hash = (hash << 1) + patchindex_gear[bytes[i]];
			if ((hash & mask) != 0 || at + i + 1 - offset < PATCH_GRAIN)
				continue;
			if (patchindex_find(match->index, bytes + i + 1 - PATCH_GRAIN, &ret_found->base_offset)) {
				ret_found->new_offset = at + i + 1 - PATCH_GRAIN;
				r = verify_far(match, offset, end, ret_found, ret_any);
				if (r < 0 || *ret_any)
					return r;
				break; /* the window may have moved */
			}
		}
		at += i < size ? i + 1 : size;
	}
	return 0;
}

/* --- all of it ------------------------------------------------------------------------------------------------------- */

static int put_literals(struct patchmatch *match, uint64_t begin, uint64_t end)
{
	while (begin < end) {
		const uint8_t *bytes;
		size_t size;
		int r = window_at(&match->news, begin, &bytes, &size);

		if (r < 0)
			return r;
		if (size > end - begin)
			size = (size_t)(end - begin);
		match->sink->literal(match->sink->ctx, bytes, size);
		begin += size;
	}
	return 0;
}

/* A search close by that was vain many times, as in a file that was sorted anew, is made more seldom. */
static bool is_near_due(struct patchmatch *match)
{
	if (!match->has_distance)
		return false;
	if (match->n_skipped < match->n_vain) {
		match->n_skipped++;
		return false;
	}
	match->n_skipped = 0;
	return true;
}

/* The next copy close by, if it is at least LEAST bytes long: what stands before it is put. */
static int try_near(struct patchmatch *match, uint64_t offset, int64_t distance, uint64_t end, size_t least,
		    struct found *ret_found, bool *ret_any)
{
	struct candidate candidate = {0, 0, 0};
	struct texts texts;
	size_t expected;
	int r = near_texts(match, offset, distance, end, &texts, &expected, ret_any);

	if (r < 0 || !*ret_any)
		return r;
	candidate.at = same_distance(&texts, expected);
	if (candidate.at != SIZE_MAX) {
		candidate.in_base = expected + candidate.at;
		candidate.length = NEAR_SURE; /* at least NEAR_SAME, and believed */
		texts.base_size = 0;          /* the bytes before it differ, all the same */
	} else {
		candidate = best_candidate(match, &texts, expected);
	}
	*ret_any = candidate.length >= least || candidate.at + candidate.length == texts.new_size;
	*ret_any = *ret_any && candidate.length >= NEAR_LEAST;
	if (*ret_any)
		*ret_found = take_near(match, offset, (uint64_t)((int64_t)offset + distance) - expected, &texts,
				       expected, &candidate);
	return 0;
}

/* Where the next copy begins, what stands before it being put. */
static int find(struct patchmatch *match, uint64_t at, uint64_t end, struct found *ret_found, bool *ret_any)
{
	bool is_due = is_near_due(match);
	uint64_t soon = end - at < FAR_SOON ? end : at + FAR_SOON;
	int r = 0;

	*ret_any = false;
	if (is_due) {
		r = try_near(match, at, match->distance, end, NEAR_SURE, ret_found, ret_any);
		if (r == 0 && !*ret_any && match->long_distance != match->distance)
			r = try_near(match, at, match->long_distance, end, NEAR_SURE, ret_found, ret_any);
		match->n_vain = *ret_any ? 0 : match->n_vain < VAIN_MOST ? match->n_vain + 1 : VAIN_MOST;
		if (r < 0 || *ret_any)
			return r < 0 ? r
				     : match_ahead(match, &match->base, ret_found->new_offset, ret_found->base_offset,
						   end, &ret_found->length);
	}
	r = find_far(match, at, is_due ? soon : end, ret_found, ret_any);
	if (r == 0 && !*ret_any && is_due) {
		r = try_near(match, at, match->distance, end, NEAR_LEAST, ret_found, ret_any);
		if (r < 0 || *ret_any)
			return r < 0 ? r
				     : match_ahead(match, &match->base, ret_found->new_offset, ret_found->base_offset,
						   end, &ret_found->length);
		r = find_far(match, at, end, ret_found, ret_any);
	}
	return r < 0 || !*ret_any ? r : put_literals(match, at, ret_found->new_offset);
}

int patchmatch_run(struct patchmatch *match, uint64_t begin, uint64_t end, const struct patchmatch_sink *sink)
{
	uint64_t at = begin;

	match->sink = sink;
	match->has_distance = false;
	match->n_vain = match->n_skipped = 0;
	while (at < end) {
		struct found found;
		bool any;
		int r = find(match, at, end, &found, &any);

		if (r < 0)
			return r;
		if (!any)
			return put_literals(match, at, end);
		sink->copy(sink->ctx, found.base_offset, found.length);
		at = found.new_offset + found.length;
		match->distance = (int64_t)found.base_offset - (int64_t)found.new_offset;
		if (!match->has_distance || found.length >= LONG_COPY)
			match->long_distance = match->distance;
		match->has_distance = true;
	}
	return 0;
}

static struct window window_new(int fd, uint64_t size)
{
	return (struct window){.fd = fd, .file_size = size, .wanted = WINDOW_LEAST, .bytes = xmalloc(WINDOW_MOST)};
}

struct patchmatch *patchmatch_new(const struct patchindex *index, int base_fd, uint64_t base_size, int new_fd,
				  uint64_t new_size)
{
	struct patchmatch *match = xcalloc(1, sizeof(*match));

	match->index = index;
	match->news = window_new(new_fd, new_size);
	match->base = window_new(base_fd, base_size);
	match->probe = window_new(base_fd, base_size);
	return match;
}

void patchmatch_free(struct patchmatch *match)
{
	if (match == NULL)
		return;
	free(match->news.bytes);
	free(match->base.bytes);
	free(match->probe.bytes);
	free(match);
}

void patchmatch_freep(struct patchmatch **match)
{
	patchmatch_free(*match);
}
