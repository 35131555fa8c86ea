//! Drops futures half way: at each point at which they wait.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::timeout;

/// When a future is dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DropAt {
    /// After how many polls; none means that it never started.
    pub(crate) polls: usize,
    /// Whether what it waited for at the last poll is there by then, so that only the taking is
    /// left out; otherwise it is dropped while that is under way.
    pub(crate) woken: bool,
}

impl DropAt {
    /// Every point, the earliest first. A future is through when it was polled to its end.
    pub(crate) fn points() -> impl Iterator<Item = DropAt> {
        let never = DropAt {
            polls: 0,
            woken: false,
        };
        let later = (1..).flat_map(|polls| [false, true].map(|woken| DropAt { polls, woken }));
        std::iter::once(never).chain(later)
    }
}

struct Woken(Notify);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.notify_one();
    }
}

/// The longest that a future may wait for one thing before it counts as hanging.
const HANGING: Duration = Duration::from_secs(30);

/// Polls a future until that point and drops it there; gives its value if it ended before.
pub(crate) async fn poll_and_drop<T>(future: impl Future<Output = T>, at: DropAt) -> Option<T> {
    let mut future = pin!(future);
    let woken = Arc::new(Woken(Notify::new()));
    let waker = Waker::from(woken.clone());
    for poll in 1..=at.polls {
        // Under the runtime's context, but with our waker, which tells when to poll again.
        let polled = poll_fn(|_| {
            let mut context = Context::from_waker(&waker);
            Poll::Ready(future.as_mut().poll(&mut context))
        });
        if let Poll::Ready(value) = polled.await {
            return Some(value);
        }
        if poll < at.polls || at.woken {
            timeout(HANGING, woken.0.notified())
                .await
                .expect("a pending future wakes its task");
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::{DropAt, poll_and_drop};

    #[tokio::test]
    async fn a_future_is_dropped_at_each_of_its_points() {
        let mut reached = Vec::new();
        for at in DropAt::points() {
            let mut seen = 0;
            let future = async {
                seen = 1;
                tokio::task::yield_now().await;
                seen = 2;
                tokio::task::yield_now().await;
                seen = 3;
            };
            let ended = poll_and_drop(future, at).await.is_some();
            reached.push(seen);
            if ended {
                break;
            }
        }
        assert_eq!(reached, [0, 1, 1, 2, 2, 3]);
    }
}
