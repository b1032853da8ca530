"""The report, in Markdown, as it is printed and written."""

import datetime
import os
import platform
import subprocess

HEAD = """# `availability` against closed forms and exact runs

Written by `python3 validation/availability.py{words}` on {date}; {version}, engine {engine};
{machine}; {runs}, {jobs} at a time, in {minutes:.1f} min. Do not edit.

*agrees*: see each part. *cannot tell*: what it is compared with is too uncertain, or the interval
too wide. *DIFFERS*: more than chance makes likely.
"""
CLOSED = """
## Closed forms

One kind of fault each, in `validation/availability/scenarios`. The share that fails is a formula
(renewal), the share of minutes that are down (more than 5 % of a minute's requests) is drawn from
the same renewal, {outages} outages. The row *agrees* if what is predicted is within the interval,
stretched from 95 % to 99.7 % as many rows are judged, and half of that of 95 % is at most 10 %.

| system | figure | predicted | measured | 95 % interval | off | verdict |
|---|---|---|---|---|---|---|"""
EXACT = """
## Exact runs

`run` over horizons of ten days in which faults overlap as they come, beside the mean of {times}
runs of `availability` with {requests} requests each. ± is one standard error, from between runs.
`failing` and `down` *agree* if they differ by no more than both intervals together (roots of their
squares, stretched as above) and that is at most 10 %; the mean has to be within 1 % and p99.9
within 3 % for sure, that is with 1.96 standard errors of the difference.

| system | figure | exact | availability | off | error of the difference | verdict |
|---|---|---|---|---|---|---|"""
COVERAGE = """
## How often intervals of 95 % hold the truth

Wanted: 93 %. *cannot tell*: fewer, but the binomial interval (Wilson) contains 93 %. `below`,
`above`: where the truth lies if it is not held. `month`: the chance that a month uses more than
its budget. *ratio*: half the mean interval over 1.96 standard deviations of the points; where it
is above 1 intervals are wider than need be.

| system | figure | truth | mean of the points | held | binomial | below, above | ratio | verdict |
|---|---|---|---|---|---|---|---|---|"""


def number(value):
    return f"{value:.4g}"


def percent(value, digits=1):
    return f"{100 * value:+.{digits}f} %"


def closed_row(name, key, right, found, verdict):
    low, point, high = (found[end] for end in ("low", "point", "high"))
    cells = [name, f"`{key}`", number(right), number(point), f"{number(low)}–{number(high)}",
             percent(point / right - 1), verdict]
    return "| " + " | ".join(cells) + " |"


def exact_row(name, key, exact, found, off, error, verdict):
    unit = "" if key in ("failing", "down") else " s"
    label = f"`{key}`" if not unit else f"{key} latency"
    cells = [name, label] + [f"{number(one.point)} ± {number(one.error)}{unit}"
                             for one in (exact, found)]
    known = ["–", "–"] if off is None else [percent(off), f"{100 * error:.1f} %"]
    return "| " + " | ".join([*cells, *known, verdict]) + " |"


def coverage_row(row):
    truth, low, high = row["truth"], *row["share"]
    known = number(truth.value) + (f" ± {number(truth.error)}" if truth.error else "")
    cells = [row["system"], f"`{row['figure']}`", f"{known} ({truth.rests_on})",
             f"{number(row['mean'])} ± {number(row['error'])}",
             f"{row['held']} of {row['seeds']}", f"{100 * low:.1f}–{100 * high:.1f} %",
             f"{row['below']}, {row['above']}",
             f"{row['half'] / (1.96 * row['spread']):.2f}" if row["spread"] else "–",
             row["verdict"]]
    return "| " + " | ".join(cells) + " |"


def processor():
    try:
        with open("/proc/cpuinfo") as file:
            names = [line.split(":")[1].strip() for line in file if line.startswith("model name")]
        return names[0]
    except (OSError, IndexError):
        return platform.machine()


def head(brownout, engine, words, minutes, pool):
    version = subprocess.run([brownout, "--version"], capture_output=True, text=True).stdout
    machine = f"{processor()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    runs = f"{pool.made} runs of the simulator"
    runs += f" and {pool.taken} kept from before" if pool.taken else ""
    return HEAD.format(words="".join(f" {word}" for word in words), jobs=pool.at_a_time, runs=runs,
                       date=datetime.date.today(), version=version.strip(), engine=engine,
                       machine=machine, minutes=minutes)
