// SPDX-License-Identifier: Apache-2.0
#include "app/command.h"

#include <eddy/io/system.h>

#include <stdio.h>

int main(int argc, char **argv)
{
    system_begin_products();
    int code = command_main(argc, argv);
    /* A report that did not arrive is not a success: a full disk shows only here. */
    if ((fflush(stdout) || ferror(stdout)) && code == EXIT_OK) {
        fputs("eddy: standard output cannot be written; is the disk full?\n", stderr);
        return EXIT_FAILED;
    }
    return code;
}
