//! Documents of others kept by URL (keys, metadata): fresh for as long as they say within bounds,
//! fetched once for all who wait, and asked for again at most every ten seconds, whoever presents
//! however many unknown keys. A failure is an answer too and is kept as long.

use super::{Limits, Outbound, OutboundError};
use base::{Clock, Time};
use bytes::Bytes;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tracing::Instrument as _;

pub(super) const MOST: usize = 1024;
const COOL_DOWN: Duration = Duration::from_secs(10);
const FRESH_AT_LEAST: Duration = Duration::from_secs(60);
const FRESH_USUALLY: Duration = Duration::from_secs(5 * 60);
/// No document is served when it is older, whatever it or its host says.
const OLDEST: Duration = Duration::from_secs(60 * 60);

/// A document that was fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// The document.
    pub body: Bytes,
    /// Its media type as sent.
    pub content_type: Option<String>,
    /// When it was fetched.
    pub fetched_at: Time,
}

/// The documents of others. A clone shares them.
#[derive(Clone)]
pub struct Documents {
    outbound: Outbound,
    clock: Arc<dyn Clock>,
    limits: Limits,
    kept: Arc<Mutex<Kept>>,
}

#[derive(Default)]
struct Kept {
    entries: HashMap<String, Entry>,
    uses: u64,
}

struct Entry {
    state: Arc<tokio::sync::Mutex<State>>,
    /// The number of its last use.
    used: u64,
}

/// What is known of one URL. Who holds the lock is the one that fetches.
#[derive(Default)]
struct State {
    document: Option<(Document, Duration)>,
    attempt: Option<(Time, Option<OutboundError>)>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Wish {
    Fresh,
    New,
}

impl Documents {
    /// An empty store that fetches through `outbound` within `limits`.
    pub fn new(outbound: Outbound, clock: Arc<dyn Clock>, limits: Limits) -> Self {
        Self { outbound, clock, limits, kept: Arc::default() }
    }

    /// The document at `url`, fetched if there is no fresh one. If that fails, the last one is
    /// good until it is an hour old, unless its host says that it is gone.
    ///
    /// # Errors
    /// As for [`Outbound::get`], and `Status` if the answer is not 200.
    pub async fn get(&self, url: &str) -> Result<Document, OutboundError> {
        self.ask(url, Wish::Fresh).await
    }

    /// The document at `url` as it is now, for who misses something in the one from
    /// [`get`](Self::get). Within ten seconds of the last fetch it is that one again.
    ///
    /// # Errors
    /// As for [`get`](Self::get).
    pub async fn refresh(&self, url: &str) -> Result<Document, OutboundError> {
        self.ask(url, Wish::New).await
    }

    /// How many URLs something is known of.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.kept.lock().unwrap().entries.len()
    }

    async fn ask(&self, url: &str, wish: Wish) -> Result<Document, OutboundError> {
        let mut state = self.state(url).lock_owned().await;
        if let Some(answer) = state.settled(wish, self.clock.now()) {
            return answer;
        }
        // In a task of its own: whoever asked may go, and those who wait still get the document.
        let (this, url) = (self.clone(), url.to_owned());
        let flight = async move {
            this.fetch(&mut state, &url).await;
            state.answer(this.clock.now())
        };
        tokio::spawn(flight.in_current_span()).await.unwrap_or(Err(OutboundError::Unreachable))
    }

    async fn fetch(&self, state: &mut State, url: &str) {
        let fetched = match self.outbound.get(url, self.limits).await {
            Ok(fetched) if fetched.status != 200 => Err(OutboundError::Status(fetched.status)),
            other => other,
        };
        let now = self.clock.now();
        state.attempt = Some((now, fetched.as_ref().err().copied()));
        match fetched {
            Ok(fetched) => {
                let fresh = fetched.max_age.unwrap_or(FRESH_USUALLY).clamp(FRESH_AT_LEAST, OLDEST);
                let (body, content_type) = (fetched.body, fetched.content_type);
                state.document = Some((Document { body, content_type, fetched_at: now }, fresh));
            }
            Err(OutboundError::Status(404 | 410)) => state.document = None,
            Err(_) => {}
        }
    }

    /// What is known of a URL; if too many are, the one that was not used for longest gives way.
    fn state(&self, url: &str) -> Arc<tokio::sync::Mutex<State>> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.uses += 1;
        let used = kept.uses;
        if let Some(entry) = kept.entries.get_mut(url) {
            entry.used = used;
            return Arc::clone(&entry.state);
        }
        if kept.entries.len() >= MOST {
            let oldest = kept.entries.iter().min_by_key(|(_, entry)| entry.used).map(|(url, _)| url.clone());
            oldest.and_then(|url| kept.entries.remove(&url));
        }
        let state = Arc::<tokio::sync::Mutex<State>>::default();
        kept.entries.insert(url.to_owned(), Entry { state: Arc::clone(&state), used });
        state
    }
}

impl State {
    /// The answer, if nothing has to be fetched for it.
    fn settled(&self, wish: Wish, now: Time) -> Option<Result<Document, OutboundError>> {
        let fresh =
            self.document.as_ref().filter(|(document, fresh)| within(document.fetched_at, *fresh, now));
        let cooling = self.attempt.is_some_and(|(at, _)| within(at, COOL_DOWN, now));
        (cooling || (wish == Wish::Fresh && fresh.is_some())).then(|| self.answer(now))
    }

    fn answer(&self, now: Time) -> Result<Document, OutboundError> {
        match &self.document {
            Some((document, _)) if within(document.fetched_at, OLDEST, now) => Ok(document.clone()),
            _ => Err(self.attempt.and_then(|(_, failure)| failure).unwrap_or(OutboundError::Unreachable)),
        }
    }
}

/// Whether `now` lies in the span from `at`; not if the clock was set back before it.
pub(super) fn within(at: Time, span: Duration, now: Time) -> bool {
    at <= now && now.since(at) < span
}
