//! Digests: of a run, of which equal ones mean that the same things happened at the same times, and
//! of texts.

/// Two sums of hashes: of facts in order, and of facts in any order.
///
/// Servers are advanced one after the other between control events, so the order in which their
/// completions are told is an order of work, not of time; those are summed so that only what
/// happened counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Digest {
    ordered: u64,
    unordered: u64,
}

impl Digest {
    /// Adds a fact whose place in the sequence matters.
    pub fn in_order(&mut self, at: u64, tag: u64, subject: u64) {
        self.ordered = mix(self.ordered ^ mix(at ^ mix(tag ^ subject.rotate_left(32))));
    }

    /// Adds a fact whose place does not matter.
    #[inline(always)]
    pub fn in_any_order(&mut self, at: u64, subject: u64) {
        let hash = (at ^ subject.rotate_left(32)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.unordered = self.unordered.wrapping_add(hash ^ (hash >> 29));
    }

    /// The digest so far.
    pub fn value(&self) -> u64 {
        mix(self.ordered ^ mix(self.unordered))
    }
}

/// The 64-bit FNV-1a hash (Fowler, Noll and Vo): tells texts apart, is no protection against
/// forgery.
pub fn fnv_1a(bytes: &[u8]) -> u64 {
    let step = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, step)
}

fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 32)).wrapping_mul(0xd6e8_feb8_6659_fd93);
    z = (z ^ (z >> 32)).wrapping_mul(0xd6e8_feb8_6659_fd93);
    z ^ (z >> 32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_have_their_published_digests() {
        assert_eq!(fnv_1a(b""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(fnv_1a(b"foobar"), 0x8594_4171_f739_67e8);
    }

    #[test]
    fn order_counts_only_where_it_should() {
        let of = |facts: &[(u64, u64)], ordered: bool| {
            let mut digest = Digest::default();
            for (at, subject) in facts {
                if ordered {
                    digest.in_order(*at, 1, *subject)
                } else {
                    digest.in_any_order(*at, *subject)
                }
            }
            digest.value()
        };
        let (one, two) = ([(1, 2), (3, 4)], [(3, 4), (1, 2)]);
        assert_ne!(of(&one, true), of(&two, true));
        assert_eq!(of(&one, false), of(&two, false));
        assert_ne!(of(&one, false), of(&[(1, 2), (3, 5)], false));
    }
}
