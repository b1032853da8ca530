//! simcore (the core of DSLab): one component that sends itself events. A message from a source to
//! a balancer to a replica would be two events more for each request, and say nothing more.

use std::cell::RefCell;
use std::rc::Rc;

use peers::{BACK_AT, Cluster, Figures, KILLED_AT, Task};
use serde::Serialize;
use simcore::{Event, EventHandler, Simulation, SimulationContext, cast};

#[derive(Clone, Serialize)]
struct Arrival {}

#[derive(Clone, Serialize)]
struct Departure {
    replica: usize,
    due: f64,
}

#[derive(Clone, Serialize)]
struct Kill {}

#[derive(Clone, Serialize)]
struct Back {}

struct Gateway {
    cluster: Cluster,
    context: SimulationContext,
}

impl Gateway {
    fn next_arrival(&mut self) {
        let gap = self.cluster.gap();
        self.context.emit_self(Arrival {}, gap);
    }

    fn set_timer(&self, replica: usize, due: f64) {
        self.context.emit_self(Departure { replica, due }, due - self.context.time());
    }

    fn arrive(&mut self) {
        if let Some((replica, due)) = self.cluster.arrive(self.context.time()) {
            self.set_timer(replica, due);
        }
        self.next_arrival();
    }

    fn depart(&mut self, replica: usize, due: f64) {
        if let Some(due) = self.cluster.fire(replica, due) {
            self.set_timer(replica, due);
        }
    }
}

impl EventHandler for Gateway {
    fn on(&mut self, event: Event) {
        cast!(match event.data {
            Arrival {} => {
                self.arrive();
            }
            Departure { replica, due } => {
                self.depart(replica, due);
            }
            Kill {} => {
                self.cluster.kill();
            }
            Back {} => {
                self.cluster.back();
            }
        })
    }
}

fn simulate(task: &Task, seed: u64) -> Figures {
    let mut simulation = Simulation::new(seed);
    let context = simulation.create_context("gateway");
    let gateway = Gateway { cluster: Cluster::new(task, seed), context };
    let gateway = Rc::new(RefCell::new(gateway));
    simulation.add_handler("gateway", gateway.clone());
    gateway.borrow_mut().next_arrival();
    if task.kill {
        gateway.borrow().context.emit_self(Kill {}, KILLED_AT);
        gateway.borrow().context.emit_self(Back {}, BACK_AT);
    }
    simulation.step_until_time(task.seconds);
    gateway.borrow().cluster.figures.clone()
}

fn main() {
    peers::main(simulate);
}
