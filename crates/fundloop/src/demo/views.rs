//! What people keep to look at: views of their lists.

use super::cast::World;
use engine::views::{Filters, NewView, ViewedList};
use engine::{Engine, Submission};

/// Who keeps it, of which list, its name and its filters.
type Kept<'a> = (&'a str, ViewedList, &'a str, &'a [(&'a str, &'a str)]);

/// Ana keeps what one partner asks for, Inês what was left lying, Tomáš what is to be paid in euros.
pub async fn keep(engine: &Engine, world: &World) -> anyhow::Result<()> {
    let nordwind = world.partner("nordwind")?.to_string();
    let views: [Kept; 4] = [
        ("ana", ViewedList::Approvals, "Everything of Nordwind", &[("view", "all"), ("partner", &nordwind)]),
        ("ana", ViewedList::Cycles, "Proof to come, Nordwind", &[("stage", "execution_live"), ("partner", &nordwind)]),
        ("ines", ViewedList::Approvals, "Left lying", &[("view", "overdue")]),
        ("tomas", ViewedList::Claims, "To pay in euros", &[("view", "pay"), ("currency", "EUR")]),
    ];
    for (who, list, name, filters) in views {
        let filters: Filters = filters.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let new = NewView { list, name: name.to_owned(), filters, is_default: false };
        engine.save_view(world.person(who)?, &new, &Submission::own()).await?;
    }
    Ok(())
}
