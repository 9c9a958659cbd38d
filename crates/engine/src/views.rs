//! Views of lists that people keep: the filters of a list's address, under a name of their own. Nobody else sees them.

use crate::Engine;
use crate::advance::{Advanced, Submission};
use crate::error::{Error, Result};
use domain::people::Actor;
use domain::refusal::{Reason, Refusal};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use storage::Viewer;
use storage::rows::SavedView;
use uuid::Uuid;

/// The most views a person keeps of one list.
pub const MOST: usize = 20;
/// The most characters of a name.
pub const LONGEST: usize = 60;
/// The most characters of one filter's value.
const LONGEST_VALUE: usize = 200;

/// A list people keep views of.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ViewedList {
    Approvals,
    Claims,
    Cycles,
}

/// The filters of a list as its address holds them, by name; one that is empty is none.
pub type Filters = BTreeMap<String, String>;

/// A view as it is handed in.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewView {
    pub list: ViewedList,
    pub name: String,
    #[serde(default)]
    pub filters: Filters,
    /// Opened first, in place of the view that was.
    #[serde(default)]
    pub is_default: bool,
}

/// What is done to a view that is there.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
pub enum ViewCommand {
    /// Another name, and whether the list opens with it.
    Change {
        name: String,
        is_default: bool,
    },
    /// Other filters under the same name.
    Replace {
        filters: Filters,
    },
    Remove {},
}

/// A view as it is kept.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct View {
    pub id: Uuid,
    pub list: ViewedList,
    pub name: String,
    pub filters: Filters,
    pub is_default: bool,
}

impl ViewedList {
    pub const ALL: [Self; 3] = [Self::Approvals, Self::Claims, Self::Cycles];

    /// The stored name, and the one in an address.
    pub fn code(self) -> &'static str {
        match self {
            Self::Approvals => "approvals",
            Self::Claims => "claims",
            Self::Cycles => "cycles",
        }
    }

    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|list| list.code() == code)
    }

    /// The filters its address knows, in their order there.
    pub fn filters(self) -> &'static [&'static str] {
        match self {
            Self::Approvals => &["view", "partner", "q", "sort"],
            Self::Claims => &["view", "partner", "currency", "q"],
            Self::Cycles => &["view", "stage", "step", "partner", "q"],
        }
    }
}

impl View {
    fn of(row: SavedView) -> Result<Self> {
        let list = ViewedList::from_code(&row.list);
        Ok(Self {
            id: row.id,
            list: list.ok_or_else(|| Error::internal(format!("a view of the list {:?}", row.list)))?,
            name: row.name,
            filters: serde_json::from_value(row.filters).map_err(Error::internal)?,
            is_default: row.is_default,
        })
    }
}

impl Engine {
    /// One's own views by name, of one list or of all.
    pub async fn views(&self, viewer: &Viewer, list: Option<ViewedList>) -> Result<Vec<View>> {
        let rows = self.reader().saved_views(viewer, list.map(ViewedList::code)).await?;
        rows.into_iter().map(View::of).collect()
    }

    pub async fn view(&self, viewer: &Viewer, id: Uuid) -> Result<View> {
        View::of(self.reader().saved_view(viewer, id).await?)
    }

    /// Keeps a view for the one who asks. The answer's number is its id.
    pub async fn save_view(&self, actor: &Actor, new: &NewView, once: &Submission) -> Result<Advanced> {
        // No partner sees the list of what waits for approval.
        if new.list == ViewedList::Approvals && actor.me.is_partner() {
            return Err(Error::NotFound);
        }
        let filters = read(new.list, &new.filters)?;
        self.once(actor, once, new, async |tx, now| {
            let mut of_list = tx.lock_saved_views(actor.user()).await?;
            of_list.retain(|view| view.list == new.list.code());
            if of_list.len() >= MOST {
                let why = format!("You keep {MOST} views of this list already.");
                return Err(Error::refused("too_many_views", why, "Remove one of them first."));
            }
            let name = free_name(&new.name, None, &of_list)?;
            let view = SavedView {
                id: Uuid::now_v7(),
                user_id: actor.user(),
                list: new.list.code().to_owned(),
                called: name.to_lowercase(),
                filters: serde_json::to_value(&filters).map_err(Error::internal)?,
                is_default: new.is_default,
                saved_at: now,
                name,
            };
            tx.save_view(&view).await?;
            Ok(done(view.id, format!("The view “{}” is kept.", view.name)))
        })
        .await
    }

    /// Changes or removes one's own view.
    pub async fn change_view(
        &self,
        actor: &Actor,
        id: Uuid,
        command: &ViewCommand,
        once: &Submission,
    ) -> Result<Advanced> {
        self.once(actor, once, &(id, command), async |tx, now| {
            let all = tx.lock_saved_views(actor.user()).await?;
            let held = all.iter().find(|view| view.id == id).ok_or(Error::NotFound)?;
            let list = ViewedList::from_code(&held.list).ok_or(Error::NotFound)?;
            let of_list: Vec<SavedView> = all.iter().filter(|view| view.list == held.list).cloned().collect();
            let mut view = SavedView { saved_at: now, ..held.clone() };
            let words = match command {
                ViewCommand::Change { name, is_default } => {
                    view.name = free_name(name, Some(id), &of_list)?;
                    view.called = view.name.to_lowercase();
                    view.is_default = *is_default;
                    format!("The view “{}” is saved.", view.name)
                }
                ViewCommand::Replace { filters } => {
                    view.filters = serde_json::to_value(read(list, filters)?).map_err(Error::internal)?;
                    format!("The view “{}” shows this from now on.", view.name)
                }
                ViewCommand::Remove {} => {
                    tx.drop_view(actor.user(), id).await?;
                    return Ok(done(id, format!("The view “{}” is removed.", view.name)));
                }
            };
            tx.save_view(&view).await?;
            Ok(done(id, words))
        })
        .await
    }
}

fn done(id: Uuid, words: String) -> Advanced {
    Advanced { number: id.to_string(), version: 0, words: vec![words] }
}

/// A name of 1 to 60 characters that no other view of the list has, letter case aside.
fn free_name(text: &str, own: Option<Uuid>, of_list: &[SavedView]) -> Result<String> {
    let name = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let length = name.chars().count();
    let refused = |code: &str, why: String, remedy: &str| {
        Err(Error::Refused(Refusal { reasons: vec![Reason::new(code, why, remedy).at("name")] }))
    };
    if length == 0 || name.chars().any(char::is_control) {
        return refused("view_name", "A view needs a name.".to_owned(), "Give it one you will know again.");
    }
    if length > LONGEST {
        return refused("view_name", format!("The name has {length} characters."), "Shorten it to 60.");
    }
    let called = name.to_lowercase();
    match of_list.iter().find(|view| view.called == called && Some(view.id) != own) {
        Some(other) => refused(
            "view_name_taken",
            format!("You have a view “{}” of this list already.", other.name),
            "Choose another name, or open that view and replace what it shows.",
        ),
        None => Ok(name),
    }
}

/// The filters a list knows, without those that are empty.
fn read(list: ViewedList, filters: &Filters) -> Result<Filters> {
    let mut kept = Filters::new();
    for (name, value) in filters {
        if !list.filters().contains(&name.as_str()) {
            let known = list.filters().join(", ");
            return Err(Error::invalid(
                "filters",
                format!("“{name}” is no filter of this list."),
                format!("Use {known}."),
            ));
        }
        let value = value.trim();
        if value.chars().count() > LONGEST_VALUE || value.chars().any(char::is_control) {
            let why = format!("What is asked of “{name}” cannot be kept.");
            return Err(Error::invalid("filters", why, format!("Keep it under {LONGEST_VALUE} characters.")));
        }
        if !value.is_empty() {
            kept.insert(name.clone(), value.to_owned());
        }
    }
    Ok(kept)
}
