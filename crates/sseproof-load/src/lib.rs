//! The load generator.

pub mod resource;
