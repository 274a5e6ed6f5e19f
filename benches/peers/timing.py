"""How a case is timed: the same rules as the crate's own runner."""
import statistics
import time


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
