//! The live feed: every record as it becomes readable. A reader that is too slow loses events and is told how many;
//! it never slows the proxy.

use std::sync::Arc;

use tokio::sync::broadcast;

use super::metrics::Metrics;

/// As many events as a reader may lag behind.
const EVENTS_MAX: usize = 512;

/// One record that became readable, or was amended.
#[derive(Clone, Debug)]
pub struct Event {
    /// Its place in the order in which records became readable.
    pub key: i64,
    /// The record's name.
    pub id: Arc<str>,
    /// The record as JSON.
    pub json: Arc<str>,
    /// It had been sent before, and says something else now.
    pub amended: bool,
}

/// The sending side.
#[derive(Debug)]
pub(super) struct Feed {
    sender: broadcast::Sender<Event>,
}

impl Feed {
    pub(super) fn new() -> Self {
        Self { sender: broadcast::Sender::new(EVENTS_MAX) }
    }

    /// Sends an event to whoever listens. Nobody may.
    pub(super) fn publish(&self, event: Event) {
        let _ = self.sender.send(event);
    }

    /// How many listen.
    pub(super) fn readers(&self) -> usize {
        self.sender.receiver_count()
    }

    pub(super) fn subscribe(&self, metrics: Arc<Metrics>) -> Subscription {
        Subscription { receiver: self.sender.subscribe(), metrics }
    }
}

/// The receiving side.
#[derive(Debug)]
pub struct Subscription {
    receiver: broadcast::Receiver<Event>,
    metrics: Arc<Metrics>,
}

/// What a reader of the feed gets.
#[derive(Clone, Debug)]
pub enum Received {
    /// The next event.
    Event(Event),
    /// It was too slow; so many are lost.
    Dropped(u64),
    /// There will be no more.
    Ended,
}

impl Subscription {
    /// Waits for the next event.
    pub async fn next(&mut self) -> Received {
        match self.receiver.recv().await {
            Ok(event) => Received::Event(event),
            Err(broadcast::error::RecvError::Lagged(events)) => {
                self.metrics.feed_dropped(events);
                Received::Dropped(events)
            }
            Err(broadcast::error::RecvError::Closed) => Received::Ended,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(key: i64) -> Event {
        Event { key, id: Arc::from("id"), json: Arc::from("{}"), amended: false }
    }

    #[test]
    fn a_slow_reader_loses_the_oldest_and_is_told() {
        let metrics = Arc::new(Metrics::new().unwrap());
        let feed = Feed::new();
        let mut slow = feed.subscribe(Arc::clone(&metrics));
        for key in 0..EVENTS_MAX as i64 + 3 {
            feed.publish(event(key));
        }
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            assert!(matches!(slow.next().await, Received::Dropped(3)));
            assert!(matches!(slow.next().await, Received::Event(Event { key: 3, .. })));
        });
        let text = metrics.render(crate::recorder::metrics::Format::Text, Default::default(), &[]);
        assert!(text.contains("\nwhy412_feed_dropped_total 3\n"));
    }
}
