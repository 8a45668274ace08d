//! Which blocks are mixed, in which order (RFC 9106, section 3.4).

use super::{
    block::{Block, WORDS},
    simd::Path,
};
use crate::phc::Params;

/// Synchronisation points of a pass.
const SLICES: u32 = 4;
/// Argon2id.
const TYPE: u64 = 2;

/// How the memory is divided: lanes of four segments.
#[derive(Clone, Copy)]
pub(super) struct Layout {
    lanes: u32,
    segment: u32,
}

impl Layout {
    pub(super) const fn of(params: Params) -> Self {
        Self { lanes: params.p(), segment: params.m_kib() / (SLICES * params.p()) }
    }

    /// The blocks of a lane.
    pub(super) const fn lane(self) -> u32 {
        SLICES * self.segment
    }

    /// The blocks of all lanes.
    pub(super) const fn blocks(self) -> usize {
        self.lane() as usize * self.lanes as usize
    }

    const fn index(self, lane: u32, column: u32) -> usize {
        lane as usize * self.lane() as usize + column as usize
    }

    pub(super) fn at(self, arena: &mut [Block], lane: u32, column: u32) -> &mut Block {
        &mut arena[self.index(lane, column)]
    }
}

/// Fills the arena, whose first two blocks of each lane are there.
pub(super) fn fill(path: Path, params: Params, arena: &mut [Block]) {
    let layout = Layout::of(params);
    for pass in 0..params.t() {
        for slice in 0..SLICES {
            for lane in 0..params.p() {
                path.fill(&Segment { layout, passes: params.t(), pass, slice, lane }, arena);
            }
        }
    }
}

/// The part of a lane between two synchronisation points.
pub(super) struct Segment {
    layout: Layout,
    passes: u32,
    pass: u32,
    slice: u32,
    lane: u32,
}

/// Where a block of the segment stands, and what it is mixed from.
pub(super) struct Step {
    pub(super) previous: usize,
    pub(super) current: usize,
}

impl Segment {
    /// The blocks to be made: the first two of a lane are there.
    pub(super) fn indices(&self) -> std::ops::Range<u32> {
        let first = if self.pass == 0 && self.slice == 0 { 2 } else { 0 };
        first..self.layout.segment
    }

    /// Whether the blocks are mixed with what they hold (version 1.3).
    pub(super) fn adds(&self) -> bool {
        self.pass > 0
    }

    /// Whether the references come from a counter and not from the memory: the first half of the first
    /// pass.
    pub(super) fn is_independent(&self) -> bool {
        self.pass == 0 && self.slice < SLICES / 2
    }

    pub(super) fn step(&self, index: u32) -> Step {
        let column = self.slice * self.layout.segment + index;
        let before = if column == 0 { self.layout.lane() } else { column } - 1;
        Step { previous: self.layout.index(self.lane, before), current: self.layout.index(self.lane, column) }
    }

    /// The block that a pseudo-random word refers to (sections 3.4.1.3 and 3.4.2).
    #[inline(always)]
    #[expect(clippy::cast_possible_truncation, reason = "the halves of a word, and fractions below a length")]
    pub(super) fn reference(&self, index: u32, word: u64) -> usize {
        let Layout { lanes, segment } = self.layout;
        let lane = match (self.pass, self.slice) {
            _ if lanes == 1 => 0,
            (0, 0) => self.lane,
            _ => (word >> 32) as u32 % lanes,
        };
        let finished = if self.pass == 0 { self.slice } else { SLICES - 1 } * segment;
        let area = match lane == self.lane {
            true => finished + index - 1,
            false => finished - u32::from(index == 0),
        };
        let near = u64::from(word as u32);
        let back = (u64::from(area) * ((near * near) >> 32)) >> 32;
        let first = if self.pass == 0 || self.slice == SLICES - 1 { 0 } else { (self.slice + 1) * segment };
        let mut column = first + area - 1 - back as u32;
        if column >= self.layout.lane() {
            column -= self.layout.lane();
        }
        self.layout.index(lane, column)
    }

    /// What the pseudo-random words of an independent segment are made from: `counter` from 1 (section
    /// 3.4.1.2).
    pub(super) fn counted(&self, counter: u64) -> Block {
        let mut block = Block::ZERO;
        let fields = [
            u64::from(self.pass),
            u64::from(self.lane),
            u64::from(self.slice),
            self.layout.blocks() as u64,
            u64::from(self.passes),
            TYPE,
            counter,
        ];
        block.0[..fields.len()].copy_from_slice(&fields);
        block
    }
}

/// How many words a block of references has.
pub(super) const REFERENCES: u32 = WORDS as u32;
