//! One binary for all integration tests: it links once.

mod durability;
mod races;
mod tidy;
