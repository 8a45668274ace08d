//! The crate from outside: vectors that others made, attacks, and properties. (`cfg(test)` tells clippy what it is looking at.)

#[cfg(test)]
mod abuse;
#[cfg(test)]
mod keys;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod support;
#[cfg(test)]
mod vectors;
