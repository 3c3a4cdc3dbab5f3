use super::super::write_field;
use super::*;

fn answer(streams: &[u32]) -> Vec<u8> {
    let mut out = Vec::new();
    write_frame(&mut out, kind::SETTINGS, 0, 0, &[]);
    for &id in streams {
        let mut block = Vec::new();
        write_field(&mut block, b":status", b"200");
        write_field(&mut block, b"x", b"y");
        write_fields(&mut out, id, false, &block);
        write_frame(&mut out, kind::DATA, 0, id, b"data");
    }
    out
}

fn parts(client: &mut Client, bytes: &[u8]) -> Vec<(u32, Part)> {
    client.feed(&Bytes::from(bytes));
    std::iter::from_fn(|| client.part().expect("HTTP/2")).collect()
}

#[test]
fn each_stream_gets_its_parts_and_one_end() {
    let mut client = Client::new(None);
    let ids = [(); 3].map(|()| client.ask(b"", Bytes::default(), false));
    assert_eq!(ids, [1, 3, 5]);
    let all = parts(&mut client, &answer(&[1, 3]));
    assert_eq!(all.iter().map(|(id, _)| *id).collect::<Vec<_>>(), [1, 1, 3, 3]);
    let mut ends = Vec::new();
    write_frame(&mut ends, kind::DATA, flag::END_STREAM, 1, b"");
    write_frame(&mut ends, kind::DATA, 0, 1, b"after the end");
    write_frame(&mut ends, kind::GOAWAY, 0, 0, &[0, 0, 0, 3, 0, 0, 0, 11]);
    write_frame(&mut ends, kind::RST_STREAM, 0, 3, &[0, 0, 0, 2]);
    let overs: Vec<_> = parts(&mut client, &ends)
        .into_iter()
        .filter_map(|(id, part)| if let Part::Over(over) = part { Some((id, over)) } else { None })
        .collect();
    let expected = [(1, Over::Complete), (5, Over::GoneAway(11)), (3, Over::Reset(2))];
    assert_eq!(overs, expected);
}

#[test]
fn windows_are_kept_to_and_given() {
    let mut client = Client::new(Some(10));
    let id = client.ask(b"", vec![b'x'; 70_000].into(), true);
    assert!(!client.has_sent(id) && client.out().len() < 66_000);
    client.wrote(client.out().len());
    let more = 60_000_u32.to_be_bytes();
    let mut wire = answer(&[id]);
    write_frame(&mut wire, kind::WINDOW_UPDATE, 0, 0, &more);
    assert_eq!(parts(&mut client, &wire).len(), 2);
    assert!(!client.has_sent(id), "the stream has no window");
    let mut wire = Vec::new();
    write_frame(&mut wire, kind::WINDOW_UPDATE, 0, id, &more);
    parts(&mut client, &wire);
    assert!(client.has_sent(id));
    client.read(id, 4);
    assert!(client.out().ends_with(b"\0\0\x04\x08\0\0\0\0\x01\0\0\0\x04"));
    client.cancel(id);
    client.cancel(id);
    assert!(client.out().ends_with(b"\0\0\0\x04\0\0\x04\x03\0\0\0\0\x01\0\0\0\x08"));
}

#[test]
fn numbers_of_streams_end_with_their_type() {
    let mut client = Client::new(None);
    client.expect(u32::MAX, Bytes::default());
    client.expect(1, Bytes::default());
    let mut wire = answer(&[1]);
    // The first bit is reserved, so all streams are answered.
    write_frame(&mut wire, kind::GOAWAY, 0, 0, &[0xFF; 8]);
    let overs = parts(&mut client, &wire).into_iter().filter(|(id, _)| *id == 1);
    assert!(overs.into_iter().all(|(_, part)| !matches!(part, Part::Over(_))));
}

#[test]
fn frames_of_streams_that_were_not_opened_end_the_connection() {
    for (is_error, id) in [(false, 1), (false, 3), (true, 5), (true, 2), (true, 0)] {
        let mut client = Client::new(None);
        client.ask(b"", Bytes::default(), false);
        client.opened(3);
        client.feed(&Bytes::from(answer(&[id])));
        let read = std::iter::repeat_with(|| client.part())
            .find(|part| *part == Ok(None) || part.is_err());
        let failure = format!("{:?}", read.unwrap());
        assert_eq!(failure.contains("PROTOCOL_ERROR"), is_error, "{id}: {failure}");
    }
}

#[test]
fn header_fields_of_a_connection_are_bounded() {
    let mut block = Vec::new();
    (0..900).for_each(|_| write_field(&mut block, b"x", b"y"));
    let mut response = block.clone();
    write_field(&mut response, b":status", b"103");
    let mut client = Client::new(None);
    let id = client.ask(b"", Bytes::default(), false);
    let mut wire = answer(&[]);
    (0..CONNECTION_FIELDS / 900).for_each(|_| write_fields(&mut wire, id, false, &response));
    assert_eq!(parts(&mut client, &wire), []);
    write_fields(&mut wire, id, false, &response);
    client.feed(&Bytes::from(wire));
    assert!(matches!(client.part(), Err(Failure::Malformed(_))));
}

#[test]
fn only_trailers_follow_the_headers_of_a_response() {
    let mut client = Client::new(None);
    let id = client.ask(b"", Bytes::default(), false);
    let ends = parts(&mut client, &answer(&[id, id]));
    assert!(matches!(ends.last(), Some((_, Part::Over(Over::Malformed(_))))), "{ends:?}");
}

#[test]
fn frames_without_content_are_counted_until_content_comes() {
    let mut client = Client::new(None);
    let id = client.ask(b"", Bytes::default(), false);
    let mut wire = answer(&[id]);
    (0..7).for_each(|_| write_frame(&mut wire, kind::DATA, 0, id, b""));
    parts(&mut client, &wire);
    assert_eq!(client.empty_frames(), 7);
    write_frame(&mut wire, kind::DATA, 0, id, b"data");
    parts(&mut client, &wire);
    assert_eq!(client.empty_frames(), 0);
}

#[test]
fn another_protocol_is_refused() {
    let failure = |bytes: &[u8]| {
        let mut client = Client::new(None);
        client.feed(&Bytes::from(bytes));
        client.part().unwrap_err()
    };
    assert_eq!(failure(b"HTT"), Failure::Http1);
    assert!(matches!(failure(&[0; 20]), Failure::Malformed(_)));
}
