#!/bin/sh
# Has Kubernetes do the shards of: @COMMAND@
# waits for them, and merges. What is missing then is made in a next round of the same shards:
# @WHY@. Results and work files are on the volume; the exit code is that of the study.
set -u
folder=@FOLDER@
job=@JOB@
pause=${BROWNOUT_PAUSE:-5}

fail() {
    echo "$1" >&2
    exit 2
}

# Waits for the end of a Job, and says how it ended. A Job that is gone, or a cluster that does not
# answer for long, is no reason to wait for ever.
ended() {
    unanswered=0
    while :; do
        if conditions=$(kubectl get "job/$1" --output \
            'jsonpath={range .status.conditions[*]}{.type}={.status} {end}'); then
            unanswered=0
            case " $conditions" in
                *" Complete=True "*) echo Complete && return ;;
                *" Failed=True "*) echo Failed && return ;;
            esac
        else
            unanswered=$((unanswered + 1))
            [ "$unanswered" -lt 60 ] || return 1
        fi
        sleep "$pause"
    done
}

command -v kubectl > /dev/null || fail "there is no kubectl: is it installed here?"
round=1
before=
while :; do
    # With their pods, so that none of an earlier round is taken for one of this.
    kubectl delete "job/$job-shards" "job/$job-merge" --ignore-not-found --cascade=foreground ||
        exit 2
    kubectl apply --filename "$folder/shards.yaml" || exit 2
    shards=$(ended "$job-shards") || fail "job/$job-shards is gone, or the cluster"
    [ "$shards" = Complete ] || echo "some shards failed: kubectl describe job/$job-shards" >&2
    kubectl apply --filename "$folder/merge.yaml" || exit 2
    ended "$job-merge" > /dev/null || fail "job/$job-merge is gone, or the cluster"
    pod=$(kubectl get pods --selector "batch.kubernetes.io/job-name=$job-merge" \
        --sort-by .metadata.creationTimestamp --output name | tail -n 1)
    [ -n "$pod" ] || fail "the merge has no pod: kubectl describe job/$job-merge"
    codes=$(kubectl get "$pod" --output \
        'jsonpath={range .status.containerStatuses[*]}{.name}={.state.terminated.exitCode} {end}')
    codes=" $codes "
    code=${codes##* merge=}
    code=${code%% *}
    kubectl logs "$pod" --container merge > "$folder/merge.log" ||
        echo "the log of $pod cannot be read" >&2
    cat -- "$folder/merge.log"
    case $code in
        '' | *[!0-9]*) fail "the merge did not run to its end: kubectl describe $pod" ;;
    esac
    # Exit code 3 with this advice: replications are missing. Without it: undecided.
    if [ "$code" -ne 3 ] || ! grep -q '^  = help: .* --fill$' "$folder/merge.log"; then
        exit "$code"
    fi
    there=$(cat -- "$folder/merge.log")
    if [ "$round" -ge @ROUNDS@ ] || { [ "$shards" = Failed ] && [ "$there" = "$before" ]; }; then
        echo "round $round added nothing, or is the last of @ROUNDS@: kubectl describe" \
            "job/$job-shards" >&2
        exit "$code"
    fi
    before=$there
    round=$((round + 1))
done
