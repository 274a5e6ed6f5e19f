#!/usr/bin/env bash
# Tests of the studio's page: its scripts by themselves, their types, and the whole page in a real Chromium against the real program.
# Arguments go to `node --test`, as a file of crates/studio/tests/browser, or `--test-name-pattern W3`.
#
# Needs node 20 or newer, npm and Chromium (or Chrome; CHROMIUM names another one). Where one is missing that is said, and the rest is done.
# GANATOMY names a program that is built already.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD
tests=crates/studio/tests/browser

skip() {
    echo "SKIPPED: browser tests. $*"
    exit 0
}

command -v node >/dev/null || skip "node is not installed."
[ "$(node -p 'process.versions.node.split(".")[0]')" -ge 20 ] || skip "node $(node --version) is too old; 20 is needed."

echo "the page's scripts"
node --test crates/studio/page/tests/*.test.mjs

command -v npm >/dev/null || skip "npm is not installed."
# Their versions are pinned, with their hashes, in package-lock.json.
(cd "$tests" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error) || skip "npm cannot fetch what package-lock.json names."

echo "the types of the page's scripts"
"$tests/node_modules/.bin/tsc" -p crates/studio/page/jsconfig.json

for name in "${CHROMIUM:-}" chromium chromium-browser google-chrome; do
    [ -n "$name" ] && CHROMIUM=$(command -v "$name") && break
done
[ -n "${CHROMIUM:-}" ] || skip "Chromium is not installed (apt-get install chromium), or CHROMIUM does not name it."
export CHROMIUM

target=$(cd "${CARGO_TARGET_DIR:-target}" 2>/dev/null && pwd || echo "$root/target")
export BY_HAND=$target/by-hand
rm -rf "$BY_HAND"
# The whole workspace, so that what the usual tests have built is used.
cargo build --quiet --locked --workspace --bins --example by_hand
"$target/debug/examples/by_hand" "$BY_HAND"
export GANATOMY=${GANATOMY:-$target/debug/ganatomy}

echo "the page in $("$CHROMIUM" --version)"
cd "$tests"
exec node --test --test-concurrency=1 --test-timeout=600000 "$@"
