//! Recomputes the book and the chains.
