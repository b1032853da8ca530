"""Ciw has processor sharing (PSNode), which looks at every job at every event. Round robin is an
arrival node that sends customers to the replicas in turn, cheaper than a node to pass through; the
kill is an event of its own of the first replica. Both are subclasses, as Ciw's guide has it.
"""

import ciw

from task import BACK_AT, CORES, KILLED_AT, MU, SIGMA, figures, main


class Balancer(ciw.ArrivalNode):
    """Strict round robin over the replicas that are up."""

    kill = False
    turn = -1

    def release_individual(self, next_node, next_individual):
        replicas = self.simulation.transitive_nodes
        down = self.kill and KILLED_AT <= self.simulation.current_time < BACK_AT
        self.turn = (self.turn + 1) % len(replicas)
        if self.turn == 0 and down:
            self.turn = 1
        super().release_individual(replicas[self.turn], next_individual)


class Mortal(ciw.PSNode):
    """A replica that is killed once, with the loss of its jobs."""

    killed = False
    lost = 0

    def update_next_event_date(self):
        super().update_next_event_date()
        if not self.killed and self.next_event_date > KILLED_AT:
            self.next_event_date = KILLED_AT
            self.next_event_type = "kill"

    def have_event(self):
        if self.next_event_type != "kill":
            super().have_event()
            return
        self.killed = True
        for individual in list(self.all_individuals):
            self.individuals[0].remove(individual)
            self.number_of_individuals -= 1
            self.lost += 1
            self.simulation.nodes[-1].accept(individual, completed=False)
        self.update_all_service_end_dates()


def simulate(task, seed):
    ciw.seed(seed)
    idle = [None] * (task.replicas - 1)
    network = ciw.create_network(
        arrival_distributions=[ciw.dists.Exponential(task.rate)] + idle,
        service_distributions=[ciw.dists.Lognormal(MU, SIGMA)] * task.replicas,
        number_of_servers=[float("inf")] * task.replicas,
        ps_thresholds=[CORES] * task.replicas,
        routing=ciw.routing.NetworkRouting([ciw.routing.Leave() for _ in range(task.replicas)]),
    )
    first = Mortal if task.kill else ciw.PSNode
    simulation = ciw.Simulation(
        network,
        arrival_node_class=type("Arrivals", (Balancer,), {"kill": task.kill}),
        node_class=[first] + [ciw.PSNode] * (task.replicas - 1),
    )
    simulation.simulate_until_max_time(task.seconds)
    records = simulation.get_all_records(only=["service"])
    latencies = [record.exit_date - record.arrival_date for record in records]
    return figures(latencies, getattr(simulation.nodes[1], "lost", 0))


if __name__ == "__main__":
    main(simulate)
