"""What all sides share: their command line, and how a case is timed, by the rules of the crate's own runner."""
import argparse
import pathlib
import statistics
import time


def parser(description, threads):
    """The command line of a side; `threads` says what happens without a number of them."""
    made = argparse.ArgumentParser(description=description.partition("\n")[0])
    made.add_argument("--filter", action="append", default=[], help="only cases whose name holds this text")
    made.add_argument("--seconds", type=float, default=0.5, help="of repetitions for each case")
    made.add_argument("--threads", type=int, help=f"default: {threads}")
    made.add_argument("--list", action="store_true", help="print the names and end")
    made.add_argument("--networks", type=pathlib.Path, help="cases network/ too, of the ONNX models of this folder")
    made.add_argument("--stdin", action="store_true", help="time the cases named on standard input")
    return made


def chosen(names, filters):
    """The names that hold one of the texts; all where there is none."""
    return [name for name in names if not filters or any(text in name for text in filters)]


def timed(step):
    start = time.perf_counter()
    step()
    return time.perf_counter() - start


def measure(step, budget):
    """Warms up for a quarter of the budget, then repeats. Median and number of the repetitions."""
    warm = time.perf_counter()
    while True:
        slow = timed(step) > budget
        if time.perf_counter() - warm >= budget / 4:
            break
    seconds, start = [], time.perf_counter()
    while len(seconds) < (1 if slow else 3) or time.perf_counter() - start < budget:
        seconds.append(timed(step))
    return statistics.median(seconds), len(seconds)
