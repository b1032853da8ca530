"""AsyncFlow has no processor sharing and no laws of CPU time: a request takes one of the cores, in
the order of arrival, for a constant time, and each server has endpoints that are equally likely.
So this is another task: first come, first served, with 200 endpoints that are slices of the law,
and an outage during which a server gets no requests but finishes those it has. `fcfs.py` is its
reference. The users are of no variance, so that arrivals are Poisson; nothing is sampled.
"""

import numpy
import simpy
from asyncflow import AsyncFlow, SimulationRunner
from asyncflow.components import Client, Edge, Endpoint, LoadBalancer, Server
from asyncflow.settings import SimulationSettings
from asyncflow.workload import RqsGenerator

from task import BACK_AT, CORES, KILLED_AT, figures, main, slices

WINDOW = 120  # the longest after which the number of users is drawn anew


def edge(source, target):
    latency = {"mean": 1e-12, "distribution": "exponential"}
    return Edge(
        id=f"{source}-{target}", source=source, target=target, latency=latency, dropout_rate=0.0
    )


def payload(task):
    endpoints = [
        Endpoint(
            endpoint_name=f"/{number}",
            steps=[{"kind": "cpu_bound_operation", "step_operation": {"cpu_time": demand}}],
        )
        for number, demand in enumerate(slices(200))
    ]
    names = [f"server-{number}" for number in range(task.replicas)]
    resources = {"cpu_cores": CORES, "ram_mb": 1024}
    servers = [Server(id=name, server_resources=resources, endpoints=endpoints) for name in names]
    edges = [edge("users", "client"), edge("client", "balancer")]
    edges += [edge("balancer", name) for name in names] + [edge(name, "client") for name in names]
    flow = (
        AsyncFlow()
        .add_generator(
            RqsGenerator(
                id="users",
                avg_active_users={"mean": task.rate, "distribution": "normal", "variance": 0.0},
                avg_request_per_minute_per_user={"mean": 60.0},
                user_sampling_window=WINDOW,
            )
        )
        .add_client(Client(id="client"))
        .add_servers(*servers)
        .add_load_balancer(
            LoadBalancer(id="balancer", algorithms="round_robin", server_covered=set(names))
        )
        .add_edges(*edges)
        .add_simulation_settings(
            SimulationSettings(
                total_simulation_time=int(task.seconds),
                sample_period_s=0.1,
                enabled_sample_metrics=set(),
            )
        )
    )
    if task.kill:
        flow.add_server_outage(
            event_id="kill", server_id=names[0], t_start=KILLED_AT, t_end=BACK_AT
        )
    return flow.build_payload()


def simulate(task, seed):
    runner = SimulationRunner(env=simpy.Environment(), simulation_input=payload(task))
    runner.rng = numpy.random.default_rng(seed)
    results = runner.run()
    results.process_all_metrics()
    return figures(results.latencies, 0)


if __name__ == "__main__":
    main(simulate)
