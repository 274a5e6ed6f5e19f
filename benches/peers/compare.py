#!/usr/bin/env python3
"""Times our runner and another engine's (PyTorch, or --peer) in turn and prints one Markdown table. Needs nothing but Python.

    cargo build --release -p ganatomy-benches
    python compare.py ../../target/release/ganatomy-benches --python PATH/OF/PYTHON/WITH/TORCH
        [--peer onnx_cases.py] [--rounds 5] [--seconds 0.5] [--filter conv/d2 ...] [--threads N] [--bf16 | --peer-bf16] [--channels-last] [--json FILE]

Both runners stay open; each round gives every case to one and then at once to the other, and the next round begins with
the other. So a machine that is busy for a while slows both, and the median of the rounds' ratios says more than the
ratio of two medians. Floor: what the case takes at least, its multiply-adds at the machine's measured rate or its bytes
at the measured rate of memory, whichever is longer. Rates are the best of all rounds.
"""
import argparse
import json
import os
import pathlib
import resource
import statistics
import subprocess
import sys

QUIET = 0.05  # share of the processors' work that other programs may take
STEADY = 0.1  # how far apart the register loop's rounds may lie: a neighbour on the same hardware shows only there


class Runner:
    """One of the two programs, open for the names of cases."""

    def __init__(self, command):
        self.command = command
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.about = self.answer()

    def answer(self):
        line = self.process.stdout.readline()
        if not line:
            sys.exit(f"{self.command[0]} ended without an answer ({self.process.wait()})")
        return json.loads(line)

    def time(self, case):
        self.process.stdin.write(case + "\n")
        self.process.stdin.flush()
        return self.answer()

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def names(command, filters):
    wanted = [argument for f in filters for argument in ("--filter", f)]
    return subprocess.run(command + ["--list"] + wanted, check=True, capture_output=True, text=True).stdout.split()


def processor_time():
    """Seconds that all processors have worked so far, and for us alone (Linux; else nothing)."""
    try:
        fields = [int(f) for f in pathlib.Path("/proc/stat").read_text().partition("\n")[0].split()[1:9]]
    except OSError:
        return None
    user, nice, system, _idle, _waiting, irq, softirq, steal = fields
    mine = sum(
        usage.ru_utime + usage.ru_stime
        for usage in (resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN))
    )
    return (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK"), mine


def load():
    return " ".join(f"{v:.2f}" for v in os.getloadavg()) if hasattr(os, "getloadavg") else "unknown"


def number(value):
    """Three significant digits, without an exponent."""
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def about(runner):
    parts = [runner.get(key) for key in ("instructions", "precision", "layout")]
    return ", ".join([runner["engine"], f"{runner['threads']} threads"] + [p for p in parts if p])


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("runner", help="our program ganatomy-benches, built for release")
    parser.add_argument("--python", default=sys.executable, help="the interpreter that has the other engine")
    parser.add_argument("--peer", default="torch_cases.py", help="the other side: a script beside this one")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=0.5, help="of repetitions for each case, side and round")
    parser.add_argument("--filter", action="append", default=[], help="only cases whose name holds this text")
    parser.add_argument("--threads", type=int, default=os.cpu_count(), help="for both sides")
    parser.add_argument("--bf16", action="store_true", help="both in mixed precision")
    parser.add_argument("--peer-bf16", action="store_true", help="PyTorch alone in mixed precision")
    parser.add_argument("--channels-last", action="store_true", help="PyTorch's faster layout on some processors")
    parser.add_argument("--networks", help="cases network/ too, of the ONNX models that networks.py wrote into this folder")
    parser.add_argument("--json", help="also write every single timing to this file")
    a = parser.parse_args()

    script = str(pathlib.Path(__file__).with_name(a.peer))
    common = ["--seconds", str(a.seconds), "--threads", str(a.threads)]
    flags = ["--bf16"] * (a.bf16 or a.peer_bf16) + ["--channels-last"] * a.channels_last
    ours, theirs = [os.path.abspath(a.runner)], [a.python, script]
    machine = names(ours, ["machine/"])
    if a.networks:
        folder = ["--networks", os.path.abspath(a.networks)]
        ours, theirs = ours + folder, theirs + folder
    common_ours = common + ["--bf16"] * a.bf16
    known = set(names(theirs, []))
    cases = [c for c in names(ours, a.filter) if c in known]
    if not cases:
        sys.exit("no case has such a name on both sides")

    before, worked = load(), processor_time()
    sides = Runner(ours + common_ours + ["--stdin"]), Runner(theirs + common + flags + ["--stdin"])
    answers = []  # (round, side, answer)
    for turn in range(a.rounds):
        answers += [(turn, 0, sides[0].time(case)) for case in machine]
        for count, case in enumerate(cases, 1):
            print(f"\rround {turn + 1} of {a.rounds}: {count} of {len(cases)} {case:40}", end="", file=sys.stderr)
            for side in (0, 1) if turn % 2 == 0 else (1, 0):
                answers.append((turn, side, sides[side].time(case)))
    print(file=sys.stderr)
    for side in sides:
        side.close()
    after, worked_after = load(), processor_time()
    if a.json:
        lines = (json.dumps({"round": turn, "engine": sides[s].about["engine"], **answer}) for turn, s, answer in answers)
        pathlib.Path(a.json).write_text("\n".join(lines) + "\n")

    def seconds(case, side):
        return [x["seconds"] for _, s, x in answers if s == side and x["case"] == case and "seconds" in x]

    def stated(case):
        return next(x for _, s, x in answers if s == 0 and x["case"] == case and "macs" in x)

    rates = {}
    for case in machine:
        known_cost = stated(case)
        rates[case] = (known_cost["macs"] or known_cost["bytes"]) / min(seconds(case, 0))
    fma = rates["machine/fma"]
    memory = max(rate for case, rate in rates.items() if case.startswith("machine/memory"))

    print(f"- Ours: {about(sides[0].about)}. Beside it: {about(sides[1].about)}.")
    print(f"- {a.rounds} rounds in turn, {a.seconds:g} s of repetitions for each case, side and round.")
    print(f"- The machine: {fma / 1e9:.1f} GMAC/s in registers; memory {rates['machine/memory/read'] / 1e9:.1f} GB/s read,")
    print(f"  {rates['machine/memory/copy'] / 1e9:.1f} GB/s copied (read and written bytes).")
    loop = seconds("machine/fma", 0)
    spread = max(loop) / min(loop) - 1
    print(f"- Load average before: {before}; after: {after}. The register loop's rounds lie {100 * spread:.0f} % apart.")
    others = 0
    if worked and worked_after:
        total, mine = (y - x for x, y in zip(worked, worked_after))
        others = max(total - mine, 0) / max(total, 1e-9)
        print(f"- Other programs took {100 * others:.0f} % of the processors' work.")
    calm = others < QUIET and spread < STEADY
    print("- The machine was quiet." if calm else "- **The machine was not quiet**: trust ratios whose range is narrow.")
    print()
    peer = sides[1].about["engine"].rpartition(" ")[0]
    print(f"| case | ours, ms | {peer}, ms | {peer} / ours | least to most | GMAC/s | floor, ms | ours / floor |")
    print("|---|---|---|---|---|---|---|---|")
    for case in cases:
        mine, other = seconds(case, 0), seconds(case, 1)
        if not mine or not other:
            reason = next((x["error"] for _, _, x in answers if x["case"] == case and "error" in x), "no time")
            print(f"| {case} | {reason} | | | | | | |")
            continue
        ratios = [y / x for x, y in zip(mine, other)]
        cost, median = stated(case), statistics.median(mine)
        floor = max(cost["macs"] / fma, cost["bytes"] / memory)
        bound = "products" if cost["macs"] / fma >= cost["bytes"] / memory else "memory"
        cells = [
            number(1e3 * median),
            number(1e3 * statistics.median(other)),
            f"{statistics.median(ratios):.2f}",
            f"{min(ratios):.2f} to {max(ratios):.2f}",
            number(cost["macs"] / median / 1e9),
            f"{number(1e3 * floor)} ({bound})",
            f"{median / floor:.1f}",
        ]
        print(f"| {case} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
