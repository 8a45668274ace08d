//! Randomness, passed in where it is needed.

use aws_lc_rs::rand::{SecureRandom, SystemRandom};

/// A source of random bytes fit for secrets.
pub trait Rng: Send + Sync + 'static {
    /// Fills `out` with random bytes.
    fn fill(&self, out: &mut [u8]);
}

/// The operating system's generator, through aws-lc.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemRng;

impl Rng for SystemRng {
    #[expect(clippy::disallowed_methods, reason = "the one place where randomness enters")]
    #[expect(
        clippy::expect_used,
        reason = "without randomness nothing may go on: no answer is better than a guessable secret"
    )]
    fn fill(&self, out: &mut [u8]) {
        SystemRandom::new().fill(out).expect("the operating system gives randomness");
    }
}
