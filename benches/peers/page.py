"""Tables of what was measured, and docs/performance.md around them."""

import datetime
import os
import platform
import statistics
from dataclasses import dataclass
from pathlib import Path

TASKS = {"b2": "B2", "b3": "B3"}


@dataclass
class Verdict:
    """What a tool says of a figure, beside the reference and what chance allows."""

    task: str
    figure: str
    value: float
    reference: float
    allowed: float
    replications: int

    def agrees(self):
        return abs(self.value - self.reference) <= self.allowed

    def text(self):
        share = 100.0 * (self.value / self.reference - 1.0)
        allowed = 100.0 * self.allowed / self.reference
        sign = "" if self.agrees() else " **no**"
        return f"{milliseconds(self.value)} ({share:+.1f} of ±{allowed:.1f} %){sign}"


def milliseconds(seconds):
    return f"{1e3 * seconds:.4g} ms"


def microseconds(seconds):
    value = 1e6 * seconds
    digits = 3 if value < 1.0 else 2 if value < 10.0 else 1 if value < 100.0 else 0
    return f"{value:.{digits}f} µs"


def number(value):
    return f"{value:,.0f}" if value >= 9.95 else f"{value:.1f}"


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])


@dataclass
class Result:
    """All that was measured."""

    tools: list
    measured: dict
    errors: float
    alpha: float
    same: bool | None
    version: str
    python: str | None

    def agrees(self):
        return self.same is not False and all(v.agrees() for v in self.verdicts())

    def verdicts(self):
        return [v for measured in self.measured.values() for v in measured.verdicts]

    def speed(self):
        head = ["simulator", "processor sharing"]
        head += ["B2, a request", "÷ brownout", "B3, a request", "÷ brownout", "start"]
        rows = [self.ours()]
        return table(head, rows + [self.row(tool) for tool in self.tools])

    def ours(self):
        measured = self.measured["brownout"]
        row = [f"**brownout {self.version}** (Rust)", "built in"]
        for task in TASKS:
            row += [microseconds(statistics.median(measured.costs[task])), "1"]
        return row + [f"{statistics.median(measured.starts):.2f} s"]

    def row(self, tool):
        measured = self.measured[tool.name]
        name = f"{tool.name} {tool.version} ({tool.language})".replace("  ", " ")
        row = [name, tool.sharing]
        if tool.skipped:
            return row + [f"skipped: {tool.skipped}", "", "", "", ""]
        if not all(verdict.agrees() for verdict in measured.verdicts):
            return row + ["disagrees, so its speed says nothing", "", "", "", ""]
        for task in TASKS:
            ratios = sorted(measured.ratios[task])
            spread = f"{number(ratios[0])}–{number(ratios[-1])}"
            row.append(microseconds(statistics.median(measured.costs[task])))
            row.append(f"**{number(statistics.median(ratios))}** ({spread})")
        return row + [f"{statistics.median(measured.starts):.2f} s"]

    def agreement(self):
        head = ["simulator", "one replica: mean", "B2: mean", "B2: p99", "B3: mean", "B3: p99"]
        columns = [("one", "mean")] + [(task, f) for task in TASKS for f in ("mean", "p99")]
        rows = []
        for name in ["brownout"] + [tool.name for tool in self.tools]:
            verdicts = {(v.task, v.figure): v.text() for v in self.measured[name].verdicts}
            if name == "brownout":
                verdicts.update(self.reference(name, columns[1:]))
            if verdicts:
                rows.append([name] + [verdicts.get(column, "–") for column in columns])
        if "fcfs.py" in self.measured:
            texts = self.reference("fcfs.py", columns[1:])
            rows.append(["`fcfs.py`, for AsyncFlow", "–"] + [texts[c] for c in columns[1:]])
        return table(head, rows)

    def reference(self, name, columns):
        texts = {}
        for task, figure in columns:
            values = [f[figure] for f in self.measured[name].figures[task]]
            error = statistics.stdev(values) / len(values) ** 0.5
            texts[task, figure] = f"{1e3 * statistics.fmean(values):.4g} ± {1e3 * error:.2g} ms"
        return texts

    def crates(self):
        if self.same is None:
            return ""
        if not self.same:
            return "The crates draw the same numbers and **do not say the same**."
        return (
            "The crates draw the same numbers and say the same: as many requests, and means that\n"
            "differ by less than 1e-9. For them the comparison is with the kernel alone at stake."
        )

    def replications(self):
        parts = []
        for name in ["brownout"] + [tool.name for tool in self.tools]:
            count = len(self.measured[name].figures["b2"])
            if count:
                parts.append(f"{name} {count}")
        return ", ".join(parts)

    def tables(self):
        return f"{self.speed()}\n\n{self.agreement()}\n\n{self.crates()}".strip()

    def page(self):
        template = (Path(__file__).parent / "page.md").read_text()
        return template.format(
            speed=self.speed(),
            agreement=self.agreement(),
            crates=self.crates(),
            errors=f"{self.errors:.2f}",
            alpha=f"{100 * self.alpha:.0f} %",
            date=datetime.date.today().isoformat(),
            machine=machine(),
            version=self.version,
            python=self.python or "none",
            rounds=len(next(iter(self.rounds()), [])),
            replications=self.replications(),
        )

    def rounds(self):
        return [m.costs["b2"] for t in self.tools if (m := self.measured[t.name]).costs["b2"]]


def machine():
    """The processor and system, as far as they say."""
    model = platform.machine()
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        model = next(line.split(":", 1)[1].strip() for line in lines if "model name" in line)
    except (OSError, StopIteration):
        pass
    load = os.getloadavg()[1]
    system = f"{platform.system()} {platform.release().split('-')[0]}"
    return f"{model}, {os.cpu_count()} cores, {system}; load {load:.1f} at the end"
