//! simu-des: a process for the arrivals and one for the fault, which sleep from one event to the
//! next, and a process for each timer of a departure, as a sleeping one cannot be woken early.

use std::cell::RefCell;
use std::rc::Rc;

use peers::{BACK_AT, Cluster, Figures, KILLED_AT, Task};
use simu::{EnvHandle, SimEnv};

type Shared = Rc<RefCell<Cluster>>;

async fn arrivals(env: EnvHandle, cluster: Shared) {
    loop {
        let gap = cluster.borrow_mut().gap();
        env.timeout(gap).await;
        let timer = cluster.borrow_mut().arrive(env.now());
        if let Some((replica, due)) = timer {
            env.spawn(departures(env.clone(), cluster.clone(), replica, due));
        }
    }
}

/// From a timer on, while it has to be set anew when it fires.
async fn departures(env: EnvHandle, cluster: Shared, replica: usize, mut due: f64) {
    loop {
        env.timeout((due - env.now()).max(0.0)).await;
        let next = cluster.borrow_mut().fire(replica, due);
        match next {
            Some(next) => due = next,
            None => return,
        }
    }
}

async fn fault(env: EnvHandle, cluster: Shared) {
    env.timeout(KILLED_AT).await;
    cluster.borrow_mut().kill();
    env.timeout(BACK_AT - KILLED_AT).await;
    cluster.borrow_mut().back();
}

fn simulate(task: &Task, seed: u64) -> Figures {
    let mut env = SimEnv::with_seed(seed);
    let cluster = Rc::new(RefCell::new(Cluster::new(task, seed)));
    env.spawn(arrivals(env.handle(), cluster.clone()));
    if task.kill {
        env.spawn(fault(env.handle(), cluster.clone()));
    }
    env.run_until(task.seconds);
    let figures = cluster.borrow().figures.clone();
    figures
}

fn main() {
    peers::main(simulate);
}
