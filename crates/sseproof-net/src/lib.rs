//! Everything that opens a socket: dialling, the recording client, and the lab server.
