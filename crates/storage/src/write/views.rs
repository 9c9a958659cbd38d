//! Views of lists are written by their owner alone.

use super::people::found;
use crate::error::Result;
use crate::rows::SavedView;
use crate::sql::{self, values};
use crate::tx::Tx;
use domain::ids::UserId;
use uuid::Uuid;

impl Tx {
    /// A person's views, by name; until the transaction ends nobody else writes any of them.
    pub async fn lock_saved_views(&self, user: UserId) -> Result<Vec<SavedView>> {
        let owner = format!("SELECT id FROM app_user WHERE id = $1 {}", sql::for_update(&self.db, false));
        sql::column::<UserId>(&self.db, "id", &owner, values![user]).await?;
        let tail = "WHERE user_id = $1 ORDER BY list, called";
        sql::all(&self.db, &sql::select::<SavedView>(tail), values![user]).await
    }

    /// Keeps a view, new or changed. Where it is to be opened first, no other view of its list is any more.
    pub async fn save_view(&self, view: &SavedView) -> Result<()> {
        if view.is_default {
            let sql = "UPDATE saved_view SET is_default = FALSE WHERE user_id = $1 AND list = $2 AND id <> $3";
            sql::execute(&self.db, sql, values![view.user_id, view.list, view.id]).await?;
        }
        sql::upsert(&self.db, std::slice::from_ref(view), &["id"]).await.map(|_| ())
    }

    pub async fn drop_view(&self, user: UserId, id: Uuid) -> Result<()> {
        let sql = "DELETE FROM saved_view WHERE id = $1 AND user_id = $2";
        found(sql::execute(&self.db, sql, values![id, user]).await?)
    }
}
