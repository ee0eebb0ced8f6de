// SPDX-License-Identifier: Apache-2.0
#include "app/command.h"

#include <eddy/core/model.h>

#include <stdio.h>

int main(int argc, char **argv)
{
    matrix_one_thread();
    int code = command_main(argc, argv);
    /* A report that did not arrive is not a success: a full disk shows only here. */
    if ((fflush(stdout) || ferror(stdout)) && code == EXIT_OK) {
        fputs("eddy: standard output cannot be written; is the disk full?\n", stderr);
        return EXIT_FAILED;
    }
    return code;
}
