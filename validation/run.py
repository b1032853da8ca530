#!/usr/bin/env python3
"""Drives real proxies through faults and compares what they did with what the simulator says.

README.md tells what is compared and how. Exit code 0: all that was made agrees, but for
differences that are known; 1: something does not, or nothing was made.
"""

import argparse
import asyncio
import collections
import pathlib
import signal
import sys
import tempfile
import traceback

from client import send_all
from experiments import everything
from heartbeat import Heartbeat
from model import STATUSES, simulate
from proxies import find, version

BROWNOUT = pathlib.Path(__file__).parents[1] / "target/release/brownout"
TOLERANCE = 0.05  # of the slowest latency
LATEST = 0.3  # seconds; on a machine that is later than that nothing is compared
LEAD = 0.5  # seconds from the start of a wave to its first moment


class Observation:
    """What a proxy did: counts by status, the slowest answers, and how late the machine was."""

    def __init__(self, answers, late):
        known = [status for status in STATUSES if status is not None]
        of = [answer.status if answer.status in known else None for answer in answers]
        self.counts = collections.Counter(of)
        # A request waits for the client and the proxy, which may be as late, and for a backend.
        self.late = 2 * late + max((answer.late for answer in answers), default=0.0)
        self.slowest = {
            status: max((answer.latency for answer in answers if answer.status == status),
                        default=None)
            for status in (200, 504)
        }


class Stage:
    """An experiment with its backends and its proxy, ready to be made."""

    def __init__(self, experiment):
        self.experiment = experiment
        self.folder = tempfile.TemporaryDirectory(prefix="brownout-validation-")
        self.backends = experiment.start_backends()
        try:
            ports = [backend.port for backend in self.backends]
            self.proxy = experiment.proxy(self.folder.name, ports, **experiment.options)
        except Exception:
            self.stop_backends()
            raise

    async def play(self, start):
        one, times = self.experiment, self.experiment.times()
        acting = asyncio.create_task(one.act(self.proxy, self.backends, start))
        answers = await send_all(self.proxy.port, one.method, start, times)
        await acting
        return answers

    def stop_backends(self):
        for backend in self.backends:
            backend.stop()

    def stop(self):
        self.proxy.stop()
        self.stop_backends()
        self.folder.cleanup()


async def play(stages):
    """Makes the experiments of a wave, all at the same time."""
    start = asyncio.get_running_loop().time() + LEAD
    heartbeat = Heartbeat()
    beating = asyncio.create_task(heartbeat.beat())
    made = await asyncio.gather(*(stage.play(start) for stage in stages))
    beating.cancel()
    return [Observation(answers, heartbeat.late) for answers in made]


def observe(wave):
    stages = []
    try:
        for experiment in wave:
            stages.append(Stage(experiment))
        return asyncio.run(play(stages))
    finally:
        for stage in stages:
            stage.stop()


def predict(brownout, experiment, late):
    with tempfile.TemporaryDirectory(prefix="brownout-validation-") as folder:
        statuses = experiment.statuses()
        runs = [simulate(brownout, experiment.scenario, changes, statuses, folder)
                for changes in experiment.variants(late)]
    joined = runs[0]
    for run in runs[1:]:
        joined = joined.join(run)
    return joined


def wrong_counts(seen, said):
    """By status, how many requests are outside of what was predicted, and in words."""
    for status in STATUSES:
        count, span = seen.counts[status], said.counts[status]
        beyond = max(span.low - count, count - span.high)
        if beyond > 0:
            yield beyond, f"{status or 'other'}: {count}, not {span.low} to {span.high}"


def wrong_latencies(seen, said):
    """The slowest answers that are faster or slower than was predicted, in words."""
    for status, latency in seen.slowest.items():
        span = said.slowest[status]
        if latency is None or span.low is None:
            continue  # the counts say so
        low = span.low * (1 - TOLERANCE)
        high = span.high * (1 + TOLERANCE) + seen.late
        if not low <= latency <= high:
            yield f"slowest {status}: {latency:.2f} s, not {low:.2f} to {high:.2f} s"


def both(low, high, text):
    """A range as it stands in the table."""
    if low is None:
        return "–"
    ends = text(low), text(high)
    return ends[0] if ends[0] == ends[1] else "–".join(ends)


def row(experiment, seen, said, verdict):
    """A line of the table: what the proxy did, and below it what the model says."""
    seconds = "{:.2f}".format
    did = [str(seen.counts[status]) for status in STATUSES]
    did += [both(value, value, seconds) for value in seen.slowest.values()]
    model = [both(span.low, span.high, str) for span in said.counts.values()]
    model += [both(span.low, span.high, seconds) for span in said.slowest.values()]
    cells = [f"{one} / {two}" if one != two else one for one, two in zip(did, model)]
    return "| " + " | ".join([experiment.name, *cells, verdict]) + " |"


class Tally:
    """What came of the experiments, for the sum line and the exit code."""

    def __init__(self):
        self.count = collections.Counter()
        self.lines = []
        self.skipped = {}

    def judge(self, experiment, seen, said):
        sent = len(experiment.times())
        if sum(seen.counts.values()) != sent:
            raise RuntimeError(f"{experiment.name}: not all of {sent} requests have an end")
        if seen.late > LATEST:
            raise RuntimeError(f"{experiment.name}: the machine was {seen.late:.2f} s late")
        counts = list(wrong_counts(seen, said))
        is_known = counts and all(n <= experiment.known.requests for n, _ in counts)
        # Answers of 5 ms measure the machine alone, and the slowest request may be among those
        # that are known to differ.
        is_timed = experiment.scenario != "failing-host" and not is_known
        slow = list(wrong_latencies(seen, said)) if is_timed else []
        verdict = "known" if is_known else "DIFFERS" if counts or slow else "agrees"
        self.count[verdict] += 1
        self.count["compared"] += 1
        self.count["listed"] += bool(experiment.known.requests)
        self.lines.append(row(experiment, seen, said, verdict))
        words = [words for _, words in counts] + slow
        words += [experiment.known.reason] if verdict == "known" else []
        words.append(f"the machine may have been {seen.late * 1e3:.0f} ms late")
        print(f"{experiment.name}: {verdict}", *words, sep="\n    ", flush=True)

    def print(self):
        heads = ["experiment: proxy / model", *(str(status or "other") for status in STATUSES),
                 "slowest 200, s", "slowest 504, s", "verdict"]
        print("", "| " + " | ".join(heads) + " |", "|---" * len(heads) + "|", *self.lines, sep="\n")
        count = self.count
        words = [f"{count['made']} experiments made", f"{count['compared']} compared",
                 f"{count['agrees']} agree",
                 f"{count['known']} of {count['listed']} known differences seen",
                 f"{count['DIFFERS']} differ", f"{count['errors']} errors"]
        skipped = [f"skipped: {name} ({number} experiments, not installed)"
                   for name, number in self.skipped.items()]
        print("", ", ".join(words), *skipped, sep="\n")

    def is_good(self, require_all):
        count = self.count
        bad = count["DIFFERS"] + count["errors"] + (require_all and len(self.skipped))
        return not bad and 0 < count["made"] == count["compared"]


def options():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--brownout", type=pathlib.Path, default=BROWNOUT, help="the simulator")
    parser.add_argument("--only", default="", help="only experiments whose name contains this")
    parser.add_argument("--require-all", action="store_true", help="a skipped proxy is a failure")
    chosen = parser.parse_args()
    if not chosen.brownout.is_file():
        parser.error(f"{chosen.brownout} is missing: build it by `cargo build --release`, "
                     "or say where it is by --brownout")
    return chosen


def conduct(wave, brownout, tally):
    """Makes the experiments of a wave and compares them."""
    try:
        seen = observe(wave)
        tally.count["made"] += len(seen)
        for experiment, observation in zip(wave, seen):
            said = predict(brownout, experiment, observation.late)
            tally.judge(experiment, observation, said)
    except Exception:
        tally.count["errors"] += 1
        traceback.print_exc()


def main():
    for end in (signal.SIGTERM, signal.SIGHUP):  # so that what was started is ended as well
        signal.signal(end, lambda *_: sys.exit(1))
    chosen, tally = options(), Tally()
    waves = [[one for one in wave if chosen.only in one.name] for wave in everything()]
    wanted = [one.proxy.name for wave in waves for one in wave]
    found = [name for name in dict.fromkeys(wanted) if find(name)]
    tally.skipped = collections.Counter(name for name in wanted if name not in found)
    for wave in waves:
        wave = [one for one in wave if one.proxy.name in found]
        if wave:
            conduct(wave, chosen.brownout, tally)
    versions = [f"{name} {version(name)}" for name in found]
    print("", f"Driven: {', '.join(versions) or 'nothing'}", sep="\n")
    tally.print()
    return 0 if tally.is_good(chosen.require_all) else 1


if __name__ == "__main__":
    sys.exit(main())
