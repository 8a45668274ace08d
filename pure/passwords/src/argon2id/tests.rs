//! Every path that this machine has, against the RFC's vector and against the `argon2` crate.

use super::{
    Block, Input, Path,
    block::WORDS,
    blocks, derive,
    fill::fill,
    round::{Vector, compress},
};
use crate::Params;
use argon2::{Algorithm, Argon2, AssociatedData, ParamsBuilder, Version};
use proptest::{
    prelude::*,
    test_runner::{Config, TestRunner},
};

/// How many random inputs each path is given.
const CASES: u32 = 10_000;

fn paths() -> impl Iterator<Item = Path> {
    Path::ALL.into_iter().filter(|path| path.is_available())
}

fn ours(path: Path, params: Params, input: Input<'_>, length: usize) -> Vec<u8> {
    let mut arena = vec![Block([0x5a5a_5a5a_5a5a_5a5a; 128]); blocks(params) + 1];
    let mut output = vec![0; length];
    derive(path, params, &mut arena, input, &mut output);
    output
}

fn theirs(params: Params, input: Input<'_>, length: usize) -> Vec<u8> {
    let mut cost = ParamsBuilder::new();
    cost.m_cost(params.m_kib()).t_cost(params.t()).p_cost(params.p()).output_len(length);
    cost.data(AssociatedData::new(input.data).unwrap());
    let argon2 =
        Argon2::new_with_secret(input.secret, Algorithm::Argon2id, Version::V0x13, cost.build().unwrap());
    let mut output = vec![0; length];
    argon2.unwrap().hash_password_into(input.password, input.salt, &mut output).unwrap();
    output
}

/// RFC 9106, section 5.3.
#[test]
#[cfg_attr(miri, ignore = "twelve lanes to fill and 300 blocks to hash take Miri minutes")]
fn every_path_gives_the_vector_of_the_rfc() {
    let input = Input { password: &[1; 32], salt: &[2; 16], secret: &[3; 8], data: &[4; 12] };
    let expected = [
        0x0d, 0x64, 0x0d, 0xf5, 0x8d, 0x78, 0x76, 0x6c, 0x08, 0xc0, 0x37, 0xa3, 0x4a, 0x8b, 0x53, 0xc9, 0xd0,
        0x1e, 0xf0, 0x45, 0x2d, 0x75, 0xb6, 0x5e, 0xb5, 0x25, 0x20, 0xe9, 0x6b, 0x01, 0xe6, 0x59,
    ];
    for path in paths() {
        let output = ours(path, Params::new(32, 3, 4).unwrap(), input, 32);
        assert_eq!(output, expected, "{path:?}");
    }
}

/// Costs, lengths and texts at random; memory small and sometimes large enough for several blocks of
/// references in a segment.
#[test]
#[cfg_attr(miri, ignore = "ten thousand inputs; Miri has the smallest costs below")]
fn every_path_equals_the_crate() {
    let bytes = |most| prop::collection::vec(any::<u8>(), 0..=most);
    let lengths = prop_oneof![4usize..=64, 65usize..=300];
    let inputs = (bytes(200), prop::collection::vec(any::<u8>(), 8..=48), bytes(40), bytes(32), lengths);
    let memory = prop_oneof![40 => 8u32..=96, 4 => 97u32..=700, 1 => 1_000u32..=2_500];
    let costs = (1u32..=4, memory, prop_oneof![3 => 1u32..=2, 1 => 3u32..=4])
        .prop_map(|(p, m, t)| Params::new(m.max(8 * p), t, p).unwrap());
    let config = Config { cases: CASES, failure_persistence: None, ..Config::default() };
    let run = TestRunner::new(config).run(&(costs, inputs), |(params, input)| {
        let (password, salt, secret, data, length) = &input;
        let input = Input { password, salt, secret, data };
        let expected = theirs(params, input, *length);
        for path in paths() {
            prop_assert_eq!(ours(path, params, input, *length), expected.clone(), "{:?} {:?}", path, params);
        }
        Ok(())
    });
    run.unwrap();
}

/// The smallest memory in one lane and two, fresh and passed over twice: each branch of the filling, and
/// little enough for Miri, which looks at every access of it. The hashes around it are safe code of another
/// crate and left out. The line that is printed tells `check.sh` which paths were there.
#[test]
fn every_path_fills_small_memory_alike() {
    let word = |n: usize| (n as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29);
    for (m_kib, passes, lanes) in [(8, 1, 1), (16, 2, 1), (16, 1, 2), (16, 2, 2)] {
        let params = Params::new(m_kib, passes, lanes).unwrap();
        let filled = |path| {
            let mut arena: Vec<Block> =
                (0..blocks(params)).map(|at| Block(std::array::from_fn(|n| word(at * WORDS + n)))).collect();
            fill(path, params, &mut arena);
            arena.into_iter().flat_map(|block| block.0).collect::<Vec<u64>>()
        };
        let expected = filled(Path::Portable);
        for path in paths().filter(|path| *path != Path::Portable) {
            assert!(filled(path) == expected, "{path:?} {params:?}");
        }
    }
    println!("paths: {}", paths().map(Path::name).collect::<Vec<_>>().join(" "));
}

/// A vector of any width, by the definition of its lanes.
#[derive(Clone, Copy)]
struct Lanes<const N: usize>([[u64; 2]; N]);

impl<const N: usize> Lanes<N> {
    fn each(self, other: Self, f: impl Fn([u64; 2], [u64; 2]) -> [u64; 2]) -> Self {
        Self(std::array::from_fn(|lane| f(self.0[lane], other.0[lane])))
    }
}

impl<const N: usize> Vector for Lanes<N> {
    const LANES: usize = N;

    fn load(block: &Block, at: usize) -> Self {
        Self(std::array::from_fn(|lane| Vector::load(block, at + 2 * lane)))
    }
    fn store(self, block: &mut Block, at: usize) {
        for (lane, pair) in self.0.into_iter().enumerate() {
            pair.store(block, at + 2 * lane);
        }
    }
    fn xor(self, other: Self) -> Self {
        self.each(other, Vector::xor)
    }
    fn blend(self, other: Self) -> Self {
        self.each(other, Vector::blend)
    }
    fn rotate_32(self) -> Self {
        Self(self.0.map(Vector::rotate_32))
    }
    fn rotate_24(self) -> Self {
        Self(self.0.map(Vector::rotate_24))
    }
    fn rotate_16(self) -> Self {
        Self(self.0.map(Vector::rotate_16))
    }
    fn rotate_63(self) -> Self {
        Self(self.0.map(Vector::rotate_63))
    }
    fn shift_in(self, other: Self) -> Self {
        self.each(other, Vector::shift_in)
    }
    fn gather(rows: [Self; 8]) -> [Self; 8] {
        let lane = |place: usize, row: usize| rows[row * 8 / N + place / N].0[place % N];
        std::array::from_fn(|place| Self(std::array::from_fn(|row| lane(place, row))))
    }
    fn scatter(places: [Self; 8]) -> [Self; 8] {
        let lane = |at: usize, lane: usize| places[at % (8 / N) * N + lane].0[at / (8 / N)];
        std::array::from_fn(|at| Self(std::array::from_fn(|n| lane(at, n))))
    }
    fn prefetch(_: *const Block) {}
}

/// The width changes nothing: what the processor here does not have is computed by definition.
#[test]
fn vectors_of_every_width_mix_alike() {
    let block = |seed: u64| {
        let word = |n: u64| (n + seed).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29);
        Block(std::array::from_fn(|n| word(n as u64)))
    };
    fn mixed<V: Vector>(blocks: [Block; 3], adds: bool) -> ([u64; WORDS], u64) {
        let [previous, reference, mut current] = blocks;
        let (mut rows, mut first) = (Block::ZERO, 0);
        compress::<V>((&previous, &reference), (&mut current, &mut rows), adds, |word| first = word);
        (current.0, first)
    }
    for adds in [false, true] {
        let blocks = [block(1), block(500), block(90_000)];
        let expected = mixed::<[u64; 2]>(blocks, adds);
        assert_eq!(expected.0[0], expected.1);
        assert_eq!(mixed::<Lanes<1>>(blocks, adds), expected);
        assert_eq!(mixed::<Lanes<2>>(blocks, adds), expected);
        assert_eq!(mixed::<Lanes<4>>(blocks, adds), expected);
    }
}
