// SPDX-License-Identifier: Apache-2.0
#include "app/command.h"

#include <eddy/io/system.h>

#include <stdio.h>

int main(int argc, char **argv)
{
    if (failed(system_begin_products())) {
        fputs(
            "eddy: this OpenBLAS was built with OpenMP, and would compute with as many threads in each of eddy's own. "
            "Install one that was not, libopenblas0-serial or libopenblas0-pthread as Debian calls them, or set "
            "OMP_NUM_THREADS=1\n",
            stderr);
        return EXIT_CONFIG;
    }
    int code = command_main(argc, argv);
    /* A report that did not arrive is not a success: a full disk shows only here. */
    if ((fflush(stdout) || ferror(stdout)) && code == EXIT_OK) {
        fputs("eddy: standard output cannot be written; is the disk full?\n", stderr);
        return EXIT_FAILED;
    }
    return code;
}
