//! Mails as `.eml` files, for an installation without a mail server.

use super::SendError;
use std::io;
use std::path::Path;

/// Writes the message under its id, so that a second try replaces the first; whole or not at all.
pub async fn write(folder: &Path, message_id: &str, message: &[u8]) -> Result<(), SendError> {
    write_whole(folder, &file_name(message_id), message)
        .await
        .map_err(|error| SendError::temporary(format!("The mail folder cannot be written: {error}.")))
}

async fn write_whole(folder: &Path, name: &str, message: &[u8]) -> io::Result<()> {
    tokio::fs::create_dir_all(folder).await?;
    let draft = folder.join(format!(".{name}.part"));
    tokio::fs::write(&draft, message).await?;
    tokio::fs::rename(&draft, folder.join(name)).await
}

/// `<0199a7@acme.example>` becomes `0199a7.eml`; nothing in an id can leave the folder or hide the file.
fn file_name(message_id: &str) -> String {
    let key = message_id.trim_start_matches('<').split('@').next().unwrap_or_default();
    let safe: String =
        key.chars().map(|c| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' }).take(120).collect();
    format!("{}.eml", if safe.is_empty() { "mail" } else { &safe })
}
