//! The load generator's engine, the server it measures itself against, and its looks into
//! processes and the kernel.
//!
//! What is done, when, and what it amounts to is said by [`sseproof_load_model`], which opens no
//! socket; what is here opens thousands.

mod clock;
mod engine;
mod recorder;
pub mod resource;
mod run;
pub mod server;
mod stamp;
mod target;
mod wire;

pub use clock::Clock;
pub use engine::{Emission, Job, Message, Publisher, Shared, play, reach};
pub use run::{Generator, Played, Told, run};
pub use stamp::Own;
pub use target::{PerClient, Target, TargetError};
