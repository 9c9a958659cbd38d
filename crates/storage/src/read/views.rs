//! Views of lists that people keep for themselves. Nobody sees another's, whatever their role.

use super::Reader;
use crate::error::Result;
use crate::filter::Where;
use crate::rows::SavedView;
use crate::sql::{self, values};
use crate::viewer::Viewer;
use uuid::Uuid;

impl Reader {
    /// The viewer's own views by name, of one list or of all.
    pub async fn saved_views(&self, viewer: &Viewer, list: Option<&str>) -> Result<Vec<SavedView>> {
        let own = Where::default().eq("user_id", Some(viewer.user())).eq("list", list);
        let tail = format!("{} ORDER BY list, called", own.sql());
        sql::all(&self.db, &sql::select::<SavedView>(&tail), own.values).await
    }

    pub async fn saved_view(&self, viewer: &Viewer, id: Uuid) -> Result<SavedView> {
        sql::one(&self.db, &sql::select::<SavedView>("WHERE id = $1 AND user_id = $2"), values![id, viewer.user()])
            .await
    }
}
