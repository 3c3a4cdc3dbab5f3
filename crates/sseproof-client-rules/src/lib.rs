//! The requirements on a client of event streams, and the rules that judge its behaviour.
//!
//! A [`Case`] says what a server does and what the client is asked for. Playing it gives a
//! [`CaseRecord`]: every request with its time, the end of every response, and every call of the client
//! to its user. A [`Rule`] is a pure function over the records of its cases. Its mutants are clients
//! that are wrong on purpose: the reference client with one of its decisions replaced.
//! The texts of the rules are in `specs/`, with their requirements, and only there.

pub mod case;
pub mod client;
mod judge;
mod profile;
pub mod protocol;
pub mod record;
mod recording;
mod registry;
mod rule;
mod view;

mod close;
mod endurance;
mod last_event_id;
mod parse;
mod reader;
mod reconnect;
mod redirect;
mod request;
mod response;
mod retry;
mod state;
mod tls;

pub use case::{
    Act, Answered, Answerer, Case, CaseVisit, Certificate, Do, Origins, Quiet, Transport, When,
    redirect, silence, status, stream,
};
pub use client::{Accept, Hooks, Loss, Mistrust, REFERENCE, State};
pub use judge::{finding, judge, timeline};
pub use profile::{CLIENT_PROFILES, ClientProfile};
pub use protocol::{Call, Can, CloseOn, Command, Connect, Heard, Hello, Kind, Line};
pub use record::{Asked, CaseEnd, CaseRecord, ClientRecord, Ended, Entry, How, Pace, What};
pub use recording::{RecordingError, read_client_recording, write_client_recording};
pub use registry::{cases, mutants, rule, rules};
pub use rule::{Fault, Judgement, Mutant, Rule};
pub use view::{Moment, View};
