"""The tools that are measured: how each is got, started, and what it cannot be told."""

import csv
import json
import re
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent


@dataclass
class Tool:
    """A simulator, and how many replications of a task make a run that is long enough."""

    name: str
    language: str
    package: str
    replications: int
    sharing: str  # where its processor sharing comes from
    first_come: bool = False  # it has none, so that it is told another task
    binary: str = ""
    script: str = ""
    version: str = ""
    skipped: str = ""


def all_tools():
    own = "own: clock and heap"
    return [
        Tool("simcore", "Rust", "simcore", 16, own, binary="simcore"),
        Tool("simu-des", "Rust", "simu-des", 12, own, binary="simu-des"),
        Tool("NeXosim", "Rust", "nexosim", 6, own, binary="nexosim"),
        Tool("Cimba", "Python, compiled", "cimba", 60, own, script="with_cimba.py"),
        Tool("SimPy", "Python", "simpy", 3, own, script="with_simpy.py"),
        Tool("Ciw", "Python", "ciw", 1, "built in, O(n)", script="with_ciw.py"),
        Tool(
            "AsyncFlow",
            "Python",
            "asyncflow-sim",
            1,
            "none: first come, first served",
            first_come=True,
            script="with_asyncflow.py",
        ),
    ]


class Peer:
    """Runs a tool of others, which prints a line of JSON for each replication."""

    def __init__(self, tool, runner, python, binaries):
        if tool.binary:
            self.command = [binaries / tool.binary]
        else:
            self.command = [python, HERE / tool.script]
        self.runner = runner

    def run(self, task, seconds, seed, replications):
        """CPU seconds, and what each replication says."""
        words = [task, seconds, seed, replications]
        cpu, text = self.runner.timed([*self.command, *words])
        return cpu, [json.loads(line) for line in text.splitlines()]


class Ours:
    """Runs brownout on the scenario that states the task; charts are not drawn."""

    def __init__(self, runner, binary):
        self.runner = runner
        self.binary = binary

    def version(self):
        return self.runner.timed([self.binary, "--version"])[1].split()[-1]

    def run(self, task, seconds, seed, replications):
        file = HERE / ("b3.toml" if task == "b3" else "b2.toml")
        folder = Path(tempfile.mkdtemp(prefix="peers-"))
        words = ["run", file, "--seed", seed, "--replications", replications, "--jobs", 1]
        words += ["--no-charts", "--quiet", "--output", folder, "--name", task]
        words += ["--set", f"run.horizon={seconds}s"]
        if task == "one":
            words += ["--set", "gateway.replicas=1", "--set", "traffic.rate=140/s"]
        try:
            cpu, _ = self.runner.timed([self.binary, *words])
            with open(folder / task / "replications.csv", newline="") as file:
                rows = list(csv.DictReader(file))
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        return cpu, [figures(row) for row in rows]


def figures(row):
    return {
        "served": int(row["served"]),
        "lost": int(row["lost_in_flight"]),
        "mean": float(row["mean_ms"]) / 1e3,
        "p99": float(row["p99_ms"]) / 1e3,
    }


def crate_versions():
    """Of the crates that the lock file pins."""
    text = (HERE / "Cargo.lock").read_text()
    return dict(re.findall(r'^name = "(.+)"\nversion = "(.+)"$', text, re.MULTILINE))
