//! What Kubernetes does with machines that are to be emptied or shut down, and with the zones that
//! they stand in.
//!
//! - `budgets`: drains that a disruption budget holds up, and what ends their wait.
//! - `kills`: replicas that are killed in consequence of a fault.
//! - `shutdown`: machines that are taken away after a notice.
//! - `together`: faults that follow others.
//! - `spread`: which replicas and which nodes count for an even spread over zones.
//!
//! Right values follow from the rules of the sources that are named in `model/cluster`: the
//! eviction handler of the API server and the filter of the scheduler's topology spread. Times are
//! exact: replicas start after a constant time and are known everywhere at once.

mod budgets;
mod kills;
mod shutdown;
mod spread;
mod together;

use brownout::plan::*;
use brownout::random::Law;
use brownout::units::Span;

use crate::common::{plan, secs};

/// So many replicas of which a new one is ready exactly this long after it was placed.
fn starting_within(replicas: usize, boot: f64, horizon: f64) -> Plan {
    let mut plan = plan(replicas, 30.0, horizon);
    plan.detection.crash = Law::ZERO;
    plan.startup.boot = Law::Constant(secs(boot));
    plan.startup.readiness.initial_delay = Span::ZERO;
    plan.startup.readiness.period = Span::ZERO;
    plan
}
