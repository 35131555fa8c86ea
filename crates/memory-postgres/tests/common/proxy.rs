//! Sits between client and server and counts what the client sends.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use memory_storage::{Config, Target, TlsMode};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// How many messages of each type the client has sent: `P` parses, `S` asks for an answer, `Q`
/// sends a text.
type Counts = BTreeMap<char, u32>;

pub(crate) struct Proxy {
    address: SocketAddr,
    sent: Arc<Mutex<Sent>>,
}

/// What the client has sent.
#[derive(Default)]
struct Sent {
    counts: Counts,
    parsed: Vec<Parsed>,
    fault: Option<Fault>,
}

/// What the proxy does to the network.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Cuts the connection at the next message, which the server does not get.
    CutBefore,
    /// Hands the next message on, cuts the client off, and lets the server finish.
    CutAfter,
    /// Swallows everything and says nothing.
    Silence,
    /// Accepts nobody and cuts all.
    Down,
}

/// A text that was parsed, with the types of its parameters.
pub(crate) struct Parsed {
    pub(crate) sql: String,
    pub(crate) types: Vec<u32>,
}

impl Parsed {
    /// Reads a parse message: a name and the text, each ended by a zero, a count, the types.
    fn read(body: &[u8]) -> Parsed {
        let mut parts = body.splitn(3, |byte| *byte == 0);
        let (_name, sql) = (parts.next().unwrap(), parts.next().unwrap());
        let types = parts.next().unwrap()[2..]
            .chunks(4)
            .map(|oid| u32::from_be_bytes(oid.try_into().unwrap()))
            .collect();
        let sql = String::from_utf8(sql.to_vec()).unwrap();
        Parsed { sql, types }
    }
}

impl Proxy {
    /// Starts in front of the server that `config` names.
    pub(crate) async fn start(config: &Config) -> Proxy {
        let Target::Postgres(target) = &config.target else {
            panic!("{config} is no PostgreSQL");
        };
        let server = (target.host.clone(), target.port);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let sent = Arc::new(Mutex::new(Sent::default()));
        let hearing = Arc::clone(&sent);
        tokio::spawn(async move {
            loop {
                let (client, _) = listener.accept().await.unwrap();
                if hearing.lock().unwrap().fault == Some(Fault::Down) {
                    continue;
                }
                client.set_nodelay(true).unwrap();
                let server = TcpStream::connect(server.clone()).await.unwrap();
                server.set_nodelay(true).unwrap();
                let (mut from_client, mut to_client) = client.into_split();
                let (mut from_server, mut to_server) = server.into_split();
                let hearing = Arc::clone(&hearing);
                let answering = tokio::spawn(async move {
                    let _ = tokio::io::copy(&mut from_server, &mut to_client).await;
                    let _ = to_client.shutdown().await;
                });
                tokio::spawn(async move {
                    // The first message has no type.
                    let mut header = vec![0; 4];
                    while from_client.read_exact(&mut header).await.is_ok() {
                        let length = &header[header.len() - 4..];
                        let length = u32::from_be_bytes(length.try_into().unwrap()) as usize;
                        let mut body = vec![0; length - 4];
                        if from_client.read_exact(&mut body).await.is_err() {
                            break;
                        }
                        if header.len() == 5 {
                            let mut sent = hearing.lock().unwrap();
                            *sent.counts.entry(char::from(header[0])).or_default() += 1;
                            if header[0] == b'P' {
                                sent.parsed.push(Parsed::read(&body));
                            }
                        }
                        body.splice(0..0, header);
                        let fault = hearing.lock().unwrap().fault;
                        match fault {
                            None => {}
                            Some(Fault::Silence) => std::future::pending().await,
                            Some(Fault::CutBefore | Fault::Down) => {
                                answering.abort();
                                return;
                            }
                            Some(Fault::CutAfter) => {
                                answering.abort();
                                to_server.write_all(&body).await.unwrap();
                                // The rest of what the client sent with it.
                                let mut rest = [0; 4096];
                                let rest_length = from_client.try_read(&mut rest).unwrap_or(0);
                                to_server.write_all(&rest[..rest_length]).await.unwrap();
                                // The server is left alone for a while, to finish.
                                tokio::time::sleep(std::time::Duration::from_millis(300)).await;
                                return;
                            }
                        }
                        if to_server.write_all(&body).await.is_err() {
                            break;
                        }
                        header = vec![0; 5];
                    }
                    let _ = to_server.shutdown().await;
                });
            }
        });
        Proxy { address, sent }
    }

    /// The same store, through the proxy.
    pub(crate) fn in_front_of(&self, mut config: Config) -> Config {
        if let Target::Postgres(target) = &mut config.target {
            target.host = self.address.ip().to_string();
            target.port = self.address.port();
            // What it counts must be readable.
            target.tls.mode = TlsMode::Disable;
        }
        config
    }

    /// Does this to everything from now on; nothing without a fault.
    pub(crate) fn fault(&self, fault: Option<Fault>) {
        self.sent.lock().unwrap().fault = fault;
    }

    /// What was sent since this was last asked.
    pub(crate) fn take(&self) -> Counts {
        std::mem::take(&mut self.sent.lock().unwrap().counts)
    }

    /// What was parsed since this was last asked.
    pub(crate) fn parsed(&self) -> Vec<Parsed> {
        std::mem::take(&mut self.sent.lock().unwrap().parsed)
    }
}
