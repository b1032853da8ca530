#!/bin/sh
# One shard of: @COMMAND@
# HyperQueue numbers the tasks of an array from 1 here. A task that was killed, or runs once more,
# goes on from what it left.
cd -- @HERE@ || exit 2
# The CPUs that it was given, such as 0,1: a thread for each.
jobs=$(IFS=,; set -- ${HQ_CPUS:-0}; echo $#)
exec "${BROWNOUT:-@PROGRAM@}" rerun @STUDY@ --base @BASE@ --output @OUTPUT@ \
    --shard "$HQ_TASK_ID/@SHARDS@" --jobs "$jobs"@ROOM@
