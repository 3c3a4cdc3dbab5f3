//! Reads a stream that begins with a byte order mark, by the crate eventsource-stream.

use eventsource_stream::Eventsource as _;
use futures::{StreamExt as _, executor, stream};

fn main() {
    let bytes = b"\xEF\xBB\xBFdata: a\n\n";
    let pieces = stream::iter([Ok::<_, std::io::Error>(bytes)]);
    let event = executor::block_on(pieces.eventsource().next());
    println!("{event:?}");
}
