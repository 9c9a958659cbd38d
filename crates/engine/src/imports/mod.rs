//! Imports: files as the tools write them, on their way to responders, touches and deals.
//!
//! A file goes through four hands. [`sheet`] makes bytes into rows, [`settings`] says what the columns are,
//! [`record`] reads a row or says what is wrong with it; these are pure and take any bytes without a panic.

pub mod fields;
pub mod record;
pub mod settings;
pub mod sheet;
pub mod values;

#[cfg(test)]
mod tests;
