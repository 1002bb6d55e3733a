/* SPDX-License-Identifier: ISC
 *
 * checksum, of a file: libcrypto's digests by name.
 */
#include <errno.h>
#include <openssl/evp.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "bundle/checksum.h"

#define READ_SIZE (64 * 1024)

static void free_context(EVP_MD_CTX **context)
{
	EVP_MD_CTX_free(*context);
}

int checksum_of_fd(int fd, const char *algorithm, struct checksum *ret_checksum)
{
	_cleanup_(free_context) EVP_MD_CTX *context = EVP_MD_CTX_new();
	const EVP_MD *md = EVP_get_digestbyname(algorithm);
	struct checksum checksum = {.algorithm = algorithm};
	uint8_t buffer[READ_SIZE];
	unsigned size = 0;
	ssize_t n;

	if (context == NULL)
		die("out of memory");
	if (md == NULL || EVP_MD_get_size(md) > CHECKSUM_SIZE || EVP_DigestInit_ex(context, md, NULL) != 1)
		return -ENOTSUP;
	while ((n = read(fd, buffer, sizeof(buffer))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (EVP_DigestUpdate(context, buffer, (size_t)n) != 1)
			die("libcrypto: %s fails", algorithm);
	}
	if (EVP_DigestFinal_ex(context, checksum.bytes, &size) != 1)
		die("libcrypto: %s does not end", algorithm);
	checksum.size = size;
	*ret_checksum = checksum;
	return 0;
}
