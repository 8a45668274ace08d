//! The vectors of the processors. The only unsafe code of this crate, for four reasons: a function that
//! uses instructions which not every processor has is called only after asking whether this one has them
//! ([`Path::is_available`]); vectors are loaded and stored at places inside a block; a prefetch takes an
//! address that it does not read; the system is told that memory is worth large pages. The vectors of a
//! path are used by its own fill function alone, which is what their `SAFETY` rests on.
//!
//! `make memory` (`pure/passwords/check.sh`) checks this: Miri runs every path over small memory and looks at
//! bounds, alignment and borrow of each access; the address sanitizer and, for NEON, qemu run what was
//! compiled over large memory. Only the advice on large pages is not seen by Miri.
#![expect(unsafe_code, reason = "vector instructions, and advice to the system; see above")]

use super::{
    block::{Block, WORDS},
    fill::Segment,
    round::{self, Vector},
};

/// A way to compute, by the instructions that it needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Path {
    /// AVX-512 (F and BW), eight words at once.
    Avx512,
    /// AVX2, four words at once.
    Avx2,
    /// NEON, two words at once.
    Neon,
    /// Any processor.
    Portable,
}

impl Path {
    /// All of them, the fastest first.
    pub const ALL: [Self; 4] = [Self::Avx512, Self::Avx2, Self::Neon, Self::Portable];

    /// Whether this processor has what it needs.
    #[must_use]
    pub fn is_available(self) -> bool {
        self == Self::Portable || self.is_detected()
    }

    #[cfg(target_arch = "x86_64")]
    fn is_detected(self) -> bool {
        match self {
            Self::Avx512 => is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512bw"),
            Self::Avx2 => is_x86_feature_detected!("avx2"),
            Self::Neon | Self::Portable => false,
        }
    }

    #[cfg(target_arch = "aarch64")]
    fn is_detected(self) -> bool {
        self == Self::Neon && std::arch::is_aarch64_feature_detected!("neon")
    }

    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    const fn is_detected(self) -> bool {
        false
    }

    /// The fastest that this processor has.
    #[must_use]
    pub fn fastest() -> Self {
        Self::ALL.into_iter().find(|path| path.is_available()).unwrap_or(Self::Portable)
    }

    /// Its name for people.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Avx512 => "AVX-512",
            Self::Avx2 => "AVX2",
            Self::Neon => "NEON",
            Self::Portable => "portable",
        }
    }

    /// Fills a segment. What the processor does not have is done the portable way.
    pub(super) fn fill(self, segment: &Segment, arena: &mut [Block]) {
        match self {
            #[cfg(target_arch = "x86_64")]
            // SAFETY: the processor has been asked.
            Self::Avx512 if self.is_available() => unsafe { x86::fill_avx512(segment, arena) },
            #[cfg(target_arch = "x86_64")]
            // SAFETY: the processor has been asked.
            Self::Avx2 if self.is_available() => unsafe { x86::fill_avx2(segment, arena) },
            #[cfg(target_arch = "aarch64")]
            // SAFETY: the processor has been asked.
            Self::Neon if self.is_available() => unsafe { aarch64::fill_neon(segment, arena) },
            _ => round::fill::<[u64; 2]>(segment, arena),
        }
    }
}

/// Asks for large pages under memory that nobody has touched yet: references go anywhere in it, and
/// their addresses are found quicker. Only advice; where the system has none, nothing happens.
pub(crate) fn prefer_large_pages(memory: &mut [std::mem::MaybeUninit<Block>]) {
    #[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64"), not(miri)))]
    {
        /// `MADV_HUGEPAGE` of Linux.
        const HUGE_PAGE: i32 = 14;
        const PAGE: usize = 65_536;
        unsafe extern "C" {
            fn madvise(address: *mut std::ffi::c_void, length: usize, advice: i32) -> i32;
        }
        let range = memory.as_mut_ptr_range();
        let before = range.start.cast::<u8>().align_offset(PAGE);
        let length = size_of_val(memory).saturating_sub(before) / PAGE * PAGE;
        if length > 0 {
            let first = range.start.cast::<u8>().wrapping_add(before);
            // SAFETY: whole pages within memory that is ours; this advice changes nothing that they hold.
            let _ = unsafe { madvise(first.cast(), length, HUGE_PAGE) };
        }
    }
    #[cfg(not(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64"), not(miri))))]
    let _ = memory;
}

impl Vector for [u64; 2] {
    const LANES: usize = 1;

    #[inline(always)]
    fn load(block: &Block, at: usize) -> Self {
        [block.0[at], block.0[at + 1]]
    }

    #[inline(always)]
    fn store(self, block: &mut Block, at: usize) {
        [block.0[at], block.0[at + 1]] = self;
    }

    #[inline(always)]
    fn xor(self, other: Self) -> Self {
        [self[0] ^ other[0], self[1] ^ other[1]]
    }

    #[inline(always)]
    fn blend(self, other: Self) -> Self {
        let low = |word: u64| word & 0xffff_ffff;
        let one = |a: u64, b: u64| a.wrapping_add(b).wrapping_add((low(a) * low(b)) << 1);
        [one(self[0], other[0]), one(self[1], other[1])]
    }

    #[inline(always)]
    fn rotate_32(self) -> Self {
        self.map(|word| word.rotate_right(32))
    }

    #[inline(always)]
    fn rotate_24(self) -> Self {
        self.map(|word| word.rotate_right(24))
    }

    #[inline(always)]
    fn rotate_16(self) -> Self {
        self.map(|word| word.rotate_right(16))
    }

    #[inline(always)]
    fn rotate_63(self) -> Self {
        self.map(|word| word.rotate_right(63))
    }

    #[inline(always)]
    fn shift_in(self, other: Self) -> Self {
        [self[1], other[0]]
    }

    #[inline(always)]
    fn gather(rows: [Self; 8]) -> [Self; 8] {
        rows
    }

    #[inline(always)]
    fn scatter(places: [Self; 8]) -> [Self; 8] {
        places
    }

    #[inline(always)]
    fn prefetch(_: *const Block) {}
}

/// Operations of a vector, by the instructions of the path that alone uses it.
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
macro_rules! by_instructions {
    (of $words:literal words, load $load:path, store $store:path,
     $($name:ident($this:ident $(, $other:ident)?) $body:expr;)*) => {
        #[inline(always)]
        fn load(block: &Block, at: usize) -> Self {
            let at = at & (WORDS - $words);
            // SAFETY: the path has these instructions; so many words from there are inside the block,
            // on a boundary of as many.
            unsafe { $load(block.0.as_ptr().add(at).cast()) }
        }

        #[inline(always)]
        fn store(self, block: &mut Block, at: usize) {
            let at = at & (WORDS - $words);
            // SAFETY: as for loading.
            unsafe { $store(block.0.as_mut_ptr().add(at).cast(), self) };
        }

        $(#[inline(always)]
        fn $name($this $(, $other: Self)?) -> Self {
            // SAFETY: the path has these instructions.
            unsafe { $body }
        })*
    };
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::{Block, Segment, Vector, WORDS, round};
    use std::arch::x86_64::*;

    #[target_feature(enable = "avx2")]
    pub(super) fn fill_avx2(segment: &Segment, arena: &mut [Block]) {
        round::fill::<__m256i>(segment, arena);
    }

    #[target_feature(enable = "avx512f,avx512bw")]
    pub(super) fn fill_avx512(segment: &Segment, arena: &mut [Block]) {
        round::fill::<__m512i>(segment, arena);
    }

    /// All lines of the block.
    #[inline(always)]
    fn prefetch_lines(block: *const Block) {
        for line in 0..Block::BYTES / 64 {
            // SAFETY: a prefetch reads nothing, whatever the address.
            unsafe { _mm_prefetch::<_MM_HINT_T0>(block.cast::<i8>().wrapping_add(64 * line)) };
        }
    }

    /// Where the bytes of a lane come from when its two words turn right by this many bytes.
    const fn turned(bytes: i64) -> [i64; 2] {
        let each = 0x0101_0101_0101_0101;
        let first = (0x0706_0504_0302_0100 + each * bytes) & (each * 7);
        [first, first + each * 8]
    }

    impl Vector for __m256i {
        const LANES: usize = 2;

        by_instructions! {
            of 4 words, load _mm256_load_si256, store _mm256_store_si256,
            xor(self, other) _mm256_xor_si256(self, other);
            blend(self, other) {
                let product = _mm256_mul_epu32(self, other);
                _mm256_add_epi64(_mm256_add_epi64(self, other), _mm256_add_epi64(product, product))
            };
            rotate_32(self) _mm256_shuffle_epi32::<0b10_11_00_01>(self);
            rotate_24(self) {
                let [low, high] = const { turned(3) };
                _mm256_shuffle_epi8(self, _mm256_set_epi64x(high, low, high, low))
            };
            rotate_16(self) {
                let [low, high] = const { turned(2) };
                _mm256_shuffle_epi8(self, _mm256_set_epi64x(high, low, high, low))
            };
            rotate_63(self) _mm256_xor_si256(_mm256_srli_epi64::<63>(self), _mm256_add_epi64(self, self));
            shift_in(self, other) _mm256_alignr_epi8::<8>(other, self);
        }

        #[inline(always)]
        fn gather([a0, a1, a2, a3, b0, b1, b2, b3]: [Self; 8]) -> [Self; 8] {
            let [p0, p1] = halves(a0, b0);
            let [p2, p3] = halves(a1, b1);
            let [p4, p5] = halves(a2, b2);
            let [p6, p7] = halves(a3, b3);
            [p0, p1, p2, p3, p4, p5, p6, p7]
        }

        #[inline(always)]
        fn scatter([p0, p1, p2, p3, p4, p5, p6, p7]: [Self; 8]) -> [Self; 8] {
            let [a0, b0] = halves(p0, p1);
            let [a1, b1] = halves(p2, p3);
            let [a2, b2] = halves(p4, p5);
            let [a3, b3] = halves(p6, p7);
            [a0, a1, a2, a3, b0, b1, b2, b3]
        }

        #[inline(always)]
        fn prefetch(block: *const Block) {
            prefetch_lines(block);
        }
    }

    /// The lower lanes of both, and the upper lanes of both.
    #[inline(always)]
    fn halves(a: __m256i, b: __m256i) -> [__m256i; 2] {
        // SAFETY: the path has these instructions.
        unsafe { [_mm256_permute2x128_si256::<0x20>(a, b), _mm256_permute2x128_si256::<0x31>(a, b)] }
    }

    impl Vector for __m512i {
        const LANES: usize = 4;

        by_instructions! {
            of 8 words, load _mm512_load_si512, store _mm512_store_si512,
            xor(self, other) _mm512_xor_si512(self, other);
            blend(self, other) {
                let product = _mm512_mul_epu32(self, other);
                _mm512_add_epi64(_mm512_add_epi64(self, other), _mm512_add_epi64(product, product))
            };
            rotate_32(self) _mm512_ror_epi64::<32>(self);
            rotate_24(self) _mm512_ror_epi64::<24>(self);
            rotate_16(self) _mm512_ror_epi64::<16>(self);
            rotate_63(self) _mm512_ror_epi64::<63>(self);
            shift_in(self, other) _mm512_alignr_epi8::<8>(other, self);
        }

        #[inline(always)]
        fn gather([a0, a1, b0, b1, c0, c1, d0, d1]: [Self; 8]) -> [Self; 8] {
            let [p0, p1, p2, p3] = square([a0, b0, c0, d0]);
            let [p4, p5, p6, p7] = square([a1, b1, c1, d1]);
            [p0, p1, p2, p3, p4, p5, p6, p7]
        }

        #[inline(always)]
        fn scatter([p0, p1, p2, p3, p4, p5, p6, p7]: [Self; 8]) -> [Self; 8] {
            let [a0, b0, c0, d0] = square([p0, p1, p2, p3]);
            let [a1, b1, c1, d1] = square([p4, p5, p6, p7]);
            [a0, a1, b0, b1, c0, c1, d0, d1]
        }

        #[inline(always)]
        fn prefetch(block: *const Block) {
            prefetch_lines(block);
        }
    }

    /// A square of four times four lanes, its rows made columns.
    #[inline(always)]
    fn square([a, b, c, d]: [__m512i; 4]) -> [__m512i; 4] {
        // SAFETY: the path has these instructions.
        unsafe {
            let low = (_mm512_shuffle_i64x2::<0x44>(a, b), _mm512_shuffle_i64x2::<0x44>(c, d));
            let high = (_mm512_shuffle_i64x2::<0xee>(a, b), _mm512_shuffle_i64x2::<0xee>(c, d));
            [
                _mm512_shuffle_i64x2::<0x88>(low.0, low.1),
                _mm512_shuffle_i64x2::<0xdd>(low.0, low.1),
                _mm512_shuffle_i64x2::<0x88>(high.0, high.1),
                _mm512_shuffle_i64x2::<0xdd>(high.0, high.1),
            ]
        }
    }
}

#[cfg(target_arch = "aarch64")]
mod aarch64 {
    use super::{Block, Segment, Vector, WORDS, round};
    use std::arch::aarch64::*;

    #[target_feature(enable = "neon")]
    pub(super) fn fill_neon(segment: &Segment, arena: &mut [Block]) {
        round::fill::<uint64x2_t>(segment, arena);
    }

    impl Vector for uint64x2_t {
        const LANES: usize = 1;

        by_instructions! {
            of 2 words, load vld1q_u64, store vst1q_u64,
            xor(self, other) veorq_u64(self, other);
            blend(self, other) {
                let (low, other_low) = (vmovn_u64(self), vmovn_u64(other));
                vmlal_u32(vmlal_u32(vaddq_u64(self, other), low, other_low), low, other_low)
            };
            rotate_32(self) vreinterpretq_u64_u32(vrev64q_u32(vreinterpretq_u32_u64(self)));
            rotate_24(self) vsriq_n_u64::<24>(vshlq_n_u64::<40>(self), self);
            rotate_16(self) vsriq_n_u64::<16>(vshlq_n_u64::<48>(self), self);
            rotate_63(self) vsriq_n_u64::<63>(vaddq_u64(self, self), self);
            shift_in(self, other) vextq_u64::<1>(self, other);
        }

        #[inline(always)]
        fn gather(rows: [Self; 8]) -> [Self; 8] {
            rows
        }

        #[inline(always)]
        fn scatter(places: [Self; 8]) -> [Self; 8] {
            places
        }

        #[inline(always)]
        fn prefetch(_: *const Block) {}
    }
}
