//! The load generator's engine, the server that it measures itself against, and readings of
//! processes and of the kernel.
//!
//! Plans, schedules and results are in [`sseproof_load_model`], which opens no socket; this crate
//! opens thousands.

mod clock;
mod engine;
mod found;
mod recorder;
pub mod resource;
mod run;
pub mod server;
mod stamp;
mod target;
mod wire;

pub use clock::Clock;
pub use engine::{Emission, Job, Ports, Publisher, Shared, first_events, play, reach};
pub use found::{FirstEvent, Found, find};
pub use run::{Generator, Played, Update, run};
pub use stamp::Own;
pub use target::{PerClient, Route, Target, TargetError};
