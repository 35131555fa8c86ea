//! Overhears the server's errors, because diesel does not hand their codes on.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_postgres::error::SqlState;

/// A stream that notes the SQLSTATE of every error that the server sends through it.
///
/// Diesel's errors carry the server's message, which is in the server's language, and tell only a
/// few codes apart: not a lock timeout from a statement timeout, nor either from a missing table.
/// The frames are those of PostgreSQL's protocol 3: a type byte, a length that includes itself, the
/// body. Source: PostgreSQL documentation, "Message Formats".
pub(crate) struct Tap<S> {
    stream: S,
    frames: Frames,
    last: LastError,
}

/// The code of the last error that came through.
#[derive(Clone, Default)]
pub(crate) struct LastError(Arc<Mutex<Option<SqlState>>>);

impl LastError {
    /// Takes the code out.
    pub(crate) fn take(&self) -> Option<SqlState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn set(&self, code: SqlState) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(code);
    }
}

impl<S> Tap<S> {
    pub(crate) fn new(stream: S) -> (Tap<S>, LastError) {
        let last = LastError::default();
        let tap = Tap {
            stream,
            frames: Frames::default(),
            last: last.clone(),
        };
        (tap, last)
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Tap<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let result = Pin::new(&mut self.stream).poll_read(context, buffer);
        if let Poll::Ready(Ok(())) = &result {
            let Tap { frames, last, .. } = &mut *self;
            frames.hear(&buffer.filled()[before..], |code| last.set(code));
        }
        result
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Tap<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

/// Where in the sequence of frames the stream is.
#[derive(Default)]
struct Frames {
    /// What has come of the frame's header.
    header: Vec<u8>,
    /// How much of the body is still to come.
    body: usize,
    /// What has come of the body, if the frame is an error.
    error: Vec<u8>,
}

const HEADER: usize = 5;
const ERROR_RESPONSE: u8 = b'E';

impl Frames {
    fn hear(&mut self, mut bytes: &[u8], mut on_error: impl FnMut(SqlState)) {
        while !bytes.is_empty() {
            if self.header.len() < HEADER {
                let (head, rest) = bytes.split_at(bytes.len().min(HEADER - self.header.len()));
                self.header.extend_from_slice(head);
                bytes = rest;
                let &[_, a, b, c, d] = self.header.as_slice() else {
                    return;
                };
                self.body = (u32::from_be_bytes([a, b, c, d]) as usize).saturating_sub(4);
            }
            let (body, rest) = bytes.split_at(bytes.len().min(self.body));
            let is_error = self.header.first() == Some(&ERROR_RESPONSE);
            if is_error {
                self.error.extend_from_slice(body);
            }
            self.body -= body.len();
            bytes = rest;
            if self.body == 0 {
                if is_error && let Some(code) = code(&self.error) {
                    on_error(code);
                }
                self.header.clear();
                self.error.clear();
            }
        }
    }
}

/// The field `C` of an error's body: each field is a type byte and a text that ends with a zero.
fn code(body: &[u8]) -> Option<SqlState> {
    body.split(|byte| *byte == 0)
        .find_map(|field| field.strip_prefix(b"C"))
        .and_then(|code| std::str::from_utf8(code).ok())
        .map(SqlState::from_code)
}

#[cfg(test)]
mod tests {
    use super::Frames;

    #[test]
    fn a_code_is_heard_however_the_bytes_are_cut() {
        let error = b"SFEHLER\0VERROR\0C55P03\0MCsperre\0\0";
        let mut bytes = b"D\0\0\0\x08E\0\0\0".to_vec();
        bytes.push(b'E');
        bytes.extend(u32::try_from(error.len() + 4).unwrap().to_be_bytes());
        bytes.extend(error);
        bytes.extend(b"Z\0\0\0\x05I");
        for size in 1..=bytes.len() {
            let mut heard = Vec::new();
            let mut frames = Frames::default();
            for piece in bytes.chunks(size) {
                frames.hear(piece, |code| heard.push(code.code().to_owned()));
            }
            assert_eq!(heard, ["55P03"], "in pieces of {size}");
        }
    }
}
