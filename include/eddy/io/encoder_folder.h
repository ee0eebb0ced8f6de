// SPDX-License-Identifier: Apache-2.0
#pragma once
/* encoder_folder: the sentence encoder that is in a folder (core/encoder.h says which files it has). The files are
 * mapped while they are read, and may go or change afterwards. */
#include <eddy/core/encoder.h>

/* NOT_FOUND: a file that is needed is not there; IO; and what encoder_open() fails with. Complaints name the file,
 * below the folder. */
MUST_CHECK struct status encoder_folder_open(const char *folder, struct encoder **ret_encoder,
                                             struct complaint *complaint);
