//! What the gateway and what is behind it do to protect themselves, and what that costs.

mod admission;
mod asking_probes;
mod idle;
mod overload;
mod upstream_limits;
mod upstream_tries;
