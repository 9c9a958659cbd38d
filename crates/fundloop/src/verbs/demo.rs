//! `fundloop demo`: a told story to look around in, on a database of its own.

use super::{Ground, Outcome, ground, serve};
use crate::demo;
use crate::settings::Settings;
use anyhow::bail;
use engine::clock::Clock;
use engine::signin::hash_password;
use std::path::Path;

/// Tells the story into an empty database, then serves it; a folder that holds the story already is served as it is.
pub async fn demo(settings: &Settings) -> anyhow::Result<Outcome> {
    if !settings.database_url().starts_with("sqlite:") {
        bail!("the demo keeps its own database in the data folder: leave DATABASE_URL empty");
    }
    let told = settings.data.folder.join("demo-told");
    if !told.exists() {
        Box::pin(tell(settings, &told)).await?;
    }
    println!("Fundloop's demo is at {}", settings.base_url());
    println!("Everyone's password is: {}", demo::PASSWORD);
    for (name, email, what) in demo::sign_ins() {
        println!("  {email:<34} {name}, {what}");
    }
    serve::serve_on(settings, Ground::open(settings).await?, true).await
}

async fn tell(settings: &Settings, told: &Path) -> anyhow::Result<()> {
    println!("Telling the story of fifteen months ...");
    let past = Ground::with_clock(settings, Clock::at(Clock::real().now())).await?;
    if !past.door.is_new().await? {
        bail!(
            "{} holds a database that is not the demo's: name another folder with --data",
            settings.data.folder.display()
        );
    }
    let db = ground::database(settings).await?;
    Box::pin(demo::seed(&past.engine, &db, &hash_password(demo::PASSWORD)?)).await?;
    db.close().await?;
    std::fs::write(told, "This folder holds the demo's story.\n")?;
    Ok(())
}
