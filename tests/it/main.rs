//! One binary for all integration tests: it links once.

mod access;
mod durability;
mod hang_up;
mod races;
mod tidy;
