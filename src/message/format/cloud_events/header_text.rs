//! CloudEvents attributes as header values (HTTP protocol binding 1.0.2, section 3.1.3.2).

/// Percent-encodes space, double quote, percent and everything outside of printable ASCII, as
/// UTF-8.
pub(super) fn encode(text: &str) -> String {
    let digit = |nibble: u8| char::from_digit(u32::from(nibble), 16).unwrap_or_default();
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_graphic() && byte != b'"' && byte != b'%' {
            encoded.push(char::from(byte));
        } else {
            encoded.push('%');
            encoded.push(digit(byte >> 4).to_ascii_uppercase());
            encoded.push(digit(byte & 0xF).to_ascii_uppercase());
        }
    }
    encoded
}

/// Resolves double-quoted strings, which senders of older versions write, then percent-decodes
/// once. Returns `None` if the value is not printable ASCII, a quote is not closed, a percent sign
/// is not followed by two digits, or the result is not UTF-8.
pub(super) fn decode(value: &[u8]) -> Option<String> {
    let mut bytes = unquote(value)?.into_iter();
    let mut decoded = Vec::with_capacity(bytes.len());
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'%' => digit(bytes.next())? << 4 | digit(bytes.next())?,
            other => other,
        });
    }
    String::from_utf8(decoded).ok()
}

/// Resolves quoted strings (RFC 7230, section 3.2.6).
fn unquote(value: &[u8]) -> Option<Vec<u8>> {
    let mut unquoted = Vec::with_capacity(value.len());
    let mut quoted = false;
    let mut bytes = value.iter().copied();
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => quoted = !quoted,
            b'\\' if quoted => unquoted.push(bytes.next().filter(is_printable)?),
            other => unquoted.push(Some(other).filter(is_printable)?),
        }
    }
    (!quoted).then_some(unquoted)
}

fn is_printable(byte: &u8) -> bool {
    byte.is_ascii_graphic() || matches!(byte, b' ' | b'\t')
}

fn digit(byte: Option<u8>) -> Option<u8> {
    let value = char::from(byte?).to_digit(16)?;
    u8::try_from(value).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_text_encodes_the_specifications_example() {
        let (text, value) = ("Euro € 😀", "Euro%20%E2%82%AC%20%F0%9F%98%80");
        assert_eq!(encode(text), value);
        assert_eq!(decode(value.as_bytes()).as_deref(), Some(text));
        assert_eq!(encode("\u{7f}\"%~!\u{0}"), "%7F%22%25~!%00");
    }

    #[test]
    fn header_text_decodes_as_the_binding_requires() {
        for (value, text) in [
            (&b""[..], Some("")),
            (b"%e2%82%ac%41", Some("€A")),
            (b"%2520", Some("%20")),
            (b"a b", Some("a b")),
            (br#""Euro \" \\ \x%20" c"#, Some(r#"Euro " \ x  c"#)),
            (br"a\b", Some(r"a\b")),
            (b"%C0%A0", None),
            (b"%", None),
            (b"%4", None),
            (b"%4g", None),
            (b"%+1", None),
            (b"\"open", None),
            (b"\"open\\", None),
            (b"\xe9", None),
            ("€".as_bytes(), None),
        ] {
            assert_eq!(decode(value).as_deref(), text, "{value:?}");
        }
    }

    #[test]
    fn header_text_round_trips_every_character() {
        for char in (0..=0x10_FFFF).step_by(0x3D).filter_map(char::from_u32) {
            let text = format!("a{char}\" %");
            assert_eq!(decode(encode(&text).as_bytes()), Some(text));
        }
    }
}
