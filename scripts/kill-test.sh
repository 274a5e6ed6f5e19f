#!/usr/bin/env bash
# Kills a training run with SIGKILL at random moments and checks that nothing but the unfinished generation is lost.
#
#   scripts/kill-test.sh [N] [PROGRAM]
#
# N kills (default 200) of PROGRAM (default target/release/ganatomy). Most hit one of two long runs, which are resumed each
# time: "images" spends its time on generations, "points" on saving. Every tenth hits the start-up of a new run. After each
# kill the run must load without a word about corrupt checkpoints, at the newest generation that was published or reported
# as saved, with a whole stats.jsonl. At the end the last checkpoint of each long run must be, byte for byte, that of a run
# that was never killed. Exits with 1 if anything of this fails.
# KILL_TEST_SEED=NUMBER repeats the choice of moments (the moments themselves depend on the machine).

set -u
export LC_ALL=C

kills=${1:-200}
program=${2:-target/release/ganatomy}
case $kills in '' | *[!0-9]* | 0) echo "usage: $0 [N] [PROGRAM]" >&2 && exit 2 ;; esac
[ -x "$program" ] || { echo "$program: there is no such program; build it with: cargo build --release" >&2 && exit 2; }
program=$(cd "$(dirname "$program")" && pwd)/$(basename "$program")
RANDOM=${KILL_TEST_SEED:-$$}

place=$(mktemp -d) || exit 2
child=
# shellcheck disable=SC2064
trap '[ -z "$child" ] || kill -9 "$child" 2>/dev/null; rm -rf "$place"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
cd "$place" || exit 2

images=(--data scenes --preset modern --set width=4 --set width_d=4 --set batch=4 --set eval=12 --set latent=6
    --set ema=0.9 --set log.samples=0)
points=(--data ring8 --preset theano --set width=64 --set width_d=64 --set batch=8 --set eval=16 --set mu=2
    --set log.samples=0)
forever=1000000
failures=0
in_save=0    # kills that left a half-written checkpoint
in_start=0   # kills before the first checkpoint
unbegun=0    # kills before there was a run to resume

complain() {
    failures=$((failures + 1))
    echo "FAILED after kill $kill: $*" >&2
    [ ! -s err ] || sed 's/^/    stderr: /' err >&2
}

# Starts the program with these words and kills it after a random time of up to $1 milliseconds.
kill_within() {
    local most=$1
    shift
    local wait=$((RANDOM % most))
    "$program" "$@" >out 2>err </dev/null &
    child=$!
    sleep "$(printf '%d.%03d' $((wait / 1000)) $((wait % 1000)))"
    kill -9 "$child" 2>/dev/null
    { wait "$child"; } 2>/dev/null
    local code=$?
    child=
    [ "$code" -eq 137 ] || complain "the program was not killed, but ended with code $code"
    grep -q 'internal error\|panicked' err && complain "the program panicked"
    return 0
}

# The newest published checkpoint of a run, 0 if there is none. Reads the names only.
newest() {
    local name newest=0
    for name in "$1"/checkpoints/[0-9]*; do
        [ -d "$name" ] || continue
        name=${name##*/}
        name=$((10#$name))
        [ "$name" -le "$newest" ] || newest=$name
    done
    echo "$newest"
}

# Line i of a stats.jsonl is the whole record of generation i; only what follows the last newline may be torn.
# Prints the number of whole lines.
whole_lines() {
    [ -f "$1" ] || { echo 0 && return; }
    local lines
    lines=$(wc -l <"$1")
    head -n "$lines" "$1" | awk '
        $0 !~ "^[{]\"generation\":" NR ",.*[}]$" { print "line " NR ": " substr($0, 1, 80) > "/dev/stderr"; bad = 1 }
        END { exit bad }' || return 1
    echo "$lines"
}

# The generation that a long run had reached when it was checked last.
progress() {
    cat "$1.progress" 2>/dev/null || echo 0
}

# What a kill left behind in the folder $1.
check() {
    local run=$1 saved reported at lines
    if [ ! -f "$run/config.toml" ]; then
        unbegun=$((unbegun + 1))
        [ -z "$(ls "$run/checkpoints" 2>/dev/null)" ] || complain "checkpoints without a config.toml"
        return
    fi
    saved=$(newest "$run")
    [ "$saved" -gt 0 ] || in_start=$((in_start + 1))
    ls -A "$run/checkpoints" 2>/dev/null | grep -q '^\..*\.part$' && in_save=$((in_save + 1))
    whole_lines "$run/stats.jsonl" >/dev/null 2>>err || complain "stats.jsonl holds a torn, missing or duplicate line"
    # A generation is told before it is saved, so the one before the last one told is safe.
    reported=$(sed -n 's/^{"generation":\([0-9]*\),.*}$/\1/p' out | tail -n 1)
    reported=$((${reported:-1} - 1))
    [ "$saved" -ge "$reported" ] || complain "generation $reported was saved, but the newest checkpoint is $saved"
    [ "$saved" -ge "$(progress "$run")" ] || complain "generation $(progress "$run") was saved, now it is $saved"
    # Loads the checkpoint and, if there is one, plays no generation: a run of this length is done by then.
    "$program" resume "$run" --generations $((saved > 0 ? saved : 1)) >out 2>err </dev/null || complain "resume ended with code $?"
    grep -q 'warning:\|internal error\|panicked' err && complain "resume has something to warn of"
    at=$(sed -n 's/^resuming .* after generation \([0-9]*\)$/\1/p' err)
    [ "${at:-0}" -eq "$saved" ] || complain "generation $saved was published, but the run goes on after ${at:-0}"
    lines=$(whole_lines "$run/stats.jsonl" 2>>err) || complain "stats.jsonl is broken after resume"
    [ "$saved" -eq 0 ] && saved=1
    [ "${lines:-0}" -eq "$saved" ] || complain "stats.jsonl has ${lines:-0} lines at generation $saved"
    [ -z "$(tail -c 1 "$run/stats.jsonl")" ] || complain "the last line of stats.jsonl is torn after resume"
    ls -A "$run/checkpoints" | grep '^\.' >>err && complain "resume left temporary folders"
    echo "$saved" >"$run.progress"
}

for ((kill = 1; kill <= kills; kill++)); do
    if ((kill % 10 == 0)); then
        rm -rf new new.progress
        kill_within 150 evolve "${images[@]}" --set log.checkpoint=1 --generations $forever --json --out new
        check new
        continue
    fi
    ((kill % 2)) && run=images && most=1500 && settings=("${images[@]}")
    ((kill % 2)) || { run=points && most=500 && settings=("${points[@]}"); }
    if [ -f $run/config.toml ]; then
        kill_within $most resume $run --generations $forever --json
    else
        kill_within $most evolve "${settings[@]}" --set log.checkpoint=1 --generations $forever --json --out $run
    fi
    check $run
done

# To the end, and once more without a break.
kill=$kills
totals=
for run in images points; do
    [ -f $run/config.toml ] || continue
    [ $run = images ] && settings=("${images[@]}") || settings=("${points[@]}")
    total=$(($(progress $run) + 2))
    totals="$totals $total generations of $run"
    "$program" resume $run --generations $total >out 2>err </dev/null || complain "the last resume ended with code $?"
    "$program" evolve "${settings[@]}" --set log.checkpoint=0 --generations $total --out whole-$run >out 2>err </dev/null ||
        complain "the run without a break ended with code $?"
    last=$(printf '%06d' $total)
    [ -f "whole-$run/checkpoints/$last/manifest.json" ] || complain "there is no checkpoint $last"
    diff -r "$run/checkpoints/$last" "whole-$run/checkpoints/$last" >err 2>&1 || complain "checkpoint $last differs"
    : >err
    left=$(ls -A $run | grep '^\.' | tr '\n' ' ')
    [ -z "$left" ] || complain "temporary files are left in $run: $left"
done

echo "$kills kills: $failures failures; $in_save while saving, $in_start before the first checkpoint, $unbegun before" \
    "there was a run;$totals compared with runs without a break"
[ "$failures" -eq 0 ]
