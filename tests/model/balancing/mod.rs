//! Which replica an ingress chooses, and how much it may try again.

mod retry_limits;
mod rules;
