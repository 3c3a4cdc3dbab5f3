//! HTTP as pure functions over bytes: messages are read and written, content codings are decoded,
//! and the [`Plan`] of an answer is lowered to bytes and waits.
//!
//! Nothing here opens a socket, keeps a runtime or asks a clock, so the client, the servers, the
//! load generator and the rules can all read and write the same bytes in the same way.

mod bytes;
mod coding;
mod credentials;
mod headers;
pub mod http1;
pub mod http2;
mod plan;
mod request;
mod script;
mod visit;

pub use bytes::Bytes;
pub use coding::{Coding, CodingFault, ContentDecoder, DECODED, StoredEncoder};
pub use credentials::{
    CREDENTIAL_PARAMETERS, Found, is_credential, is_harmless, is_secret, is_secret_member,
    is_secret_of_response, secrets_by_form, secrets_in, secrets_in_body, without_secrets,
};
pub use headers::{Header, Headers};
pub use plan::{Action, Departure, Framing, Plan};
pub use request::{EVENT_STREAM, Request, Version};
pub use script::{After, Script, Step, Then};
pub use visit::{Answer, Visit};
