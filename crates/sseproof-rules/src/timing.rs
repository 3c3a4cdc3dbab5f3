//! Every threshold in time of the rules: how long is together, late, missing, settled and quiet.
//!
//! Each lies well above the delays of a busy machine and of a lost packet, so that a rule fails on
//! the server and not on the way to it; between two of them a rule says that it is inconclusive.

use std::time::Duration;

// Together, and apart.

/// Pieces that arrive within this time arrived together: it is above the delay of a task on a
/// busy machine, and far below the interval of any stream.
pub(crate) const TOGETHER: Duration = Duration::from_millis(10);

/// An event within this time of the response headers came with them.
pub(crate) const WITH_HEAD: Duration = Duration::from_millis(50);

/// Two exchanges of one client may overlap for this long although it has left the first.
pub(crate) const OVERLAP: Duration = Duration::from_millis(50);

/// A proxy must have had the stream open for this long when the server sends an event that it
/// is said to lack.
pub(crate) const OPEN_THROUGH_PROXY: Duration = Duration::from_millis(50);

/// Two events that the server sends this far apart arrive apart, unless something waits for the
/// second one.
pub(crate) const SENT_APART: Duration = Duration::from_millis(50);

/// Two clients that subscribe this far apart may rightly get other events.
pub(crate) const CLIENTS_APART: Duration = Duration::from_millis(250);

/// A pause before a burst that may still be chance: it counts only with other signs.
pub(crate) const SHORT_PAUSE: Duration = Duration::from_millis(250);

/// A pause before a burst that neither a lost packet (200 ms until it is sent again) nor a busy
/// machine explains.
pub(crate) const PAUSE: Duration = Duration::from_millis(400);

/// Events with one id that are further apart are not a group that was written at once.
pub(crate) const ID_GROUP: Duration = Duration::from_millis(500);

/// The same where another stream has other ids: an id may stand for a long group.
pub(crate) const LONG_ID_GROUP: Duration = Duration::from_secs(2);

// Late.

/// An event that is so much later than the quickest was held back: the way is as long for all.
pub(crate) const LATE_THROUGH_PROXY: Duration = Duration::from_millis(150);

/// Response headers that are so much later through a proxy than directly wait for something there.
pub(crate) const LATE_HEAD_THROUGH_PROXY: Duration = Duration::from_millis(500);

/// Events that are all so much later than before are held up by a client that reads nothing.
pub(crate) const HELD_UP: Duration = Duration::from_millis(500);

/// A way through a proxy that is so much longer for each event is a wait.
pub(crate) const LONGER_WAY: Duration = Duration::from_secs(1);

/// A compressed event so long after the response headers is late, if all of them come together.
pub(crate) const LATE_AFTER_HEAD: Duration = Duration::from_secs(1);

/// An event in two pieces, of which the second takes so long, waits until a buffer is full again.
pub(crate) const HELD_REST: Duration = Duration::from_secs(1);

/// A stream that comes in one piece so long after its response headers came when it ended.
pub(crate) const ALL_AT_THE_END: Duration = Duration::from_secs(1);

/// Lines without a blank one for so long are not an event that is still being written.
pub(crate) const NEVER_ENDED: Duration = Duration::from_secs(1);

/// Response headers, an event or a publication that takes longer interrupts its user: attention is lost
/// somewhere between one second and ten.
pub(crate) const TOO_LATE: Duration = Duration::from_secs(2);

// Heads that wait for an event.

/// Response headers within this time are quick, also if an event came with them.
pub(crate) const QUICK_HEAD: Duration = Duration::from_millis(100);

/// From here on a quicker HEAD shows that the headers of a GET wait; below, the difference may be chance.
pub(crate) const SLOW_HEAD: Duration = Duration::from_millis(300);

// Corked sockets, which Linux holds back for 200 ms.

/// The time for which a cork holds a piece back, less the error of the kernel's clock.
pub(crate) const CORK: Duration = Duration::from_millis(190);

/// A later head waited for something else, too.
pub(crate) const CORKED_HEAD: Duration = Duration::from_millis(260);

/// Two pieces this close disprove a cork, also if the first was read late.
pub(crate) const UNCORKED: Duration = Duration::from_millis(150);

/// A cork waits for the first event and 200 ms more: events that come together after a longer
/// pause are batches of the author's.
pub(crate) const CORKED_EVENTS: Duration = Duration::from_millis(460);

// Missing: a shorter wait is too short to say so.

/// For an event that the proxy has not passed on while the stream is open.
pub(crate) const LOST_BY_PROXY: Duration = Duration::from_millis(500);

/// For an event or an end that another client of the same server already has.
pub(crate) const MISSING: Duration = Duration::from_secs(1);

/// For an answer, where other requests are answered within a fraction of it.
pub(crate) const NO_ANSWER: Duration = Duration::from_millis(1_500);

/// For response headers through a proxy, if the server itself needs a quarter of it.
pub(crate) const NO_HEAD_THROUGH_PROXY: Duration = Duration::from_secs(2);

/// For the events of a client beside one that reads nothing.
pub(crate) const BLOCKED: Duration = Duration::from_secs(3);

/// For the end of a producer whose client has disconnected: servers notice it at their next write.
pub(crate) const PRODUCER_GONE: Duration = Duration::from_secs(5);

/// For response headers, if no request at all is answered.
pub(crate) const MUTE: Duration = Duration::from_secs(15);

// Settled.

/// A listening stream that ends within this time makes its client ask again and again.
pub(crate) const LISTENED: Duration = Duration::from_secs(1);

/// A stream that is over within this time was over at once.
pub(crate) const AT_ONCE: Duration = Duration::from_millis(500);

/// So long after its first event a resumed stream has sent what it had kept: a replay comes at
/// once.
pub(crate) const REPLAYED: Duration = Duration::from_millis(500);

/// A client that disconnects within this time did not wait for an event.
pub(crate) const HASTE: Duration = Duration::from_millis(500);

/// Events of an operation that was stopped may still arrive for this long.
pub(crate) const UNDER_WAY: Duration = Duration::from_millis(500);

/// A stream that should end with the event before may just be ending for this long.
pub(crate) const OPEN_AFTER_RESPONSE: Duration = Duration::from_secs(2);

// Quiet, and cut for that.

/// A stream that ends so soon after another came ended because of that.
pub(crate) const CUT_BY_ANOTHER: Duration = Duration::from_millis(100);

/// A stream without a byte for so long has no event under way.
pub(crate) const QUIET: Duration = Duration::from_millis(800);

/// The server's own stream must have gone on for so long after the end of that through a proxy.
pub(crate) const OUTLIVED: Duration = Duration::from_secs(1);

/// A stream that a proxy cuts after so long a silence may have been cut for it.
pub(crate) const QUIET_BEFORE_CUT: Duration = Duration::from_secs(3);

/// A connection that breaks after so long a silence broke because of it.
pub(crate) const QUIET_BEFORE_BREAK: Duration = Duration::from_secs(15);

/// The shortest idle timeout of a proxy as it is installed: HAProxy as Debian configures it.
pub(crate) const PROXY_IDLE_TIMEOUT: Duration = Duration::from_secs(50);

/// The shortest idle timeout of a hosted proxy: Heroku's router. AWS ALB and nginx have 60 s.
pub(crate) const IDLE_TIMEOUT: Duration = Duration::from_secs(55);

/// A wait that is so many times longer than usual is not an accident.
pub(crate) const MUCH_LONGER: u32 = 4;
