//! One binary for all integration tests: it links once.

mod access;
mod api;
mod cycles;
mod dashboard;
mod durability;
mod earning;
mod entry;
mod funds;
mod hang_up;
mod in_the_browser;
mod programs;
mod races;
mod s1_plan;
mod s2_scorecard;
mod s3_forecast;
mod s4_action_plan;
mod s5_request;
mod s6_approval;
mod s7_execution;
mod s8_tracking;
mod s9_performance;
mod settlements;
mod signin;
mod sound;
mod the_loop;
mod tidy;
