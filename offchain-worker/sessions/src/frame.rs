//! Messages on the streams of a connection.

use crate::error::told;
use crate::ConnectionFault;
use codec::{DecodeAll, Encode};
use iroh::endpoint::{RecvStream, SendStream};
use std::time::Duration;
use tokio::time::timeout;

/// Bytes of the length of a message.
const LENGTH: usize = 4;
/// Bytes that are read at a time.
const CHUNK: usize = 16 << 10;

/// Sends a message of at most `limit` bytes. The other side has `patience` to take it.
pub(crate) async fn send(
    stream: &mut SendStream,
    message: &impl Encode,
    limit: usize,
    patience: Duration,
) -> Result<(), ConnectionFault> {
    let mut bytes = vec![0; LENGTH];
    message.encode_to(&mut bytes);
    let length = bytes.len() - LENGTH;
    let encoded = u32::try_from(length).ok().filter(|_| length <= limit);
    let Some(encoded) = encoded else {
        return Err(ConnectionFault::TooLong {
            bytes: length,
            limit,
        });
    };
    bytes[..LENGTH].copy_from_slice(&encoded.to_le_bytes());
    match timeout(patience, stream.write_all(&bytes)).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => Err(ConnectionFault::Broken(told(error))),
        Err(_) => Err(ConnectionFault::Slow),
    }
}

/// Reads the messages of a stream.
pub(crate) struct Reader {
    stream: RecvStream,
    /// Most bytes of a message.
    limit: usize,
    /// Bytes that arrived and are not part of a message yet.
    arrived: Vec<u8>,
    chunk: Box<[u8]>,
}

impl Reader {
    pub(crate) fn new(stream: RecvStream, limit: usize) -> Self {
        Self {
            stream,
            limit,
            arrived: Vec::new(),
            chunk: vec![0; CHUNK].into(),
        }
    }

    /// Waits for the next message; `None` at the end of the stream. If the future is dropped, no byte is lost.
    pub(crate) async fn next<M: DecodeAll>(&mut self) -> Result<Option<M>, ConnectionFault> {
        loop {
            if let Some(message) = take_message(&mut self.arrived, self.limit)? {
                return Ok(Some(message));
            }
            match self.stream.read(&mut self.chunk).await {
                Ok(Some(bytes)) => self.arrived.extend(&self.chunk[..bytes]),
                Ok(None) if self.arrived.is_empty() => return Ok(None),
                Ok(None) => return Err(ConnectionFault::Malformed("it ends too early".into())),
                Err(error) => return Err(ConnectionFault::Broken(told(error))),
            }
        }
    }

    /// Waits for the next message, which has to be complete within `patience`.
    pub(crate) async fn next_within<M: DecodeAll>(
        &mut self,
        patience: Duration,
    ) -> Result<M, ConnectionFault> {
        match timeout(patience, self.next()).await {
            Ok(Ok(Some(message))) => Ok(message),
            Ok(Ok(None)) => Err(ConnectionFault::Broken("the stream ended".into())),
            Ok(Err(fault)) => Err(fault),
            Err(_) => Err(ConnectionFault::Slow),
        }
    }
}

/// Takes the first message of `arrived`, if all of it is there.
///
/// # Errors
/// [`ConnectionFault::TooLong`] for more than `limit` bytes, and [`ConnectionFault::Malformed`].
pub fn take_message<M: DecodeAll>(
    arrived: &mut Vec<u8>,
    limit: usize,
) -> Result<Option<M>, ConnectionFault> {
    let Some((length, rest)) = arrived.split_first_chunk::<LENGTH>() else {
        return Ok(None);
    };
    let length = u32::from_le_bytes(*length) as usize;
    if length > limit {
        return Err(ConnectionFault::TooLong {
            bytes: length,
            limit,
        });
    }
    let Some(mut payload) = rest.get(..length) else {
        return Ok(None);
    };
    let message = M::decode_all(&mut payload)
        .map_err(|error| ConnectionFault::Malformed(error.to_string()))?;
    arrived.drain(..LENGTH + length);
    Ok(Some(message))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ToWorker;

    fn frame(message: &ToWorker) -> Vec<u8> {
        let payload = message.encode();
        [(payload.len() as u32).to_le_bytes().to_vec(), payload].concat()
    }

    #[test]
    fn messages_are_taken_one_by_one_as_they_arrive() {
        let hello = ToWorker::Hello {
            lowest: 1,
            highest: 2,
        };
        let bytes = [frame(&hello), frame(&ToWorker::End)].concat();
        let (mut arrived, mut taken) = (Vec::new(), Vec::new());
        for byte in bytes {
            arrived.push(byte);
            taken.extend(take_message::<ToWorker>(&mut arrived, 100).expect("they are messages"));
        }
        assert_eq!(taken, [hello, ToWorker::End]);
        assert!(arrived.is_empty());
    }

    #[test]
    fn what_is_no_message_is_refused() {
        let too_long = take_message::<ToWorker>(&mut vec![101, 0, 0, 0], 100);
        assert_eq!(
            too_long,
            Err(ConnectionFault::TooLong {
                bytes: 101,
                limit: 100
            })
        );
        for bytes in [
            vec![1, 0, 0, 0, 99],
            vec![0, 0, 0, 0],
            // A byte beyond the message.
            vec![2, 0, 0, 0, 3, 0],
            // A prompt that claims to be longer than the message.
            [vec![60, 0, 0, 0, 2], vec![255; 59]].concat(),
        ] {
            let taken = take_message::<ToWorker>(&mut bytes.clone(), 100);
            assert!(
                matches!(taken, Err(ConnectionFault::Malformed(_))),
                "{bytes:?}"
            );
        }
    }
}
