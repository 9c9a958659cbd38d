//! Pages, forms and the JSON API: a handler parses, calls one thing, answers.
//!
//! Start with [`routes`], the table of every address. [`gate`] stands before every handler, [`extract`] is what a
//! handler may ask for, [`error`] is the one place where an error becomes a status.

pub mod api;
pub mod assets;
pub mod charts;
pub mod csrf;
pub mod error;
pub mod extract;
pub mod fields;
pub mod gate;
pub mod headers;
pub mod pages;
pub mod posted;
pub mod routes;
pub mod server;
pub mod session;
pub mod shell;
pub mod steps;
pub mod view;
