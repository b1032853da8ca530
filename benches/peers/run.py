#!/usr/bin/env python3
"""The same task in other simulators, beside brownout: CPU time, after checking that they agree.

    python3 benches/peers/run.py

sets up what is needed below target/peers (a virtual environment, the crates, a release build of
brownout), measures, prints the tables and writes docs/performance.md. To try it out, and to
check this script itself: `run.py --quick --only simpy`, which writes nothing.
"""

import argparse
import glob
import os
import statistics
import sys
from dataclasses import dataclass, field
from pathlib import Path

import page
from runner import Failed, Runner
from tools import HERE, ROOT, Ours, Peer, all_tools, crate_versions

WORK = ROOT / "target" / "peers"
OURS = 40  # replications of brownout in a run
START = 5  # s of B2 that are simulated to see what a start takes
ALPHA = 0.01  # chance that any of the comparisons fails though all tools are right
ONE_SERVER = 0.0196078  # s: M/G/2 with processor sharing at 0.7, which is that of M/M/2


@dataclass
class Measured:
    """What came of the runs of a tool, by task."""

    starts: list = field(default_factory=list)
    costs: dict = field(default_factory=lambda: {"b2": [], "b3": []})  # s of CPU per request
    ratios: dict = field(default_factory=lambda: {"b2": [], "b3": []})
    figures: dict = field(default_factory=lambda: {"one": [], "b2": [], "b3": []})
    verdicts: list = field(default_factory=list)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--quick", action="store_true", help="one short round; writes nothing")
    parser.add_argument("--only", metavar="NAME", action="append", help="only tools named so")
    parser.add_argument("--rounds", type=int, help="how often each is measured (3)")
    parser.add_argument("--brownout", type=Path, help="another binary than a release build")
    parser.add_argument("--python", help="the interpreter of the tools, 3.12 or newer")
    parser.add_argument("--output", type=Path, default=ROOT / "docs" / "performance.md")
    return parser.parse_args()


def interpreter(runner, wanted):
    """A Python that all tools can be installed with, and its version; or none."""
    there = [sys.executable, "python3.13", "python3.12", "python3.14", "python3"]
    there += sorted(glob.glob(os.path.expanduser("~/.pyenv/versions/3.1[2-9]*/bin/python")))
    for python in [wanted] if wanted else there:
        code = "import sys; print(*sys.version_info[:3], sep='.')"
        try:
            version = runner.timed([python, "-c", code])[1].strip()
        except (Failed, OSError):
            continue
        if tuple(map(int, version.split("."))) >= (3, 12):
            return python, version
    return None, None


def install(runner, tools, wanted):
    """The virtual environment with those tools that could be had."""
    tools = [tool for tool in tools if tool.script]
    if not tools:
        return None, None
    python, version = interpreter(runner, wanted)
    if python is None:
        for tool in tools:
            tool.skipped = "there is no Python 3.12 or newer; --python names one"
        return None, None
    environment = WORK / f"python-{version}"
    inside = environment / "bin" / "python"
    if not inside.exists():
        runner.say(f"setting up {environment}")
        runner.timed([python, "-m", "venv", environment])
    for tool in tools:
        runner.say(f"installing {tool.package}")
        pins = ["-c", HERE / "requirements.txt"]
        pip = [inside, "-m", "pip", "install", "-q", "--disable-pip-version-check", *pins]
        show = f"from importlib.metadata import version; print(version({tool.package!r}))"
        try:
            runner.timed([*pip, "numpy", tool.package])
            tool.version = runner.timed([inside, "-c", show])[1].strip()
        except Failed as failure:
            tool.skipped = f"it could not be installed: {failure}"
    return inside, version


def build(runner, tools):
    """The folder of the programs of those tools that are crates."""
    tools = [tool for tool in tools if tool.binary]
    folder = WORK / "crates"
    versions = crate_versions()
    for tool in tools:
        runner.say(f"building {tool.binary}")
        cargo = ["cargo", "build", "--release", "--locked", "--bin", tool.binary]
        environment = {**os.environ, "CARGO_TARGET_DIR": str(folder)}
        try:
            runner.timed(cargo, cwd=HERE, env=environment)
            tool.version = versions[tool.package]
        except (Failed, OSError) as failure:
            tool.skipped = f"it could not be built: {failure}"
    return folder / "release"


def build_ours(runner):
    runner.say("building brownout")
    folder = WORK / "brownout"
    environment = {**os.environ, "CARGO_TARGET_DIR": str(folder)}
    runner.timed(["cargo", "build", "--release", "--locked"], cwd=ROOT, env=environment)
    return folder / "release" / "brownout"


def measure(who, measured, replications, seconds, seed, tasks=("b2", "b3")):
    """A start and then whole runs; what a request costs is the slope from one to the other."""
    start, first = who.run("b2", START, seed, 1)
    measured.starts.append(start)
    costs = {}
    for task in tasks:
        cpu, figures = who.run(task, seconds, seed, replications)
        more = sum(f["served"] + f["lost"] for f in figures) - first[0]["served"]
        costs[task] = (cpu - start) / more
        measured.costs[task].append(costs[task])
        measured.figures[task] += figures
    return costs


def rounds(options, runner, ours, peers, all_measured):
    """Each tool in turn, and brownout before each of them."""
    number = options.rounds or (1 if options.quick else 3)
    seconds = 300 if options.quick else 600
    seed = 1
    for turn in range(number):
        for tool, peer in peers:
            measured = all_measured[tool.name]
            replications = max(1, tool.replications // 4) if options.quick else tool.replications
            runner.say(f"round {turn + 1} of {number}: brownout, before {tool.name}")
            base = measure(ours, all_measured["brownout"], OURS, seconds, seed)
            seed += 1
            runner.say(f"round {turn + 1} of {number}: {tool.name}")
            try:
                # Crates draw the same numbers, so that with the same seeds they say the same.
                seeds = 1 + 1000 * (turn + 1)
                costs = measure(peer, measured, replications, seconds, seeds)
            except (Failed, ValueError, KeyError) as failure:
                tool.skipped = f"it failed: {failure}"
                continue
            for task, cost in costs.items():
                measured.ratios[task].append(cost / base[task])
        peers = [pair for pair in peers if not pair[0].skipped]


def one_server(options, runner, ours, peers, all_measured):
    """The task that has a closed form."""
    seconds = 150 if options.quick else 600
    for tool, peer in [(None, ours)] + [pair for pair in peers if not pair[0].first_come]:
        name = tool.name if tool else "brownout"
        if tool and tool.skipped:
            continue
        runner.say(f"one replica: {name}")
        number = 60 if tool is None else min(20, 3 * tool.replications)
        _, figures = peer.run("one", seconds, 1, number)
        all_measured[name].figures["one"] = figures


def quantile_of_all(comparisons):
    """How many standard errors all of so many comparisons stay within, but for ALPHA."""
    return statistics.NormalDist().inv_cdf(1.0 - ALPHA / (2.0 * comparisons))


def reference_first_come(options, runner, python, all_measured):
    """What AsyncFlow is compared with."""
    runner.say("reference of first come, first served")
    tool = next(t for t in all_tools() if t.first_come)
    tool.script = "fcfs.py"
    measured = Measured()
    for task in ("b2", "b3"):
        seconds = 300 if options.quick else 600
        _, figures = Peer(tool, runner, python, None).run(task, seconds, 1, 60)
        measured.figures[task] = figures
    all_measured["fcfs.py"] = measured


def judge(tools, all_measured):
    """Compares means and 99th percentiles, tool by tool.

    If a tool simulates the same task, its replications scatter as those of the reference do, which
    are many: so their deviation gives the standard error of the difference, also where the tool
    itself has few.
    """
    pairs = []
    for tool in tools:
        measured = all_measured[tool.name]
        reference = all_measured["fcfs.py" if tool.first_come else "brownout"]
        if measured.figures["one"]:
            pairs.append((tool, "one", "mean", None))
        for task in ("b2", "b3"):
            if measured.figures[task] and reference.figures[task]:
                pairs += [(tool, task, figure, reference) for figure in ("mean", "p99")]
    pairs.append((None, "one", "mean", None))
    errors = quantile_of_all(len(pairs))
    for tool, task, figure, reference in pairs:
        measured = all_measured[tool.name if tool else "brownout"]
        values = [f[figure] for f in measured.figures[task]]
        scatter = reference or all_measured["brownout"]
        expected = [f[figure] for f in scatter.figures[task]]
        share = 1.0 / len(values) + (1.0 / len(expected) if reference else 0.0)
        centre = statistics.fmean(expected) if reference else ONE_SERVER
        measured.verdicts.append(
            page.Verdict(
                task,
                figure,
                statistics.fmean(values),
                centre,
                errors * statistics.stdev(expected) * share**0.5,
                len(values),
            )
        )
    return errors


def same_numbers(tools, all_measured):
    """Whether the crates, which draw the same numbers, say the same; None if none can be compared."""
    crates = [tool for tool in tools if tool.binary and not tool.skipped]
    if len(crates) < 2:
        return None
    for task in ("b2", "b3"):
        for tool in crates[1:]:
            pairs = zip_rounds(crates[0], tool, task, all_measured)
            if any(a["served"] != b["served"] for a, b in pairs):
                return False
            if any(abs(a["mean"] / b["mean"] - 1.0) > 1e-9 for a, b in pairs):
                return False
    return True


def zip_rounds(first, second, task, all_measured):
    """Replications of two crates with the same seed."""
    one, other = (all_measured[tool.name] for tool in (first, second))
    turns = len(one.costs[task])
    size, others = (len(m.figures[task]) // turns for m in (one, other))
    pairs = []
    for turn in range(turns):
        mine = one.figures[task][turn * size : (turn + 1) * size]
        pairs += zip(mine, other.figures[task][turn * others : (turn + 1) * others])
    return pairs


def work(options, runner):
    tools = all_tools()
    if options.only:
        names = [name.lower() for name in options.only]
        tools = [tool for tool in tools if any(name in tool.name.lower() for name in names)]
        if not tools:
            sys.exit(f"no tool is named so; there are {', '.join(t.name for t in all_tools())}")
    WORK.mkdir(parents=True, exist_ok=True)
    python, python_version = install(runner, tools, options.python)
    binaries = build(runner, tools)
    ours = Ours(runner, options.brownout or build_ours(runner))
    peers = [(t, Peer(t, runner, python, binaries)) for t in tools if not t.skipped]
    all_measured = {name: Measured() for name in ["brownout"] + [tool.name for tool in tools]}
    if any(tool.first_come for tool, _ in peers):
        reference_first_come(options, runner, python, all_measured)
    one_server(options, runner, ours, peers, all_measured)
    rounds(options, runner, ours, peers, all_measured)
    errors = judge([t for t in tools if not t.skipped], all_measured)
    same = same_numbers(tools, all_measured)
    runner.say("")
    result = page.Result(tools, all_measured, errors, ALPHA, same, ours.version(), python_version)
    print(result.tables())
    if options.quick or options.only:
        print("Nothing is written: this was to try it out.", file=sys.stderr)
        return result.agrees()
    options.output.write_text(result.page())
    print(f"Written to {options.output}", file=sys.stderr)
    return result.agrees()


def main():
    options = arguments()
    runner = Runner()
    try:
        agreed = work(options, runner)
    except KeyboardInterrupt:
        print("\nStopped; nothing is written.", file=sys.stderr)
        sys.exit(130)
    except (Failed, OSError) as failure:
        sys.exit(f"\n{failure}")
    sys.exit(0 if agreed else 1)


if __name__ == "__main__":
    main()
