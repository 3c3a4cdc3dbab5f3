//! Everything that opens a socket: dialling, the recording client, and the lab server.
//!
//! Client and server are generic over the byte pipe ([`Socket`]), so that the tests run the very
//! same code over an in-memory pipe with a paused clock.

mod client;
mod dial;
mod exchange;
mod http1;
mod http2;
mod identity;
mod lab;
mod limits;
mod options;
mod pipe;
mod player;
mod prepared;
mod process;
mod progress;
mod proxy;
mod recorder;
mod redirect;
mod server_request;
mod socket;
mod tls;

pub use client::{Client, Leave, Live, RequestError, RequestOptions, Waited, sendable};
pub use dial::{Dial, DialError, Dialled, Dialling, Direct, ReceiveBuffer, UnreadIn, make_small};
pub use identity::{Authority, Identity, IdentityOptions};
pub use lab::{InProcess, Lab, Served, ServedEnd};
pub use limits::{DEADLINE, EMPTY_FRAMES, ENOUGH, Limits, REPLIES};
pub use options::{ConnectionOptions, UnixSocket};
pub use pipe::{InMemory, pipe};
pub use prepared::{Written, written};
pub use process::{Serving, Vitals, Watcher, group_memory, is_running, local_port, serving};
pub use progress::Progress;
pub use proxy::{Proxies, Proxy, ProxyError};
pub use redirect::{Redirect, redirect};
pub use socket::Socket;
pub use tls::{Refused, Secured, Tls, TlsError, TlsOptions, Untrusted};
