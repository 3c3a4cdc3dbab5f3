//! Cuts a stream into chunks of the given sizes, over and over.

pub(crate) fn cut(mut stream: &[u8], sizes: [u8; 4]) -> Vec<&[u8]> {
    let mut chunks = Vec::new();
    for size in sizes.into_iter().cycle() {
        // Chunks of no byte must change nothing either.
        for size in [usize::from(size) % 32 + 1, 0] {
            let (chunk, rest) = stream.split_at(size.min(stream.len()));
            stream = rest;
            chunks.push(chunk);
        }
        if stream.is_empty() {
            return chunks;
        }
    }
    unreachable!("there is always another size")
}
