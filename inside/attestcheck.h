/* SPDX-License-Identifier: ISC
 *
 * attestcheck: an auditor's view of a version's attestations: signed by a key that some rightly signed targets metadata give to the
 * dataset, in form, and about the files that the same role version names. (inside-check, which has no keys, checks all but the first.)
 */
#ifndef INSIDE_ATTESTCHECK_H
#define INSIDE_ATTESTCHECK_H

#include "inside/trustset.h"

/* FILE is one of SET's files, an attestation; DATA its plain bytes. One of the dataset's keys must have signed the envelope: whoever makes an
 * attestation signs it alone, the role's threshold is met over its bytes as a target. FAULT_ENVELOPE_FORM, FAULT_ENVELOPE_SIGNATURE,
 * FAULT_ATTESTATION_…. */
enum fault attestcheck_envelope(const struct trustset *set, const struct signed_file *file, const uint8_t *data,
				size_t size, struct refusal *why);

/* The files of SET that are attestations, each plain file once, in a new array. */
const struct signed_file **attestcheck_list(const struct trustset *set, size_t *ret_n);

#endif
