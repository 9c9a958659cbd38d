//! The server stands still inside a transaction, so that a story says what happens meanwhile, whatever the machine is
//! busy with.

use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use tokio::sync::oneshot;

/// Longer than any story needs: a test that forgets to let go fails by itself rather than hang.
const LONGEST: Duration = Duration::from_mins(1);

/// Sees every statement of every writing transaction, on the thread that ran it.
#[derive(Clone, Default)]
pub struct Pause(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    statements: usize,
    armed: Option<Armed>,
}

struct Armed {
    at: usize,
    reached: oneshot::Sender<()>,
    go: mpsc::Receiver<()>,
}

/// Somebody who is to stand still, or does already. Dropped, they go on.
pub struct Held {
    reached: oneshot::Receiver<()>,
    _go: mpsc::Sender<()>,
}

impl Pause {
    /// How many statements have run in writing transactions so far.
    pub fn statements(&self) -> usize {
        self.0.lock().expect("nobody panics in here").statements
    }

    /// Whoever runs the `n`th statement from now on, the first being 1, stands still after it.
    pub fn after(&self, n: usize) -> Held {
        let (reached, is_reached) = oneshot::channel();
        let (go, wait) = mpsc::channel();
        let mut state = self.0.lock().expect("nobody panics in here");
        let at = state.statements + n;
        state.armed = Some(Armed { at, reached, go: wait });
        Held { reached: is_reached, _go: go }
    }

    /// A statement has run.
    pub(crate) fn pass(&self) {
        let armed = {
            let mut state = self.0.lock().expect("nobody panics in here");
            state.statements += 1;
            let is_here = state.armed.as_ref().is_some_and(|armed| armed.at == state.statements);
            if is_here { state.armed.take() } else { None }
        };
        if let Some(Armed { reached, go, .. }) = armed
            && reached.send(()).is_ok()
        {
            // Nothing is ever sent: it ends when the other side is dropped, or when nobody came to let go.
            let _let_go = go.recv_timeout(LONGEST);
        }
    }
}

impl Held {
    /// Waits until they stand still.
    pub async fn reached(&mut self) {
        let reached = tokio::time::timeout(LONGEST, &mut self.reached).await;
        reached.expect("the statement is run").expect("whoever runs it stands still");
    }
}
