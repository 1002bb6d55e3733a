/* SPDX-License-Identifier: ISC
 *
 * pubkey, names: what schemes of signatures and kinds of metadata are called. A file of its own: who reads a configuration that names them verifies
 * nothing, and links nothing that could.
 */
#include <string.h>

#include "keys/metadata.h"
#include "keys/pubkey.h"

static const char *const schemes[TUF_SCHEME_N] = {
	[TUF_SCHEME_ED25519] = "ed25519",
	[TUF_SCHEME_ECDSA_P256] = "ecdsa-sha2-nistp256",
	[TUF_SCHEME_RSA_PSS_SHA256] = "rsassa-pss-sha256",
};

unsigned tuf_schemes_built(void)
{
#ifdef CLAPET_ECDSA
	return TUF_SCHEME_BIT(TUF_SCHEME_ED25519) | TUF_SCHEME_BIT(TUF_SCHEME_ECDSA_P256) |
	       TUF_SCHEME_BIT(TUF_SCHEME_RSA_PSS_SHA256);
#else
	return TUF_SCHEME_BIT(TUF_SCHEME_ED25519);
#endif
}

const char *tuf_scheme_name(enum tuf_scheme scheme)
{
	return scheme < TUF_SCHEME_N ? schemes[scheme] : "unknown";
}

enum tuf_scheme tuf_scheme_by_name(const char *name)
{
	for (int i = 0; i < TUF_SCHEME_N; i++)
		if (strcmp(schemes[i], name) == 0)
			return (enum tuf_scheme)i;
	return TUF_SCHEME_UNKNOWN;
}

const char *tuf_kind_name(enum tuf_kind kind)
{
	static const char *const names[TUF_KIND_N] = {"root", "timestamp", "snapshot", "targets", "datasets"};

	return names[kind];
}
