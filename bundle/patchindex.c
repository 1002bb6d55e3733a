/* SPDX-License-Identifier: ISC
 *
 * patchindex: see patchindex.h.
 */
#include "bundle/patchindex.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"

/* A slot: 40 bits of the offset, 24 bits of another hash of the text above them; all ones: free. */
#define OFFSET_BITS 40
#define OFFSET_MASK (((uint64_t)1 << OFFSET_BITS) - 1)
#define SLOT_FREE UINT64_MAX

struct patchindex {
	uint32_t mask; /* of the hash's upper bits: older bytes have a say in them */
	unsigned log;  /* of the slots' number */
	_Atomic uint64_t *slots;
};

struct patchindex *patchindex_new(uint64_t size)
{
	struct patchindex *index = xcalloc(1, sizeof(*index));
	unsigned bits = 5;

	/* Two slots a position: of those that share one all but the first are lost. */
	while (bits < 24 && size >> bits > ((uint64_t)1 << PATCH_INDEX_LOG) / 2)
		bits++;
	index->mask = ((1U << bits) - 1) << (32 - bits);
	index->log = 10;
	while (index->log < PATCH_INDEX_LOG && (uint64_t)1 << index->log < (size >> bits) * 2)
		index->log++;
	index->slots = xcalloc((size_t)1 << index->log, sizeof(index->slots[0]));
	memset((void *)index->slots, 0xff, sizeof(index->slots[0]) << index->log);
	return index;
}

void patchindex_free(struct patchindex *index)
{
	if (index == NULL)
		return;
	free((void *)index->slots);
	free(index);
}

void patchindex_freep(struct patchindex **index)
{
	patchindex_free(*index);
}

/* Of all PATCH_GRAIN bytes: the upper half names the slot, the lower tells texts of one slot apart. */
static uint64_t mix(const uint8_t *text)
{
	uint64_t words[PATCH_GRAIN / 8], sum = 0;

	memcpy(words, text, sizeof(words));
	for (size_t i = 0; i < PATCH_GRAIN / 8; i++) {
		sum = (sum ^ words[i]) * 0x9e3779b97f4a7c15ULL;
		sum ^= sum >> 29;
	}
	return sum * 0xbf58476d1ce4e5b9ULL;
}

static void note(struct patchindex *index, const uint8_t *text, uint64_t offset)
{
	uint64_t key = mix(text), slot = (key & 0xffffff) << OFFSET_BITS | offset;
	_Atomic uint64_t *at = &index->slots[key >> (64 - index->log)];
	uint64_t old = atomic_load_explicit(at, memory_order_relaxed);

	while (old == SLOT_FREE || (old & OFFSET_MASK) > offset) {
		if (atomic_compare_exchange_weak_explicit(at, &old, slot, memory_order_relaxed, memory_order_relaxed))
			return;
	}
}

void patchindex_add(struct patchindex *index, const uint8_t *bytes, size_t size, size_t before, uint64_t offset)
{
	uint32_t hash = 0, mask = index->mask;

	for (size_t i = 0; i < size; i++) {
		hash = (hash << 1) + patchindex_gear[bytes[i]];
		if ((hash & mask) == 0 && i >= before && i + 1 >= PATCH_GRAIN)
			note(index, bytes + i + 1 - PATCH_GRAIN, offset + i + 1 - PATCH_GRAIN);
	}
}

uint32_t patchindex_mask(const struct patchindex *index)
{
	return index->mask;
}

bool patchindex_find(const struct patchindex *index, const uint8_t *text, uint64_t *ret_offset)
{
	uint64_t key = mix(text), slot;

	slot = atomic_load_explicit(&index->slots[key >> (64 - index->log)], memory_order_relaxed);
	if (slot == SLOT_FREE || slot >> OFFSET_BITS != (key & 0xffffff))
		return false;
	*ret_offset = slot & OFFSET_MASK;
	return true;
}

/* splitmix64 from 1, upper halves: any numbers without a pattern would do. They are not part of the format. */
const uint32_t patchindex_gear[256] = {
	0x910a2dec, 0xbeeb8da1, 0xf893a2ee, 0x71c18690, 0x71bb54d8, 0xc34d0bff, 0xe099ec6c, 0x85e7bb0f, 0x491718de,
	0xcb435c8e, 0x6775dc77, 0x9afcd44d, 0x7476cf8a, 0x87b341d6, 0x6f9b6dae, 0x2ac2ce17, 0xa534a6a6, 0xd0bad0da,
	0xae843796, 0xe2631837, 0x10e2c468, 0x14d7973c, 0x7ef1fd0e, 0x1f841063, 0x497305c5, 0x0c43407d, 0x83f91ca7,
	0xb6b9aeef, 0x0b331645, 0xff6c67e8, 0x990cd70b, 0x962b1967, 0x65ace268, 0x70616f2f, 0x40d6824e, 0x879e2e22,
	0x8b2e0244, 0xbf8c59bb, 0xd16aa4b2, 0xab27a171, 0xdca0c749, 0xb54b3c40, 0x3c821fbf, 0xa7ff0d38, 0xde70d101,
	0xd6de6acd, 0x530e0e61, 0x28bff9ea, 0xe4d93032, 0xe9a61004, 0x4d4673ef, 0x21af8cfd, 0x536000f4, 0xf0af3ce4,
	0x64c70b0b, 0x16758727, 0x9b679c85, 0x27cd5f9e, 0xf55540b2, 0xe0285292, 0x86c5d1b0, 0x1180b23a, 0xc09a1a81,
	0x88b894e1, 0xb86c9a98, 0x47a9dc67, 0x099545b4, 0x05a2e189, 0x91866d4d, 0x1eb967d7, 0x29663e9e, 0xd2c61eeb,
	0xf902155a, 0xb0eb094e, 0x90ccb6a0, 0x78788347, 0x9fbd9635, 0xdc3320bb, 0xce45a342, 0x1bea994d, 0xa64b31c2,
	0x38849506, 0x6c38537a, 0xe31d5ce0, 0xaf60baae, 0xf0dad827, 0xc0257e40, 0x2072b26d, 0x2d4de979, 0xbcf35b6d,
	0xc7c9572d, 0x635b0b7e, 0x18c80a5e, 0xf3f0a4b1, 0x98d0ff43, 0x180a2bd6, 0xdb20290a, 0xd80391ff, 0x00077ba9,
	0x4f05f037, 0xbc730140, 0x96bf5d40, 0xaa3de53f, 0x7bc42e82, 0x764176e3, 0xfd845ef3, 0xa3e9bfbb, 0x0781577a,
	0xd909c315, 0xe8e6022a, 0x62db179c, 0x263346a6, 0xa2e4fe84, 0x98f30af4, 0x2f596652, 0x19a3c590, 0xfd0d1f90,
	0x67cae465, 0x795179bb, 0x9005becd, 0xb19892fd, 0xbd7de8f2, 0xf85a587b, 0x7a2d99b9, 0x3782f608, 0x32647003,
	0x1805127c, 0x6524e51f, 0x3d285f42, 0x528f9e03, 0x3df9d9ce, 0x852c7e93, 0x96357870, 0x140232e3, 0x75bc51bc,
	0x0bf99fe6, 0xa9745007, 0x0942629f, 0x159d2ce0, 0x63aa57bb, 0xa6fefb55, 0xbd081362, 0x962fe90a, 0x8c7ca121,
	0xe816e3b6, 0x3ffdb73e, 0xd2c7a4d8, 0x8b6bbb0d, 0xd4d2fac5, 0x4083da61, 0x3ed180b5, 0x8290184d, 0x3781b4a0,
	0xceed949a, 0x3b2682ca, 0x49e92cf9, 0xe23e7fe1, 0x4bccda43, 0x28f7deeb, 0xef6c8982, 0x00b8c36d, 0x2919452b,
	0xb8e5450d, 0xc655ee3e, 0x4a1d2716, 0x5a6821d3, 0xdba5860f, 0x701c8369, 0x63166965, 0x100ba66a, 0x6d86104f,
	0x6c5cc4ca, 0x0630166a, 0xe1713a2a, 0x537c82c1, 0x098b74ea, 0x1d54db73, 0x56e2a0da, 0xecb27f56, 0xca750608,
	0x4e929e23, 0x723bd128, 0x1dc28fc7, 0x6df6b932, 0xae488090, 0x5248d49d, 0xd47b7fe2, 0xeaeb4814, 0x4ac15575,
	0x115803c3, 0x4e3adbe8, 0xbabcd091, 0xdee00a0a, 0x6737584e, 0x27455ad9, 0xfb473b97, 0x18a39e3e, 0x4d690c33,
	0x5fe0a3c3, 0x6d50da9a, 0x21b71d1f, 0x690ff352, 0x6d885ab0, 0xac8248b0, 0x101d8e29, 0x7acbb0dc, 0xfbcaee24,
	0x116a7537, 0x27905a1d, 0x66e5c983, 0x3409dc98, 0xb4bdc811, 0xa4d7dc6e, 0x16018628, 0xbc2ab348, 0xe247c75d,
	0x0804044f, 0xd3c4d309, 0x13671a14, 0xb5c1a86f, 0x5568153c, 0x0369dd14, 0x99dfda57, 0x954ec310, 0xeba0db14,
	0x1528673c, 0x65aad044, 0x7f08ea48, 0x585afc2c, 0xf12a8d42, 0xb9cde21b, 0x0d761b2a, 0xa13e727a, 0x33dd4fab,
	0x50cf8835, 0x7c72ddf6, 0x2d1d63da, 0x590aae46, 0x767d0e5c, 0x944b051f, 0x23870c60, 0xe8652cd8, 0xf843aeaf,
	0x912067d5, 0x6af4982a, 0x3fd4fbfa, 0x8b6a77fc, 0xc0752fda, 0x6dd64452, 0x3e17e6df, 0xec9c8b0a, 0xf679bf82,
	0x34b8f365, 0x7804cbe7, 0xd9960dbb, 0x20933f9b,
};
