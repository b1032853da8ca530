//! The states of a replica and which may follow which.

use crate::observe::State;

/// Whether a replica in state `from` may enter `to`. A start-up phase that the plan leaves out is
/// passed over; any process may die where it stands.
pub(super) fn may_follow(from: State, to: State) -> bool {
    use State::*;
    let next: &[State] = match from {
        // Every slot begins with one that is ready.
        Scheduling => &[Scheduling, Sandbox, Ready, Terminated],
        Sandbox => &[Image],
        Image => &[Booting],
        Booting => &[Configuring, Contracts, Probing],
        Configuring => &[Contracts, Probing],
        Contracts => &[Probing],
        // Probes that compete for CPU may fail before one succeeded.
        Probing => &[Ready, Draining],
        Ready => &[Hung, Unready, Draining],
        Hung => &[Unready, Draining],
        // The probes of a hung one that was deleted go on.
        Draining => &[Unready],
        Failed => &[Unready, Booting, BackOff, Sandbox, Terminated],
        Unready => &[Ready, Draining, Sandbox, Terminated],
        BackOff => &[Booting],
        Terminated => return false,
    };
    to == Failed || next.contains(&to)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replica_that_ended_stays_ended() {
        for state in [State::Ready, State::Failed, State::Sandbox, State::Terminated] {
            assert!(!may_follow(State::Terminated, state));
        }
    }

    #[test]
    fn nothing_is_ready_that_was_not_probed() {
        for state in [State::Sandbox, State::Image, State::Booting, State::Contracts] {
            assert!(!may_follow(state, State::Ready));
        }
    }
}
