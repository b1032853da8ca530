//! Made-up experiments, for tests of what follows from outcomes.

pub(crate) mod example;
pub(crate) mod with_clients;
