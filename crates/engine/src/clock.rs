//! The time, handed in: the machine's own, or one that a test moves.

use domain::{Date, Instant};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

/// Where every "now" comes from. Cheap to clone; clones of a test clock move together.
#[derive(Clone, Debug, Default)]
pub struct Clock {
    /// Microseconds since 1970 for a test; `None` is the machine's clock.
    set: Option<Arc<AtomicI64>>,
}

impl Clock {
    /// The machine's clock.
    pub fn real() -> Self {
        Self { set: None }
    }

    /// A clock that stands still until it is moved.
    pub fn at(start: Instant) -> Self {
        Self { set: Some(Arc::new(AtomicI64::new(start.timestamp_micros()))) }
    }

    /// Now, in UTC, truncated to microseconds so that SQLite and PostgreSQL keep the same moment.
    pub fn now(&self) -> Instant {
        #[expect(clippy::disallowed_methods, reason = "this is the one place where the machine's clock is read")]
        let micros = match &self.set {
            Some(set) => set.load(Ordering::SeqCst),
            None => chrono::Utc::now().timestamp_micros(),
        };
        Instant::from_timestamp_micros(micros).unwrap_or_default()
    }

    /// Today, in UTC.
    pub fn today(&self) -> Date {
        self.now().date_naive()
    }

    /// Moves a test's clock on; the machine's clock does not move for anyone.
    pub fn advance(&self, by: chrono::Duration) {
        if let Some(set) = &self.set {
            set.fetch_add(by.num_microseconds().unwrap_or_default(), Ordering::SeqCst);
        }
    }

    /// Sets a test's clock.
    pub fn set(&self, to: Instant) {
        if let Some(set) = &self.set {
            set.store(to.timestamp_micros(), Ordering::SeqCst);
        }
    }
}
