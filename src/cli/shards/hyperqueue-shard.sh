#!/bin/sh
# One shard of: @COMMAND@
# HyperQueue numbers the tasks of an array from 1 here. A task that was killed, or runs once more,
# goes on from what it left.
cd -- @HERE@ || exit 2
exec "${BROWNOUT:-@PROGRAM@}" rerun @STUDY@ --base @BASE@ --output @OUTPUT@ \
    --shard "$HQ_TASK_ID/@SHARDS@" --jobs "${HQ_CPUS_COUNT:-1}"
