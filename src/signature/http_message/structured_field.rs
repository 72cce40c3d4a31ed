//! Structured fields (RFC 9651), as far as signatures need them, in canonical form only:
//! [`dictionary`].

/// The largest length of a field, all its lines together, in bytes.
const MAX_LEN: usize = 8 * 1024;

/// The largest number of members of a dictionary, of items of a list, and of parameters of either.
const MAX_COUNT: usize = 32;

/// The text is not a dictionary in canonical form, or is above a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Malformed;

/// Member of a dictionary.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Member<'a> {
    pub(super) key: &'a str,
    pub(super) value: Value<'a>,
    pub(super) parameters: Vec<(&'a str, BareItem<'a>)>,
    /// Value and parameters as written.
    pub(super) text: &'a str,
}

/// Value of a member.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Value<'a> {
    Item(BareItem<'a>),
    /// The items with their parameters, as written.
    InnerList(Vec<&'a str>),
}

/// Value without parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BareItem<'a> {
    /// What is between the quotes, with its escapes.
    String(&'a str),
    Integer(i64),
    /// Base64, as written.
    Bytes(&'a str),
    /// Of a type that no signature has.
    Other,
}

/// Parses a dictionary.
///
/// Whitespace is accepted around the commas only, because proxies join lines. The parser of RFC
/// 9651 accepts more, for texts that no serializer writes: with those, sender and receiver could
/// build different signature bases.
pub(super) fn dictionary(text: &str) -> Result<Vec<Member<'_>>, Malformed> {
    if text.len() > MAX_LEN {
        return Err(Malformed);
    }
    let mut cursor = Cursor { rest: text };
    let mut members = Vec::new();
    loop {
        push(&mut members, cursor.member()?)?;
        cursor.take_while(is_whitespace);
        if cursor.rest.is_empty() {
            return Ok(members);
        }
        cursor.expect(b',')?;
        cursor.take_while(is_whitespace);
    }
}

/// Returns whether the text can be a key, of at most 64 bytes.
pub(super) fn is_key(text: &str) -> bool {
    let mut cursor = Cursor { rest: text };
    text.len() <= 64 && cursor.key().is_ok() && cursor.rest.is_empty()
}

/// Returns whether the text can be between the quotes of a string without escapes, and is neither
/// empty nor longer than 256 bytes.
pub(super) fn is_plain_string(text: &str) -> bool {
    let is_plain = |byte: u8| matches!(byte, b' '..=b'~') && byte != b'"' && byte != b'\\';
    !text.is_empty() && text.len() <= 256 && text.bytes().all(is_plain)
}

fn push<T>(list: &mut Vec<T>, item: T) -> Result<(), Malformed> {
    if list.len() >= MAX_COUNT {
        return Err(Malformed);
    }
    list.push(item);
    Ok(())
}

const fn is_whitespace(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

struct Cursor<'a> {
    rest: &'a str,
}

impl<'a> Cursor<'a> {
    fn peek(&self) -> Option<u8> {
        self.rest.bytes().next()
    }

    /// Skips an ASCII character. Returns whether it was there.
    fn eat(&mut self, byte: u8) -> bool {
        let rest = self.rest.strip_prefix(char::from(byte));
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn expect(&mut self, byte: u8) -> Result<(), Malformed> {
        if self.eat(byte) { Ok(()) } else { Err(Malformed) }
    }

    /// Takes the ASCII characters at the start for which the predicate holds.
    fn take_while(&mut self, is_wanted: impl Fn(u8) -> bool) -> &'a str {
        let end = self.rest.bytes().position(|byte| !byte.is_ascii() || !is_wanted(byte));
        self.take(end.unwrap_or(self.rest.len()))
    }

    /// Takes ASCII text of this length.
    fn take(&mut self, len: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at_checked(len).unwrap_or((self.rest, ""));
        self.rest = rest;
        taken
    }

    /// Returns what was read since the text was `before`.
    fn since(&self, before: &'a str) -> &'a str {
        before.get(..before.len().saturating_sub(self.rest.len())).unwrap_or_default()
    }

    fn member(&mut self) -> Result<Member<'a>, Malformed> {
        let key = self.key()?;
        let is_true = !self.eat(b'=');
        let before = self.rest;
        let value = match self.peek() {
            _ if is_true => Value::Item(BareItem::Other),
            Some(b'(') => Value::InnerList(self.inner_list()?),
            _ => Value::Item(self.bare_item()?),
        };
        let parameters = self.parameters()?;
        Ok(Member { key, value, parameters, text: self.since(before) })
    }

    fn key(&mut self) -> Result<&'a str, Malformed> {
        let is_start = |byte: u8| byte.is_ascii_lowercase() || byte == b'*';
        if !self.peek().is_some_and(is_start) {
            return Err(Malformed);
        }
        Ok(self.take_while(|byte| {
            is_start(byte) || byte.is_ascii_digit() || matches!(byte, b'_' | b'-' | b'.')
        }))
    }

    fn inner_list(&mut self) -> Result<Vec<&'a str>, Malformed> {
        self.expect(b'(')?;
        let mut items = Vec::new();
        if self.eat(b')') {
            return Ok(items);
        }
        loop {
            let before = self.rest;
            self.bare_item()?;
            self.parameters()?;
            push(&mut items, self.since(before))?;
            if self.eat(b')') {
                return Ok(items);
            }
            self.expect(b' ')?;
        }
    }

    fn parameters(&mut self) -> Result<Vec<(&'a str, BareItem<'a>)>, Malformed> {
        let mut parameters = Vec::new();
        while self.eat(b';') {
            let key = self.key()?;
            let value = if self.eat(b'=') { self.bare_item()? } else { BareItem::Other };
            push(&mut parameters, (key, value))?;
        }
        Ok(parameters)
    }

    fn bare_item(&mut self) -> Result<BareItem<'a>, Malformed> {
        match self.peek().ok_or(Malformed)? {
            b'"' => self.string(),
            b':' => {
                self.expect(b':')?;
                let is_base64 =
                    |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=');
                let text = self.take_while(is_base64);
                self.expect(b':')?;
                Ok(BareItem::Bytes(text))
            }
            b'-' | b'0'..=b'9' => self.number(),
            b'?' => {
                self.expect(b'?')?;
                if self.eat(b'0') || self.eat(b'1') { Ok(BareItem::Other) } else { Err(Malformed) }
            }
            b'*' | b'A'..=b'Z' | b'a'..=b'z' => {
                self.take_while(|byte| byte.is_ascii_alphanumeric() || TOKEN.contains(&byte));
                Ok(BareItem::Other)
            }
            _ => Err(Malformed),
        }
    }

    fn string(&mut self) -> Result<BareItem<'a>, Malformed> {
        self.expect(b'"')?;
        let before = self.rest;
        loop {
            self.take_while(|byte| matches!(byte, b' '..=b'~') && byte != b'"' && byte != b'\\');
            let text = self.since(before);
            if self.eat(b'"') {
                return Ok(BareItem::String(text));
            }
            self.expect(b'\\')?;
            if !self.eat(b'"') {
                self.expect(b'\\')?;
            }
        }
    }

    fn number(&mut self) -> Result<BareItem<'a>, Malformed> {
        let before = self.rest;
        let is_negative = self.eat(b'-');
        let digits = self.take_while(|byte| byte.is_ascii_digit());
        let has_leading_zero = digits.len() > 1 && digits.starts_with('0');
        if digits.is_empty() || has_leading_zero {
            return Err(Malformed);
        }
        if self.eat(b'.') {
            let fraction = self.take_while(|byte| byte.is_ascii_digit());
            let fits = digits.len() <= 12 && matches!(fraction.len(), 1..=3);
            return if fits { Ok(BareItem::Other) } else { Err(Malformed) };
        }
        if digits.len() > 15 || (is_negative && digits == "0") {
            return Err(Malformed);
        }
        self.since(before).parse().map(BareItem::Integer).map_err(|_| Malformed)
    }
}

/// What a token may contain beside letters and digits.
const TOKEN: &[u8] = b"!#$%&'*+-.^_`|~:/";

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn one(text: &str) -> Result<Member<'_>, Malformed> {
        let mut members = dictionary(text)?;
        assert_eq!(members.len(), 1, "{text}");
        Ok(members.remove(0))
    }

    #[test]
    fn inner_list_keeps_items_and_parameters() {
        let text = r#"sig1=("@method" "a";req;key="b c");created=-1;nonce="x\"\\y";req"#;
        let member = one(text).unwrap();
        assert_eq!(member.key, "sig1");
        assert_eq!(member.value, Value::InnerList(vec![r#""@method""#, r#""a";req;key="b c""#]));
        assert_eq!(
            member.parameters,
            [
                ("created", BareItem::Integer(-1)),
                ("nonce", BareItem::String(r#"x\"\\y"#)),
                ("req", BareItem::Other),
            ]
        );
        assert_eq!(member.text, &text[5..]);
        assert_eq!(one("a=()").unwrap().value, Value::InnerList(Vec::new()));
    }

    #[test]
    fn lines_may_be_joined_with_whitespace() {
        let members = dictionary("a=:AA==:,b=?0 \t,\t c=tok/en:*;x=1.5, *d;y").unwrap();
        let texts: Vec<_> = members.iter().map(|member| (member.key, member.text)).collect();
        assert_eq!(texts, [("a", ":AA==:"), ("b", "?0"), ("c", "tok/en:*;x=1.5"), ("*d", ";y")]);
        assert_eq!(members[0].value, Value::Item(BareItem::Bytes("AA==")));
    }

    #[test]
    fn label_is_one_whole_key() {
        let longest = "a".repeat(64);
        for key in ["sig1", "*a-b_c.d", &longest] {
            assert!(is_key(key), "{key}");
        }
        for bad in ["", "aB", "1a", "a b", &format!("{longest}a")] {
            assert!(!is_key(bad), "{bad}");
        }
    }

    #[test]
    fn other_than_canonical_form_is_malformed() {
        for bad in [
            "",
            " a=1",
            "a=1,",
            "a=1,,b=1",
            "A=1",
            "1=1",
            "a =1",
            "a= 1",
            "a=1 b=2",
            "a=1; b",
            "a=1 ;b",
            "a=( 1)",
            "a=(1 )",
            "a=(1  2)",
            "a=(1\t2)",
            "a=(1",
            "a=((1))",
            "a=01",
            "a=-0",
            "a=-",
            "a=1.",
            "a=1.2345",
            "a=1234567890123456",
            "a=\"",
            "a=\"b",
            r#"a="\b""#,
            "a=\"\u{e9}\"",
            "a=\"\u{7f}\"",
            "a=:AA==",
            "a=:A_-A:",
            "a=?2",
            "a=@1",
            "a=%\"\"",
            "\u{e9}",
        ] {
            assert_eq!(dictionary(bad), Err(Malformed), "{bad}");
        }
    }

    #[test]
    fn counts_and_length_are_limited() {
        let list = |count| vec!["a"; count].join(",");
        assert_eq!(dictionary(&list(32)).unwrap().len(), 32);
        assert_eq!(dictionary(&list(33)), Err(Malformed));
        let items = |count| format!("a=({})", vec!["1"; count].join(" "));
        assert!(dictionary(&items(32)).is_ok());
        assert_eq!(dictionary(&items(33)), Err(Malformed));
        let parameters = |count| format!("a{}", ";b".repeat(count));
        assert!(dictionary(&parameters(32)).is_ok());
        assert_eq!(dictionary(&parameters(33)), Err(Malformed));
        let long = |len: usize| format!("a=:{}:", "A".repeat(len - 4));
        assert!(dictionary(&long(8_192)).is_ok());
        assert_eq!(dictionary(&long(8_193)), Err(Malformed));
    }

    proptest! {
        #[test]
        fn arbitrary_text_does_not_panic(
            text in "[ -~\t\u{e9}]{0,40}",
            near in r#"[abs1=();:"\\ ,?.*-]{0,60}"#,
        ) {
            _ = dictionary(&text);
            if let Ok(members) = dictionary(&near) {
                let is_part = |member: &Member<'_>| near.contains(member.text);
                prop_assert!(members.iter().all(is_part));
            }
        }
    }
}
