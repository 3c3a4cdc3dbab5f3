//! The pieces of a body without secrets, also if they are compressed.

use super::Secrets;
use sseproof_http::{Coding, ContentDecoder, Headers};

/// A secret cannot be removed without a change of a verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stuck;

/// The replacement of the pieces; `None` if they may stay.
///
/// Each piece decodes to as many bytes as before, and a body that is not compressed keeps the
/// length of each piece. A body in a coding that cannot be decoded here becomes zeros.
pub(super) fn redacted(
    secrets: &Secrets,
    headers: &Headers,
    pieces: &[&[u8]],
) -> Result<Option<Vec<Vec<u8>>>, Stuck> {
    let mut names = headers.list("content-encoding");
    names.retain(|name| Coding::is_registered(name));
    match Coding::of(headers) {
        Some(coding) => recoded(secrets, coding, pieces),
        None if names.is_empty() => Ok(as_long(secrets, pieces)),
        None => Ok(Some(pieces.iter().map(|piece| vec![0; piece.len()]).collect())),
    }
}

/// The same pieces with words as long as the secrets; `None` if there are no secrets in them.
pub(super) fn as_long(secrets: &Secrets, pieces: &[&[u8]]) -> Option<Vec<Vec<u8>>> {
    let all = pieces.concat();
    let redacted = secrets.body_as_long(&all);
    if redacted == all {
        return None;
    }
    let mut rest = &redacted[..];
    let split = |piece: &&[u8]| {
        let (by, after) = rest.split_at(piece.len());
        rest = after;
        by.to_vec()
    };
    Some(pieces.iter().map(split).collect())
}

fn recoded(
    secrets: &Secrets,
    coding: Coding,
    pieces: &[&[u8]],
) -> Result<Option<Vec<Vec<u8>>>, Stuck> {
    let mut decoder = ContentDecoder::new(coding);
    let mut decoded: Vec<Vec<u8>> = pieces.iter().map(|piece| decoder.feed(piece)).collect();
    let rest = decoder.finish();
    decoded.last_mut().into_iter().for_each(|last| last.extend_from_slice(&rest));
    let texts: Vec<&[u8]> = decoded.iter().map(Vec::as_slice).collect();
    let Some(redacted) = as_long(secrets, &texts) else {
        // Bytes after a fault may or may not be compressed.
        return Ok(as_long(secrets, pieces).filter(|_| decoder.fault().is_some()));
    };
    if decoder.fault().is_some() {
        return Err(Stuck);
    }
    let all = pieces.concat();
    let mut encoder = sseproof_http::StoredEncoder::like(coding, &all);
    let mut out: Vec<Vec<u8>> = pieces
        .iter()
        .zip(&redacted)
        .map(|(piece, text)| if piece.is_empty() { Vec::new() } else { encoder.piece(text) })
        .collect();
    if coding.is_whole(&all) {
        let last = pieces.iter().rposition(|piece| !piece.is_empty());
        last.into_iter().for_each(|last| out[last].extend(encoder.finish()));
    }
    Ok(Some(out))
}

/// By how many bytes the body grows.
pub(super) fn growth(old: &[&[u8]], new: &[Vec<u8>]) -> i64 {
    let old: usize = old.iter().map(|piece| piece.len()).sum();
    let new: usize = new.iter().map(Vec::len).sum();
    i64::try_from(new).unwrap_or(0) - i64::try_from(old).unwrap_or(0)
}
