// SPDX-License-Identifier: Apache-2.0
#pragma once
/* amx: the products of products.h by AMX int8, which multiplies 16 x 64 bytes with 64 x 16 in one instruction. Its
 * registers have to be set up before, and are given back after, so that the system need not save them for a thread that
 * has no use for them. */
#include "core/model/products.h"

/* matrix_allow_amx() was called. */
bool amx_supported(void);
/* Of so many sessions it is to be given these many, the first ones. */
uint32_t amx_worth(uint32_t sessions);
void amx_begin(void);
void amx_end(void);
/* Between the two. */
product_multiply amx_multiply;
