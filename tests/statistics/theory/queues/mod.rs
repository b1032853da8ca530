//! Systems of queues: what is shared or served in order, in the long run and after a start.

pub mod crowd;
pub mod fifo;
pub mod queue;
mod queued;
pub mod sojourns;
pub mod transient;
