//! The rules of the loop, tested through its only door: `open` and `decide`.
//!
//! [`story`] holds the people and a cycle to act on; after every move it checks the book, the clock and what would be
//! stored. Tests are named for what a channel manager would say, with the number of the rule where it has one.

mod amendments;
mod claims;
mod clock;
mod config;
mod duties;
mod earning;
mod exchange;
mod extensions;
mod fund_tree;
mod funds;
mod guide;
mod happy_path;
mod moves;
mod random;
mod returns;
mod rule_space;
mod signals;
mod story;
mod vectors;
