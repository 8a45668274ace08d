//! The compression function G (RFC 9106, section 3.5), written once for vectors of any width.
//!
//! A vector is a row of 128-bit lanes. A lane holds two neighbouring words of a round, so that a round
//! of P is eight lanes, and a vector of several lanes carries as many rounds side by side.

use super::{
    block::Block,
    fill::{REFERENCES, Segment},
};

/// A vector of 64-bit words, whose lanes of two belong to different rounds.
pub(super) trait Vector: Copy {
    /// How many lanes it has: 1, 2 or 4.
    const LANES: usize;

    /// The words from `at`, a multiple of the vector's length.
    fn load(block: &Block, at: usize) -> Self;
    fn store(self, block: &mut Block, at: usize);
    fn xor(self, other: Self) -> Self;
    /// `self + other + 2 · low(self) · low(other)`, `low` being the lower 32 bits.
    fn blend(self, other: Self) -> Self;
    fn rotate_32(self) -> Self;
    fn rotate_24(self) -> Self;
    fn rotate_16(self) -> Self;
    fn rotate_63(self) -> Self;
    /// In each lane the second word of this and the first of the other.
    fn shift_in(self, other: Self) -> Self;
    /// The eight vectors of `LANES` rows as one vector for each place of a round.
    fn gather(rows: [Self; 8]) -> [Self; 8];
    /// Back from there.
    fn scatter(places: [Self; 8]) -> [Self; 8];
    /// Brings a block nearer that will soon be read.
    fn prefetch(block: *const Block);
}

type Pair<V> = [V; 2];

#[inline(always)]
fn both<V: Vector>(left: Pair<V>, right: Pair<V>, f: impl Fn(V, V) -> V) -> Pair<V> {
    [f(left[0], right[0]), f(left[1], right[1])]
}

/// GB on four words each (section 3.6).
#[inline(always)]
fn quarter<V: Vector>(a: &mut Pair<V>, b: &mut Pair<V>, c: &mut Pair<V>, d: &mut Pair<V>) {
    *a = both(*a, *b, V::blend);
    *d = both(*d, *a, |d, a| d.xor(a).rotate_32());
    *c = both(*c, *d, V::blend);
    *b = both(*b, *c, |b, c| b.xor(c).rotate_24());
    *a = both(*a, *b, V::blend);
    *d = both(*d, *a, |d, a| d.xor(a).rotate_16());
    *c = both(*c, *d, V::blend);
    *b = both(*b, *c, |b, c| b.xor(c).rotate_63());
}

/// P (section 3.6): the columns of the 4 × 4 matrix, then its diagonals.
#[inline(always)]
fn permute<V: Vector>(v: [V; 8]) -> [V; 8] {
    let [a0, a1, b0, b1, c0, c1, d0, d1] = v;
    let (mut a, mut b, mut c, mut d) = ([a0, a1], [b0, b1], [c0, c1], [d0, d1]);
    quarter(&mut a, &mut b, &mut c, &mut d);
    let [b0, b1] = b;
    let [c0, c1] = c;
    let [d0, d1] = d;
    let (mut b, mut c) = ([b0.shift_in(b1), b1.shift_in(b0)], [c1, c0]);
    let mut d = [d1.shift_in(d0), d0.shift_in(d1)];
    quarter(&mut a, &mut b, &mut c, &mut d);
    let ([a0, a1], [b0, b1], [c1, c0], [d0, d1]) = (a, b, c, d);
    [a0, a1, b1.shift_in(b0), b0.shift_in(b1), c0, c1, d0.shift_in(d1), d1.shift_in(d0)]
}

/// Eight vectors of a block, `stride` words apart. (No closure: one would be compiled without the
/// instructions of its caller.)
#[inline(always)]
fn load<V: Vector>(block: &Block, at: usize, stride: usize) -> [V; 8] {
    [
        V::load(block, at),
        V::load(block, at + stride),
        V::load(block, at + 2 * stride),
        V::load(block, at + 3 * stride),
        V::load(block, at + 4 * stride),
        V::load(block, at + 5 * stride),
        V::load(block, at + 6 * stride),
        V::load(block, at + 7 * stride),
    ]
}

#[inline(always)]
fn store<V: Vector>(v: [V; 8], block: &mut Block, at: usize, stride: usize) {
    v[0].store(block, at);
    v[1].store(block, at + stride);
    v[2].store(block, at + 2 * stride);
    v[3].store(block, at + 3 * stride);
    v[4].store(block, at + 4 * stride);
    v[5].store(block, at + 5 * stride);
    v[6].store(block, at + 6 * stride);
    v[7].store(block, at + 7 * stride);
}

#[inline(always)]
fn xor<V: Vector>(v: [V; 8], w: [V; 8]) -> [V; 8] {
    [
        v[0].xor(w[0]),
        v[1].xor(w[1]),
        v[2].xor(w[2]),
        v[3].xor(w[3]),
        v[4].xor(w[4]),
        v[5].xor(w[5]),
        v[6].xor(w[6]),
        v[7].xor(w[7]),
    ]
}

/// G: mixes two blocks into `current`, added to what is there or not. The first word is known before the
/// rest, and `early` is told it then. `rows` is room for what is between.
#[inline(always)]
pub(super) fn compress<V: Vector>(
    (previous, reference): (&Block, &Block),
    (current, rows): (&mut Block, &mut Block),
    adds: bool,
    early: impl FnOnce(u64),
) {
    for row in (0..8).step_by(V::LANES) {
        let (at, stride) = (16 * row, 2 * V::LANES);
        let mixed = xor(load::<V>(previous, at, stride), load(reference, at, stride));
        store(V::scatter(permute(V::gather(mixed))), rows, at, stride);
    }
    columns::<V>((previous, reference), (current, rows), adds, 0);
    early(current.0[0]);
    for column in (V::LANES..8).step_by(V::LANES) {
        columns::<V>((previous, reference), (current, rows), adds, column);
    }
}

/// The last half of G for the columns that fit into a vector.
#[inline(always)]
fn columns<V: Vector>(
    (previous, reference): (&Block, &Block),
    (current, rows): (&mut Block, &Block),
    adds: bool,
    column: usize,
) {
    let (at, stride) = (2 * column, 16);
    let mixed = xor(load::<V>(previous, at, stride), load(reference, at, stride));
    let mixed = xor(permute(load(rows, at, stride)), mixed);
    let mixed = if adds { xor(mixed, load(current, at, stride)) } else { mixed };
    store(mixed, current, at, stride);
}

/// Fills a segment.
#[inline(always)]
pub(super) fn fill<V: Vector>(segment: &Segment, arena: &mut [Block]) {
    match segment.is_independent() {
        true => fill_independent::<V>(segment, arena),
        false => fill_dependent::<V>(segment, arena),
    }
}

/// Each block says which is the next to be mixed in (section 3.4.1.1). The word that says it is known
/// early, and the block is on its way while the rest is computed.
#[inline(always)]
fn fill_dependent<V: Vector>(segment: &Segment, arena: &mut [Block]) {
    let indices = segment.indices();
    let (start, mut rows) = (arena.as_ptr(), Block::ZERO);
    let mut word = arena[segment.step(indices.start).previous].0[0];
    let mut next = segment.reference(indices.start, word);
    for index in indices {
        let reference = next;
        mix::<V>(segment, (arena, &mut rows), (index, reference), |first| {
            word = first;
            next = segment.reference(index + 1, word);
            V::prefetch(start.wrapping_add(next));
        });
    }
}

/// A counter says which blocks are mixed in (section 3.4.1.2).
#[inline(always)]
fn fill_independent<V: Vector>(segment: &Segment, arena: &mut [Block]) {
    let (start, mut rows) = (arena.as_ptr(), Block::ZERO);
    let mut words = Block::ZERO;
    for index in segment.indices() {
        let at = index % REFERENCES;
        if at == 0 || index == segment.indices().start {
            let counted = segment.counted(u64::from(index / REFERENCES) + 1);
            let mut once = Block::ZERO;
            compress::<V>((&Block::ZERO, &counted), (&mut once, &mut rows), false, |_| ());
            compress::<V>((&Block::ZERO, &once), (&mut words, &mut rows), false, |_| ());
        }
        let reference = segment.reference(index, words.0[at as usize]);
        let following = words.0.get(at as usize + 1).copied();
        mix::<V>(segment, (arena, &mut rows), (index, reference), |_| {
            if let Some(word) = following {
                V::prefetch(start.wrapping_add(segment.reference(index + 1, word)));
            }
        });
    }
}

/// Makes the block at `index` from the one before it and the one referred to: three different ones, since
/// a block refers neither to the one before it nor to itself (section 3.4.2).
#[inline(always)]
fn mix<V: Vector>(
    segment: &Segment,
    (arena, rows): (&mut [Block], &mut Block),
    (index, reference): (u32, usize),
    early: impl FnOnce(u64),
) {
    let step = segment.step(index);
    let disjoint = arena.get_disjoint_mut([step.previous, reference, step.current]);
    if let Ok([previous, reference, current]) = disjoint {
        compress::<V>((previous, reference), (current, rows), segment.adds(), early);
    }
}
