// SPDX-License-Identifier: Apache-2.0
#pragma once
/* environment: the process's environment variables, read here and nowhere else. Texts belong to the process and live
 * as long as nobody changes its environment, which eddy does not do. */

/* The value, or NULL when it is not set. */
const char *environment_get(const char *name);
/* All variables as "NAME=value"; ends with NULL. */
char *const *environment_all(void);
