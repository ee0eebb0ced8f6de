#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The repository keeps its own rules.
exec "$(dirname "$0")/tidy.sh"
