//! The two things that every capability takes from outside: the time and randomness.

use crate::{
    id::Id,
    rng::{Rng, SystemRng},
    time::{Clock, SystemClock, Time},
};
use std::sync::Arc;

/// Clock and randomness, cheap to clone.
#[derive(Clone)]
pub struct Env {
    clock: Arc<dyn Clock>,
    rng: Arc<dyn Rng>,
}

impl Env {
    /// The machine's clock and the operating system's randomness.
    pub fn system() -> Self {
        Self::new(Arc::new(SystemClock), Arc::new(SystemRng))
    }

    /// With this clock and this source.
    pub fn new(clock: Arc<dyn Clock>, rng: Arc<dyn Rng>) -> Self {
        Self { clock, rng }
    }

    /// The present moment.
    pub fn now(&self) -> Time {
        self.clock.now()
    }

    /// The source of randomness.
    pub fn rng(&self) -> &dyn Rng {
        &*self.rng
    }

    /// A fresh id.
    pub fn id<T>(&self) -> Id<T> {
        Id::new(self.now(), self.rng())
    }

    /// Fresh random bytes.
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.rng.fill(&mut bytes);
        bytes
    }

    /// A six-digit one-time code, each of the million equally likely.
    pub fn six_digits(&self) -> String {
        // 4,294,000,000 is the largest multiple of a million below 2^32.
        loop {
            let number = u32::from_be_bytes(self.bytes());
            if number < 4_294_000_000 {
                return format!("{:06}", number % 1_000_000);
            }
        }
    }
}
