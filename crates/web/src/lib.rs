//! Pages, forms and the JSON API: a handler parses, calls one thing, answers.

pub mod charts;
pub mod shell;
pub mod view;
