//! Endpoints, and messages as bytes: the library sends no message that breaks the rules.

use anyhow::{bail, Context};
use codec::{DecodeAll, Encode};
use iroh::endpoint::{presets, Connection, RecvStream, SendStream};
use iroh::{Endpoint, EndpointAddr, PublicKey, RelayMode, TransportAddr};
use noema_artefacts::Peer;
use noema_session_transport::{FromWorker, ToWorker, ALPN, MAX_MESSAGE};

/// An endpoint on the loopback interface with a key of its own.
pub(crate) async fn endpoint() -> anyhow::Result<Endpoint> {
    let builder = Endpoint::builder(presets::Minimal)
        .relay_mode(RelayMode::Disabled)
        .clear_ip_transports()
        .bind_addr("127.0.0.1:0")?;
    Ok(builder.bind().await?)
}

/// A message with its length before it.
pub(crate) fn frame(message: &impl Encode) -> anyhow::Result<Vec<u8>> {
    let payload = message.encode();
    let length = u32::try_from(payload.len())?;
    Ok([&length.to_le_bytes()[..], &payload].concat())
}

/// The next message of a stream; `None` at its end.
pub(crate) async fn read<M: DecodeAll>(stream: &mut RecvStream) -> anyhow::Result<Option<M>> {
    let mut length = [0; 4];
    if stream.read_exact(&mut length).await.is_err() {
        return Ok(None);
    }
    let length = u32::from_le_bytes(length) as usize;
    if length > MAX_MESSAGE {
        bail!("a message of {length} bytes");
    }
    let mut payload = vec![0; length];
    stream.read_exact(&mut payload).await?;
    Ok(Some(M::decode_all(&mut &payload[..])?))
}

/// A connection to a worker.
pub(crate) async fn connect(endpoint: &Endpoint, worker: &Peer) -> anyhow::Result<Connection> {
    let id = PublicKey::from_bytes(&worker.id.0)?;
    let addresses = worker.addresses.iter().copied().map(TransportAddr::Ip);
    let address = EndpointAddr::from_parts(id, addresses);
    Ok(endpoint.connect(address, ALPN).await?)
}

/// Sends a message on a new stream.
pub(crate) async fn begin(
    connection: &Connection,
    message: &ToWorker,
) -> anyhow::Result<(SendStream, RecvStream)> {
    let (mut send, receive) = connection.open_bi().await?;
    send.write_all(&frame(message)?).await?;
    Ok((send, receive))
}

/// Sends a message, and returns the last reply to it with the number of tokens before it.
pub(crate) async fn say(
    connection: &Connection,
    message: &ToWorker,
) -> anyhow::Result<(FromWorker, Vec<u32>)> {
    let (mut send, mut receive) = begin(connection, message).await?;
    send.finish()?;
    read_answer(&mut receive).await
}

/// The last reply of a stream, and the tokens before it.
pub(crate) async fn read_answer(stream: &mut RecvStream) -> anyhow::Result<(FromWorker, Vec<u32>)> {
    let mut tokens = Vec::new();
    loop {
        match read(stream).await?.context("the stream ended early")? {
            FromWorker::Tokens(more) => tokens.extend(more),
            last => return Ok((last, tokens)),
        }
    }
}
