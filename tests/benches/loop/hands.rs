//! Threads that each run their own tasks, as the server's workers do. They live as long as the benchmark: what a
//! connection pool opens on one of them stays alive.

use std::pin::Pin;

use tokio::sync::{mpsc, oneshot};
use tokio::task::{LocalSet, spawn_local};

type Task = Pin<Box<dyn Future<Output = ()>>>;
type Job = Box<dyn FnOnce() -> Task + Send>;

pub struct Hands(Vec<mpsc::UnboundedSender<Job>>);

impl Hands {
    pub fn new(threads: usize) -> Self {
        let start = |_| {
            let (sender, mut jobs) = mpsc::unbounded_channel::<Job>();
            std::thread::spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
                runtime.block_on(LocalSet::new().run_until(async move {
                    while let Some(job) = jobs.recv().await {
                        spawn_local(job());
                    }
                }));
            });
            sender
        };
        Self((0..threads).map(start).collect())
    }

    /// Runs a task for each piece of work, all at once, shared out among the threads; gives what they gave, in order.
    pub async fn all<W, T, F>(&self, work: Vec<W>, task: impl Fn(W) -> F + Clone + Send + 'static) -> Vec<T>
    where
        W: Send + 'static,
        T: Send + 'static,
        F: Future<Output = T> + 'static,
    {
        let mut answers = Vec::new();
        for (index, piece) in work.into_iter().enumerate() {
            let (answer, answered) = oneshot::channel();
            let task = task.clone();
            let job: Job = Box::new(move || {
                Box::pin(async move {
                    // Nobody listens only where the benchmark has failed already.
                    drop(answer.send(task(piece).await));
                })
            });
            assert!(self.0[index % self.0.len()].send(job).is_ok(), "a thread has ended");
            answers.push(answered);
        }
        let mut done = Vec::new();
        for answered in answers {
            done.push(answered.await.expect("a task has failed"));
        }
        done
    }
}
