// SPDX-License-Identifier: Apache-2.0
#include "torture/faults.h"

#include <errno.h>
#include <lmdb.h>

static _Thread_local struct {
    bool armed;
    int paused;
    enum fault_class class;
    size_t nth, calls;
    const char *struck;
} faults;

void faults_arm(enum fault_class class, size_t nth)
{
    faults.armed = true;
    faults.paused = 0;
    faults.class = class;
    faults.nth = nth;
    faults.calls = 0;
    faults.struck = NULL;
}

size_t faults_disarm(void)
{
    faults.armed = false;
    return faults.calls;
}

const char *faults_struck(void)
{
    return faults.struck;
}

void faults_pause(void)
{
    faults.paused++;
}

void faults_resume(void)
{
    faults.paused--;
}

bool faults_strike(enum fault_class class, const char *function)
{
    if (!faults.armed || faults.paused || faults.class != class || ++faults.calls != faults.nth)
        return false;
    faults.struck = function;
    return true;
}

int faults_strike_store(const char *function)
{
    if (faults_strike(FAULTS_STORE_IO, function))
        return EIO;
    if (faults_strike(FAULTS_STORE_MAP, function))
        return MDB_MAP_FULL;
    return faults_strike(FAULTS_STORE_DISK, function) ? ENOSPC : 0;
}
