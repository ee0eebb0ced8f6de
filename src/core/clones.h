// SPDX-License-Identifier: Apache-2.0
#pragma once
/* clones: a function that begins with CLONES is compiled for several instruction sets, and the CPU's is taken at run
 * time. As nothing is contracted (-ffp-contract=off) and sums have an order of their own, all give the same bits. */

/* Sanitizers instrument the resolvers, which run before they are ready. */
#if defined(__x86_64__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) && !defined(__clang__)
#define CLONES __attribute__((target_clones("arch=x86-64-v4", "avx2", "default")))
#else
#define CLONES
#endif
