//! Pages that are not a step of the loop.

pub mod admin;
pub mod calendar;
pub mod cycle;
pub mod cycles;
mod documents;
pub mod funds;
pub mod guide;
pub mod health;
pub mod help;
pub mod home;
pub mod imports;
pub mod invitation;
pub mod links;
pub mod new_cycle;
pub mod notifications;
pub mod partners;
pub mod password;
pub mod performance;
pub mod profile;
pub mod resend;
pub mod response_form;
pub mod search;
pub mod set_up;
pub mod settlements;
pub mod sign_in;
pub mod statement;
pub mod wallet;
