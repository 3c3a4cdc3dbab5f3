//! Proves a client of event streams right, or shows the request where it is wrong.
//!
//! The clients are driven by a [`Carrier`]; the server of each case is a lab server on a [`Ground`].
//! [`play`] only records; the rules of `sseproof-client-rules` judge the record.

mod browser;
mod carrier;
mod certificates;
mod command;
mod embedded;
mod ground;
mod in_order;
mod play;
mod running;
mod service;

pub use browser::{Browser, browser_command};
pub use carrier::{BoxFuture, Carrier, Notice, StartError};
pub use certificates::{Certificates, trusting};
pub use command::{Adapter, LINE_BYTES, Spawn, WRITTEN_BYTES};
pub use embedded::Embedded;
pub use ground::{Ground, Memory, Place, Tcp};
pub use play::{Broken, FIRST, Options, Progress, RESTARTS, play};
pub use running::{ENTRIES, LONGEST, server_of};
pub use service::Service;
