//! The journey from outside: ordinary journeys step by step, and every short one whatever it is.
//! (`cfg(test)` tells clippy what it is looking at.)

#[cfg(test)]
mod exhaustive;
#[cfg(test)]
mod journeys;
#[cfg(test)]
mod longer;
#[cfg(test)]
mod model;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod stored;
#[cfg(test)]
mod world;
