//! Work of several transactions under one submission's key: done once, and answered with the first answer.

use crate::Engine;
use crate::advance::Submission;
use crate::error::{Error, Result};
use domain::people::Actor;
use serde::Serialize;
use serde::de::DeserializeOwned;
use storage::Submission as Claimed;

impl Engine {
    /// Does `work` and keeps its answer for whoever sends the same again; other content under the same key is
    /// [`Error::Conflict`] and does nothing. The answer is kept after the work: where the program stops between the
    /// two, a repetition does the work again, so this is for work that changes nothing the second time.
    pub async fn remember<T: Serialize + DeserializeOwned>(
        &self,
        actor: &Actor,
        once: &Submission,
        work: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        let content = once.content.as_deref().ok_or_else(|| Error::internal("a submission without its content"))?;
        let scope = actor.user().to_string();
        let named = (scope.as_str(), once.key.as_str(), content);
        if let Some(first) = self.kept(named).await? {
            return read(&first);
        }
        let done = match work.await {
            Ok(done) => done,
            // Whoever was a moment earlier may have moved it to where it cannot be done again.
            Err(error) => return self.kept(named).await?.map_or(Err(error), |first| read(&first)),
        };
        let text = serde_json::to_string(&done).map_err(Error::internal)?;
        let now = self.clock.now();
        let first = self
            .db
            .write(async |tx| -> Result<Option<String>> {
                match tx.submission(named.0, named.1, named.2, now).await? {
                    Claimed::First => {
                        tx.finish_submission(named.0, named.1, &text).await?;
                        Ok(None)
                    }
                    Claimed::Repeated(first) => Ok(first),
                    Claimed::Conflict => Err(Error::Conflict),
                }
            })
            .await?;
        first.map_or(Ok(done), |first| read(&first))
    }

    /// The answer that was kept; nothing is claimed.
    async fn kept(&self, (scope, key, content): (&str, &str, &str)) -> Result<Option<String>> {
        let tx = self.db.begin().await?;
        let found = tx.submission(scope, key, content, self.clock.now()).await;
        tx.rollback().await;
        match found? {
            Claimed::First => Ok(None),
            Claimed::Repeated(Some(first)) => Ok(Some(first)),
            Claimed::Repeated(None) => Err(Error::internal("a submission was recorded without its answer")),
            Claimed::Conflict => Err(Error::Conflict),
        }
    }
}

fn read<T: DeserializeOwned>(text: &str) -> Result<T> {
    serde_json::from_str(text).map_err(Error::internal)
}
