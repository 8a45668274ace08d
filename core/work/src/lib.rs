//! Work that is not a request's own: password hashing on a bounded pool, admission by network,
//! application and tenant, the hand-over of mails, requests to others, and the jobs in the
//! background.
//!
//! Nothing here serves HTTP or decides about people. What may not be lost lies in the store; what
//! lies in memory (buckets, the hashing queue) may be lost at any moment.

pub mod admission;
pub mod hashing;
pub mod jobs;
pub mod mail;
pub mod outbound;
#[cfg(test)]
mod testing;

pub use admission::{Admission, Limit, Limits, Rate, Subject};
pub use hashing::{AccountSlot, AccountSlots, Caller, HashPool, HashSettings, Priority};
pub use jobs::Jobs;
pub use mail::{Caught, MailSignal, Mailbox, Message, Security, Smtp, SmtpSettings, Transport, Worker};
