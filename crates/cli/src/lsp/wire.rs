//! Messages of the language server protocol: a header with the length, then JSON.

use std::io::{BufRead, Write};

use anyhow::{Context, Result, bail};
use serde_json::Value as Json;

/// Bytes of a message; a longer one is a mistake of the client.
const MESSAGE_BYTES_MAX: usize = 64 << 20;

/// Reads the next message; None at the end of the input.
///
/// # Errors
/// A message without its length, too long, or no JSON.
pub fn read(input: &mut dyn BufRead) -> Result<Option<Json>> {
    let mut length = None;
    loop {
        let mut line = String::new();
        if input.read_line(&mut line).context("reading a message of the editor")? == 0 {
            return Ok(None);
        }
        let line = line.trim();
        if line.is_empty() {
            break;
        }
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse::<usize>().ok();
        }
    }
    let Some(length) = length.filter(|length| *length <= MESSAGE_BYTES_MAX) else {
        bail!("a message of the editor has no usable Content-Length");
    };
    let mut body = vec![0; length];
    input.read_exact(&mut body).context("reading a message of the editor")?;
    Ok(Some(serde_json::from_slice(&body).context("a message of the editor is no JSON")?))
}

/// Writes a message.
///
/// # Errors
/// Output that cannot be written.
pub fn write(output: &mut dyn Write, message: &Json) -> Result<()> {
    let body = serde_json::to_vec(message)?;
    write!(output, "Content-Length: {}\r\n\r\n", body.len())?;
    output.write_all(&body)?;
    output.flush()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let mut bytes = Vec::new();
        for message in [json!({"id": 1, "text": "ż😀"}), json!({"id": 2})] {
            write(&mut bytes, &message).unwrap();
        }
        let mut input = bytes.as_slice();
        assert_eq!(read(&mut input).unwrap(), Some(json!({"id": 1, "text": "ż😀"})));
        assert_eq!(read(&mut input).unwrap(), Some(json!({"id": 2})));
        assert_eq!(read(&mut input).unwrap(), None);
    }

    #[test]
    fn messages_that_are_none_are_errors() {
        for bytes in [
            "Content-Length: x\r\n\r\n{}",
            "\r\n{}",
            "Content-Length: 999999999999\r\n\r\n",
            "Content-Length: 9\r\n\r\n{}",
        ] {
            assert!(read(&mut bytes.as_bytes()).is_err(), "{bytes}");
        }
    }
}
