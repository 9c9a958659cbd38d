//! What the kernel promises: the models' tables, and the laws that hold under all of them.

mod laws;
mod markov;
mod recorded;
mod tables;
mod tally;
