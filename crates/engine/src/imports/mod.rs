//! Imports: files as the tools write them, on their way to responders, touches and deals.
//!
//! A file goes through five hands. [`sheet`] makes bytes into rows, [`settings`] says what the columns are,
//! [`record`] reads a row or says what is wrong with it, [`meet`] finds whom it is about; these are pure and take any
//! bytes without a panic. [`run`] looks things up, and takes a batch back;
//! `write` writes, chunk by chunk.
//!
//! A file of purchases takes the same way as far as its rows; [`sales`] asks the program guide what each earns.

pub mod fields;
pub mod meet;
pub mod record;
pub mod report;
pub mod run;
pub mod sales;
pub mod settings;
pub mod sheet;
pub mod values;
mod workbook;
mod write;

#[cfg(test)]
mod tests;
