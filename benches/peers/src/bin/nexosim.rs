//! NeXosim: one model that schedules its own arrivals and departures, on one thread. Models for
//! the source, the balancer and each replica would send each other a message for every request,
//! and say nothing more; and there is nothing here that a second thread could do meanwhile.

use std::time::Duration;

use nexosim::model::{BuildContext, Context, Model, ProtoModel, schedulable};
use nexosim::ports::{EventSinkReader, EventSource, Output, SinkState, event_slot};
use nexosim::simulation::{Mailbox, SimInit, SimulationError};
use nexosim::time::MonotonicTime;
use peers::{BACK_AT, Cluster, Figures, KILLED_AT, Task};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
struct Gateway {
    figures: Output<Figures>,
}

/// What a simulation cannot be saved with is a model's environment.
struct State {
    task: Task,
    cluster: Cluster,
}

fn instant(seconds: f64) -> MonotonicTime {
    MonotonicTime::EPOCH + Duration::from_nanos((seconds * 1e9).round() as u64)
}

/// Nothing can be scheduled for now: what would be is due a nanosecond later.
fn later(seconds: f64, context: &Context<Gateway>) -> MonotonicTime {
    instant(seconds).max(context.time() + Duration::from_nanos(1))
}

#[Model(type Env = State)]
impl Gateway {
    #[nexosim(init)]
    async fn init(&mut self, context: &Context<Self>, state: &mut State) {
        let first = state.cluster.gap();
        context.schedule_event(later(first, context), schedulable!(Self::arrive), first).unwrap();
        if state.task.kill {
            context.schedule_event(instant(KILLED_AT), schedulable!(Self::kill), ()).unwrap();
            context.schedule_event(instant(BACK_AT), schedulable!(Self::back), ()).unwrap();
        }
    }

    #[nexosim(schedulable)]
    fn arrive(&mut self, now: f64, context: &Context<Self>, state: &mut State) {
        if let Some(timer) = state.cluster.arrive(now) {
            self.set_timer(timer, context);
        }
        let next = now + state.cluster.gap();
        context.schedule_event(later(next, context), schedulable!(Self::arrive), next).unwrap();
    }

    #[nexosim(schedulable)]
    fn depart(&mut self, timer: (usize, f64), context: &Context<Self>, state: &mut State) {
        let (replica, due) = timer;
        if let Some(due) = state.cluster.fire(replica, due) {
            self.set_timer((replica, due), context);
        }
    }

    fn set_timer(&self, timer: (usize, f64), context: &Context<Self>) {
        context.schedule_event(later(timer.1, context), schedulable!(Self::depart), timer).unwrap();
    }

    #[nexosim(schedulable)]
    fn kill(&mut self, _: (), _: &Context<Self>, state: &mut State) {
        state.cluster.kill();
    }

    #[nexosim(schedulable)]
    fn back(&mut self, _: (), _: &Context<Self>, state: &mut State) {
        state.cluster.back();
    }

    async fn finish(&mut self, _: (), _: &Context<Self>, state: &mut State) {
        self.figures.send(state.cluster.figures.clone()).await;
    }
}

struct Proto {
    figures: Output<Figures>,
    state: State,
}

impl ProtoModel for Proto {
    type Model = Gateway;

    fn build(self, _: &mut BuildContext<Self>) -> (Gateway, State) {
        (Gateway { figures: self.figures }, self.state)
    }
}

fn run(task: &Task, seed: u64) -> Result<Figures, SimulationError> {
    let (sink, mut figures) = event_slot(SinkState::Enabled);
    let state = State { task: *task, cluster: Cluster::new(task, seed) };
    let mut gateway = Proto { figures: Output::default(), state };
    gateway.figures.connect_sink(sink);
    let mailbox = Mailbox::new();
    let mut bench = SimInit::with_num_threads(1);
    let finish = EventSource::new().connect(Gateway::finish, &mailbox).register(&mut bench);
    let mut simulation = bench.add_model(gateway, mailbox, "gateway").init(MonotonicTime::EPOCH)?;
    simulation.step_until(instant(task.seconds))?;
    simulation.process_event(&finish, ())?;
    Ok(figures.try_read().expect("the figures"))
}

fn main() {
    peers::main(|task, seed| run(task, seed).expect("a simulation"));
}
