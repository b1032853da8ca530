//! The sections that follow one request: who sends it and sends it again (`[clients]`), which API
//! it belongs to (`[[api]]`), what acts on it in the gateway (`[[policy]]`), who answers it
//! (`[[upstream]]`), and where its connection ends (`[tls]`).
//!
//! A file a section, with its table, its words and its reading. With any of these sections the plan
//! has clients and upstreams that answer back; `dependencies.rs` reads them together, because they
//! name one another: APIs name policies and upstreams by [`Named`](named::Named) lists.
//!
//! The room may use the gateway and the ingress as read, and nothing of traffic and faults. Start
//! with `dependencies.rs`.

pub(crate) mod admission;
pub(crate) mod api;
pub(crate) mod clients;
pub(crate) mod dependencies;
pub(crate) mod named;
pub(crate) mod outliers;
pub(crate) mod policy;
pub(crate) mod skew;
#[cfg(test)]
pub(super) mod tests;
pub(crate) mod tls;
pub(crate) mod upstream;
