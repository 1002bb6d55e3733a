/* SPDX-License-Identifier: ISC
 *
 * qr_png: a QR code as a PNG picture (W3C PNG, third edition): one bit a pixel, stored, not compressed: no library is needed for that.
 */
#ifndef KEYS_QR_PNG_H
#define KEYS_QR_PNG_H

#include <stddef.h>
#include <stdint.h>

#include "keys/qr.h"

/* Pixels a side of a module: a symbol of version 20 with its quiet zone has then 840, on any screen and in any mail. */
#define QR_PNG_SCALE 8

/* QR with its quiet zone. New bytes. */
uint8_t *qr_png(const struct qr *qr, size_t *ret_size);

#endif
