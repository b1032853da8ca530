//! Means that theory knows, in units of the mean demand.

/// The largest rate below `saturation` at which a growing latency stays below its bound.
pub fn largest(saturation: f64, bound: f64, latency: impl Fn(f64) -> f64) -> f64 {
    let (mut low, mut high) = (0.0, saturation);
    for _ in 0..100 {
        let middle = (low + high) / 2.0;
        if latency(middle) < bound { low = middle } else { high = middle }
    }
    low
}

/// M/M/c, shared by all: the mean time in system is that of a queue in order of arrival, as with
/// exponential demands the number in the system follows the same law. Erlang's C from his B, by
/// recursion.
pub fn erlang_c_mean(load: f64, cores: u32) -> f64 {
    let mut blocked = 1.0;
    for server in 1..=cores {
        blocked = load * blocked / (f64::from(server) + load * blocked);
    }
    let cores = f64::from(cores);
    let waits = blocked / (1.0 - load / cores * (1.0 - blocked));
    1.0 + waits / (cores - load)
}

/// Poisson arrivals that replicas take in turn: each is a queue G/M/1 whose gaps are sums of as
/// many exponential ones. Its mean is 1/(1 − σ), σ = the root of σ = E exp(−(1 − σ)·gap) below one.
pub fn round_robin_mean(load: f64, replicas: i32) -> f64 {
    let mut sigma = 0.0;
    for _ in 0..10_000 {
        sigma = (load / (load + 1.0 - sigma)).powi(replicas);
    }
    1.0 / (1.0 - sigma)
}

#[test]
fn what_theory_knows_agrees_with_itself() {
    let close = |a: f64, b: f64| assert!((a / b - 1.0).abs() < 1e-9, "{a} {b}");
    close(erlang_c_mean(0.6, 1), 2.5);
    // M/M/2: 1/(1 − ρ²), ρ the load of each.
    close(erlang_c_mean(1.2, 2), 1.0 / (1.0 - 0.36));
    close(round_robin_mean(0.6, 1), 2.5);
    // Vectors q-0638 and q-0734.
    close(round_robin_mean(1.0, 2), 1.618_033_988_749_895);
    close(round_robin_mean(2.0, 4), 1.432_523_324_276_42);
    close(largest(1.0, 2.5, |load| 1.0 / (1.0 - load)), 0.6);
}
