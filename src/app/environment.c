// SPDX-License-Identifier: Apache-2.0
#include "app/environment.h"

#include <stdlib.h>
#include <unistd.h>

const char *environment_get(const char *name)
{
    return getenv(name);
}

char *const *environment_all(void)
{
    static char *const none[] = {0};
    return environ ? environ : none;
}
