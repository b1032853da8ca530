#!/usr/bin/env python3
"""Compares `brownout availability` with closed forms and with exact runs, and counts how often
its intervals hold the truth.

Prints and writes docs/validation-availability.md. Exit code 0: nothing differs; 1: something does.
"""

import argparse
import math
import os
import pathlib
import signal
import sys
import time

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE / "availability"))

import report  # noqa: E402
from coverage import Truth, rows  # noqa: E402
from exact import FIGURES, SYSTEMS  # noqa: E402
from jobs import Pool, availability  # noqa: E402
from theory import CLOSED, CRASH, month_beyond  # noqa: E402
from verdicts import AGREES, DIFFERS, UNKNOWN, Z, equal, within  # noqa: E402

BROWNOUT = HERE.parent / "target/release/brownout"
DOCUMENT = HERE.parent / "docs/validation-availability.md"
PARTS = ["coverage", "closed", "exact"]
TOLERANCE = {"mean": 0.01, "p99.9": 0.03}
CAVEATS = """
## Caveats

- The exact runs come from the same engine: they show what `availability` adds (clusters, weights,
  windows, intervals), not that the engine is right.
- Rates are hundreds of times those of real faults, so that days show them: overlaps weigh more
  here, and so does what `availability` assumes of clusters.
- Errors of exact runs are between {runs} runs or fewer. Where the latency of few long outages
  makes the mean and p99.9, they are too wide, and the row says so. p99.9 is a mean of
  percentiles, each of one run.
- The truth for months of `normal` is the mean of long runs of `availability` itself: this tells
  whether its interval is wide enough, not whether it is biased.
"""


class Sizes:
    """How much is simulated."""

    def __init__(self, is_quick):
        self.share = 0.15 if is_quick else 1.0
        self.seeds = 40 if is_quick else 200
        self.closed = "3M" if is_quick else "10M"
        self.estimate, self.times = ("15M", 3) if is_quick else ("30M", 4)
        self.outages = 50_000 if is_quick else 200_000


class Session:
    """What is made, and what comes of it."""

    def __init__(self, pool, sizes):
        self.pool, self.sizes = pool, sizes
        self.verdicts, self.estimates = [], {}

    def judged(self, verdict):
        self.verdicts.append(verdict)
        return verdict

    def estimate(self, system):
        """Estimates of a system, which are made once."""
        if system.name not in self.estimates:
            sizes = self.sizes
            made = system.estimate(self.pool, sizes.estimate, sizes.times)
            self.estimates[system.name] = made
        return self.estimates[system.name]

    def closed(self):
        jobs = [availability(one.scenario, self.sizes.closed, 1, one.changes) for one in CLOSED]
        made = self.pool.map("closed forms", jobs)
        yield report.CLOSED.format(outages=self.sizes.outages)
        for one, found in zip(CLOSED, made):
            name = f"{one.name}: {one.formula}"
            right = {"failing": one.failing, "down": one.down(self.sizes.outages)}
            for key in (key for key in right if right[key] is not None):
                ends = found[key]
                far = ends["high"] if right[key] > ends["point"] else ends["low"]
                verdict = within(right[key] - ends["point"], abs(far - ends["point"]), right[key])
                yield report.closed_row(name, key, right[key], ends, self.judged(verdict))

    def exact(self):
        yield report.EXACT.format(times=self.sizes.times, requests=self.sizes.estimate)
        lines = []
        for system in SYSTEMS:
            exact = system.truth(self.pool, self.sizes.share)
            found, own = self.estimate(system)
            for key in FIGURES:
                yield self.exact_row(system.name, key, exact[key], found[key], own.get(key))
            lines.append(f"{system.name}: {system.days} days, {system.requests / 1e6:,.0f} M "
                         f"requests, {system.incidents:,} incidents.")
        yield "\nExact runs: " + " ".join(lines)

    def exact_row(self, name, key, exact, found, own):
        off, error = None, None
        if exact.point:
            off = found.point / exact.point - 1
            error = math.hypot(found.error, exact.error) / exact.point
        if own is not None:
            half = math.hypot(own / self.sizes.times ** 0.5, Z * exact.error)
            verdict = within(found.point - exact.point, half, exact.point)
        else:
            verdict = equal(off, error, TOLERANCE[key])
        return report.exact_row(name, key, exact, found, off, error, self.judged(verdict))

    def coverage(self):
        yield report.COVERAGE
        yield from self.covered("crash, 1M requests", "crashing", "1M", "99.14%", {
            "failing": Truth(CRASH.failing, "renewal"),
            "down": Truth(CRASH.down(self.sizes.outages), "renewal, drawn"),
            "month": Truth(month_beyond(3_600, 30, 0.0086), "renewal"),
        })
        normal = SYSTEMS[1]
        exact = normal.truth(self.pool, self.sizes.share)
        self.estimate(normal)
        truths = {key: Truth(exact[key].point, "exact runs", exact[key].error)
                  for key in ("failing", "down")}
        truths["month"] = Truth(normal.month.point, "long runs of its own", normal.month.error)
        yield from self.covered("normal, 4M requests", normal.name, "4M", normal.target, truths)

    def covered(self, label, scenario, requests, target, truths):
        made = rows(self.pool, label, scenario, requests, target, truths, self.sizes.seeds)
        for row in made:
            self.judged(row["verdict"])
            yield report.coverage_row(row)


def options():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--brownout", type=pathlib.Path, default=BROWNOUT, help="the simulator")
    parser.add_argument("--quick", action="store_true", help="about two minutes instead of fifteen")
    parser.add_argument("--only", choices=PARTS, help="one part; the document is not written")
    parser.add_argument("--keep", type=pathlib.Path, metavar="DIR",
                        help="keep the results of runs there, and use those that are there")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="runs at a time")
    chosen = parser.parse_args()
    if not chosen.brownout.is_file():
        parser.error(f"{chosen.brownout} is missing: build it by `cargo build --release`, "
                     "or say where it is by --brownout")
    return chosen


def conduct(chosen, pool):
    begun, session = time.monotonic(), Session(pool, Sizes(chosen.quick))
    engine = pool.map("engine", [availability("crashing", "100k", 1)])[0]["engine"]
    wanted = [chosen.only] if chosen.only else PARTS
    lines = []
    for line in (line for part in wanted for line in getattr(session, part)()):
        lines.append(line)
        print(line, flush=True)
    words = ["--quick"] * chosen.quick + ["--only", chosen.only] * bool(chosen.only)
    minutes = (time.monotonic() - begun) / 60
    head = report.head(chosen.brownout, engine, words, minutes, pool)
    count = {name: session.verdicts.count(name) for name in (AGREES, UNKNOWN, DIFFERS)}
    said = ", ".join(f"{number} {name}" for name, number in count.items())
    runs = max(system.runs for system in SYSTEMS)
    tail = CAVEATS.format(runs=runs)
    head += f"\n**{len(session.verdicts)} rows: {said}.**"
    print(tail, head, sep="\n")
    if not chosen.only and not chosen.quick:
        DOCUMENT.write_text("\n".join([head, *lines, tail]))
    return 1 if count[DIFFERS] else 0


def main():
    for end in (signal.SIGTERM, signal.SIGHUP):  # so that what was started is ended as well
        signal.signal(end, lambda *_: sys.exit(1))
    signal.signal(signal.SIGINT, signal.default_int_handler)  # though a shell has it ignored
    chosen = options()
    pool = Pool(chosen.brownout.resolve(), chosen.jobs, chosen.keep)
    try:
        return conduct(chosen, pool)
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return 130
    finally:
        pool.close()


if __name__ == "__main__":
    sys.exit(main())
