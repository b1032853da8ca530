//! For what an ingress tries a request again.

use crate::diagnostic::Flaw;
use crate::scenario::text::value::Node;
use crate::scenario::text::word::unknown;
use crate::scenario::text::{Value, ValueShape};

/// When the ingress tries a request again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RetryCondition {
    /// The connection failed.
    ConnectFailure,
    /// It broke.
    Reset,
    /// The replica took longer than the read timeout.
    Timeout,
    /// Any of these, or any answer of the server's fault, as in Envoy.
    ServerError,
    /// Any of the first, or an answer that a gateway gives for others, as in Envoy.
    GatewayError,
    /// An answer with this status.
    Status(u16),
}

/// Those that have words.
const WORDS: [(&str, RetryCondition); 5] = [
    ("connect-failure", RetryCondition::ConnectFailure),
    ("reset", RetryCondition::Reset),
    ("timeout", RetryCondition::Timeout),
    ("5xx", RetryCondition::ServerError),
    ("gateway-error", RetryCondition::GatewayError),
];

/// What the words of other programs are called here.
const INSTEAD: [(&str, &str); 6] = [
    ("error", "nginx means \"connect-failure\" and \"reset\""),
    ("conn-failure", "write \"connect-failure\""),
    ("response-timeout", "write \"timeout\""),
    ("empty-response", "write \"reset\""),
    ("retriable-status-codes", "write the statuses, such as \"503\""),
    ("unavailable", "write \"503\""),
];

impl RetryCondition {
    /// Whether it covers what fails by another one: where no answer comes at all.
    pub(super) fn covers(self, other: RetryCondition) -> bool {
        self == other || matches!(self, RetryCondition::ServerError | RetryCondition::GatewayError)
    }

    /// The answers of a replica that it means.
    pub(super) fn statuses(self) -> Vec<u16> {
        match self {
            RetryCondition::ServerError => (500..600).collect(),
            RetryCondition::GatewayError => vec![502, 503, 504],
            RetryCondition::Status(status) => vec![status],
            RetryCondition::ConnectFailure | RetryCondition::Reset | RetryCondition::Timeout => {
                Vec::new()
            }
        }
    }
}

impl Value for RetryCondition {
    fn kind() -> String {
        let words: Vec<String> = WORDS.iter().map(|(word, _)| format!("\"{word}\"")).collect();
        format!("{} or a status, such as \"502\"", words.join(", "))
    }
    fn shape() -> ValueShape {
        let words = WORDS.map(|(word, _)| word).to_vec();
        ValueShape::Either(vec![
            ValueShape::Words(words),
            ValueShape::text("[45][0-9][0-9]"),
            ValueShape::Whole,
        ])
    }
    fn parse(text: &str) -> Result<Self, Flaw> {
        if let Some((_, found)) = WORDS.iter().find(|(word, _)| *word == text) {
            return Ok(*found);
        }
        let status = text.parse().ok().filter(|status| (400..600).contains(status));
        status.map(RetryCondition::Status).ok_or_else(|| {
            let flaw = unknown(text, &WORDS.map(|(word, _)| word));
            let instead = text.strip_prefix("http_").map(|status| format!("write \"{status}\""));
            let other = INSTEAD.iter().find(|(word, _)| *word == text);
            let instead = instead.or(other.map(|(_, help)| (*help).to_owned()));
            Flaw { help: instead.or(flaw.help.clone()), ..flaw }
        })
    }
    fn show(&self) -> String {
        let word = WORDS.iter().find(|(_, one)| one == self).map(|(word, _)| (*word).to_owned());
        match self {
            RetryCondition::Status(status) => format!("\"{status}\""),
            _ => format!("\"{}\"", word.unwrap_or_default()),
        }
    }
    fn read(node: &Node<'_>) -> Result<Self, Vec<Flaw>> {
        if let Some(number) = node.value.as_integer() {
            let read = Self::parse(number.as_str());
            return read.map_err(|flaw| vec![flaw.within(node.span.clone())]);
        }
        match node.value.as_str() {
            Some(text) => Self::parse(text).map_err(|flaw| vec![node.within(flaw, text)]),
            None => Err(vec![node.mistyped::<Self>()]),
        }
    }
}
