//! The ingress: through which instance a request comes, and which replica it is given to.
//!
//! This room owns the [`Ingress`](routing::Ingress): the instances as clients see them, the
//! rotation, and the connections that are being tried. It asks replicas only whether somebody
//! listens at their address. What becomes of a request that it routes is up to whoever sent it: see
//! `open_loop` and `event_loop`.
//!
//! - `instance` is which instances clients meet, `loss` what their loss breaks.
//! - `balancer` is the rotation and its turns, `connections` what keeps a replica beyond a request.
//! - `views` is what an instance uses of the rotation, by its health checks (`health`) and by what
//!   it has `seen` of answers.
//! - `in_cluster` is who comes past it, by the address of the Service.
//! - `retries` is which failed tries are made again.
//! - `routing` is the path of a request from an instance to a replica. Start reading there.

mod balancer;
pub(super) mod connections;
mod health;
mod in_cluster;
mod instance;
mod loss;
pub(super) mod retries;
pub(super) mod routing;
pub(super) mod seen;
mod views;
