//! Named, counted randomness.
//!
//! A [`Stream`] is a 256-bit key. Naming a child derives a new key from it; asking for replicate `b` gives a generator
//! that is keyed by the stream and positioned by `b`. So a draw depends on the master seed, on its name and on its
//! number, and on nothing else: thread count, order of contrasts or an added benchmark change no number. Seeds are
//! never made by arithmetic on other seeds (`seed + constant·b` makes streams that are shifts of each other).
//!
//! Keys are derived with ChaCha itself, used as a pseudo-random function in a cascade (Goldreich, Goldwasser & Micali
//! 1986): a name is absorbed as its length and then as 8-byte little-endian words, which makes the encoding
//! prefix-free; each word becomes the 64-bit stream number of ChaCha20 under the current key, and the next key is the
//! first 32 bytes at a block position that replicates never reach. Replicates use ChaCha8 at block 0.
//!
//! Not for cryptography: the seed is public.

use rand_chacha::rand_core::{Rng, SeedableRng};
use rand_chacha::{ChaCha8Rng, ChaCha20Rng};

/// Position, in 32-bit words, of the blocks that keys are derived from: block 2⁶², far above any replicate's draws.
const KEY_POSITION: u128 = 1 << 66;

/// Domain label of the root key.
const DOMAIN: &[u8; 24] = b"quantbias stream root v1";

/// A named source of randomness.
#[derive(Clone, PartialEq, Eq)]
pub struct Stream {
    key: [u8; 32],
}

impl std::fmt::Debug for Stream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Stream({:02x}{:02x}{:02x}{:02x}…)", self.key[0], self.key[1], self.key[2], self.key[3])
    }
}

impl Stream {
    /// The stream of a master seed.
    pub fn root(seed: u64) -> Self {
        let mut key = [0; 32];
        key[..24].copy_from_slice(DOMAIN);
        key[24..].copy_from_slice(&seed.to_le_bytes());
        Self { key }.absorb(seed)
    }

    /// The stream of `name` below this one. Different paths of names give independent streams, and `child("ab")` is
    /// not `child("a").child("b")`.
    #[must_use]
    pub fn child(&self, name: &str) -> Self {
        let bytes = name.as_bytes();
        bytes.chunks(8).fold(self.absorb(bytes.len() as u64), |stream, chunk| {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            stream.absorb(u64::from_le_bytes(word))
        })
    }

    /// The generator of replicate (or block of draws) `b`.
    pub fn replicate(&self, b: u64) -> ChaCha8Rng {
        let mut rng = ChaCha8Rng::from_seed(self.key);
        rng.set_stream(b);
        rng
    }

    fn absorb(&self, word: u64) -> Self {
        let mut rng = ChaCha20Rng::from_seed(self.key);
        rng.set_stream(word);
        rng.set_word_pos(KEY_POSITION);
        let mut key = [0; 32];
        rng.fill_bytes(&mut key);
        Self { key }
    }
}

/// A number drawn uniformly from `0..n` (`n` > 0), without bias: multiply-shift with rejection (Lemire 2019).
pub(crate) fn below(rng: &mut ChaCha8Rng, n: u32) -> u32 {
    let threshold = n.wrapping_neg() % n;
    loop {
        let product = u64::from(rng.next_u32()) * u64::from(n);
        if product as u32 >= threshold {
            return (product >> 32) as u32;
        }
    }
}

/// The xoshiro256++ generator (Blackman & Vigna 2021), for the millions of small index draws of a bootstrap: about five
/// times as fast as ChaCha8. Its 256-bit state is taken from the replicate's ChaCha8 generator, so that replicates stay
/// independent of each other and of their order.
pub(crate) struct Fast([u64; 4]);

impl Fast {
    pub(crate) fn new(rng: &mut ChaCha8Rng) -> Self {
        let state = [rng.next_u64(), rng.next_u64(), rng.next_u64(), rng.next_u64()];
        // All zeros is the one state that does not move on.
        Self(if state == [0; 4] { [1, 2, 3, 4] } else { state })
    }

    #[inline]
    fn next(&mut self) -> u64 {
        let [a, b, c, d] = &mut self.0;
        let out = a.wrapping_add(*d).rotate_left(23).wrapping_add(*a);
        let shifted = *b << 17;
        *c ^= *a;
        *d ^= *b;
        *b ^= *c;
        *a ^= *d;
        *c ^= shifted;
        *d = d.rotate_left(45);
        out
    }

    /// A number drawn uniformly from `0..n` (`n` > 0), without bias.
    pub(crate) fn below(&mut self, n: u32) -> u32 {
        let threshold = n.wrapping_neg() % n;
        loop {
            let product = (self.next() >> 32) * u64::from(n);
            if product as u32 >= threshold {
                return (product >> 32) as u32;
            }
        }
    }

    /// A uniform 32-bit number.
    #[inline]
    pub(crate) fn word(&mut self) -> u32 {
        (self.next() >> 32) as u32
    }

    /// Draws `times` numbers from `0..n` (`n` > 0), without bias, and hands them to `take`: from 16-bit words where `n` is
    /// at most 2¹² (rejection then costs at most one draw in 16), from 32-bit words above.
    #[inline]
    pub(crate) fn each_below(&mut self, n: u32, times: usize, mut take: impl FnMut(usize)) {
        self.try_each_below(n, times, |k, hit| {
            if hit == 1 {
                take(k);
            }
        });
    }

    /// The same, and hands on with each number whether it counts (1) or was rejected (0): adding that is faster than
    /// asking.
    #[inline]
    pub(crate) fn try_each_below(&mut self, n: u32, times: usize, take: impl FnMut(usize, u8)) {
        if n <= 1 << 12 {
            self.each::<16>(n, times, take);
        } else {
            self.each::<32>(n, times, take);
        }
    }

    /// Multiply-shift with rejection (Lemire 2019) on words of `BITS` bits.
    #[inline]
    fn each<const BITS: u32>(&mut self, n: u32, times: usize, mut take: impl FnMut(usize, u8)) {
        let (at_once, mask) = (64 / BITS as usize, (1_u64 << BITS) - 1);
        let threshold = (1_u64 << BITS) % u64::from(n);
        let mut left = times;
        while left > 0 {
            let mut words = self.next();
            let all = left >= at_once;
            for _ in 0..at_once {
                let product = (words & mask) * u64::from(n);
                words >>= BITS;
                let hit = u8::from(product & mask >= threshold);
                take((product >> BITS) as usize, hit);
                left -= usize::from(hit);
                if !all && left == 0 {
                    return;
                }
            }
        }
    }
}

/// Replicates whose counts stand side by side. [`Lanes`] gives twice as many numbers at a time.
pub(crate) const WIDTH: usize = 64;

/// Generators of [`Lanes`].
const SIDE: usize = WIDTH / 2;

/// [`Fast`] 32 times side by side, so that a compiler can use vector instructions; each has its own state from the
/// replicate's ChaCha8 generator. All lanes move on together: values depend on no processor.
pub(crate) struct Lanes([[u64; SIDE]; 4]);

impl Lanes {
    pub(crate) fn new(rng: &mut ChaCha8Rng) -> Self {
        let mut state = [[0; SIDE]; 4];
        for lane in 0..SIDE {
            for (word, value) in state.iter_mut().zip(Fast::new(rng).0) {
                word[lane] = value;
            }
        }
        Self(state)
    }

    /// The next 16-bit numbers: four of each lane, the lowest first, lane after lane.
    #[inline]
    pub(crate) fn next(&mut self) -> [u16; 2 * WIDTH] {
        let mut bytes = [0; 4 * WIDTH];
        let [a, b, c, d] = &mut self.0;
        for lane in 0..SIDE {
            let mut fast = Fast([a[lane], b[lane], c[lane], d[lane]]);
            let word = fast.next().to_le_bytes();
            [a[lane], b[lane], c[lane], d[lane]] = fast.0;
            for i in 0..8 {
                bytes[8 * lane + i] = word[i];
            }
        }
        let mut out = [0; 2 * WIDTH];
        for i in 0..2 * WIDTH {
            out[i] = u16::from_le_bytes([bytes[2 * i], bytes[2 * i + 1]]);
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::{Fast, Lanes, WIDTH};

    #[test]
    fn fast_is_xoshiro256_plus_plus() {
        // The reference implementation from state (1, 2, 3, 4).
        let mut fast = Fast([1, 2, 3, 4]);
        let found: Vec<u64> = (0..4).map(|_| fast.next()).collect();
        assert_eq!(found, [41_943_041, 58_720_359, 3_588_806_011_781_223, 3_591_011_842_654_386]);
    }

    #[test]
    fn lanes_are_the_same_generator_side_by_side() {
        let mut lanes = Lanes(std::array::from_fn(|word| std::array::from_fn(|lane| (word * 100 + lane + 1) as u64)));
        let mut alone: Vec<Fast> = (0..WIDTH as u64 / 2).map(|l| Fast([l + 1, l + 101, l + 201, l + 301])).collect();
        for _ in 0..5 {
            let found = lanes.next();
            let words = alone.iter_mut().map(Fast::next);
            let expected: Vec<u16> = words.flat_map(|w| [w, w >> 16, w >> 32, w >> 48]).map(|w| w as u16).collect();
            assert_eq!(found.as_slice(), expected);
        }
    }

    #[test]
    fn draws_below_are_uniform() {
        // 2¹⁶ is no multiple of 3,000: without rejection the statistic would be ten standard deviations off.
        for n in [3_u32, 100, 3000, 5000] {
            let mut fast = Fast([1, 2, 3, 4]);
            let mut counts = vec![0.0; n as usize];
            let times = 400 * n as usize;
            fast.each_below(n, times, |k| counts[k] += 1.0);
            let chi2: f64 = counts.iter().map(|c| (c - 400.0_f64).powi(2) / 400.0).sum();
            let df = f64::from(n) - 1.0;
            assert!((chi2 - df).abs() < 5.0 * (2.0 * df).sqrt(), "{n}: {chi2}");
        }
    }
}
