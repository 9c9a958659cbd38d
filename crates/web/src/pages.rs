//! Pages that are not a step of the loop.

pub mod admin;
pub mod health;
pub mod invitation;
pub mod password;
pub mod profile;
pub mod resend;
pub mod set_up;
pub mod sign_in;
