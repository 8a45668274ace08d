//! The documents of a file, divided by lines `---`, one after another: a file may be far larger than
//! a document.

use crate::yaml::MAX_BYTES;
use std::io::{self, BufRead, Read};

/// The texts of the documents of a file, in its order.
pub struct Documents<R> {
    file: R,
    any: bool,
    ended: bool,
}

impl<R: BufRead> Documents<R> {
    /// The documents of this file.
    pub const fn new(file: R) -> Self {
        Self { file, any: false, ended: false }
    }

    /// The lines up to the next that divides. Of a document that is too large only the beginning is
    /// read, which is too large as well.
    fn text(&mut self) -> io::Result<String> {
        let mut text = Vec::new();
        loop {
            let start = text.len();
            let room = (MAX_BYTES + 1).saturating_sub(start);
            let read =
                self.file.by_ref().take(u64::try_from(room).unwrap_or(0)).read_until(b'\n', &mut text)?;
            self.ended = read == 0;
            let line = text.get(start..).unwrap_or_default();
            // YAML 1.2, section 9.1.4: at the beginning of a line nothing else can be written so.
            if line.trim_ascii_end() == b"---" {
                text.truncate(start);
                break;
            }
            if self.ended {
                break;
            }
        }
        String::from_utf8(text).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
    }
}

impl<R: BufRead> Iterator for Documents<R> {
    type Item = io::Result<String>;

    fn next(&mut self) -> Option<Self::Item> {
        while !self.ended {
            match self.text() {
                Ok(text) if is_blank(&text) && (self.any || !self.ended) => {}
                Ok(text) => {
                    self.any = true;
                    return Some(Ok(text));
                }
                Err(error) => {
                    self.ended = true;
                    return Some(Err(error));
                }
            }
        }
        None
    }
}

fn is_blank(text: &str) -> bool {
    text.lines().map(str::trim).all(|line| line.is_empty() || line.starts_with('#'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(file: &str) -> Vec<String> {
        Documents::new(file.as_bytes()).map(Result::unwrap).collect()
    }

    #[test]
    fn a_line_of_three_hyphens_divides_documents() {
        assert_eq!(texts("a: 1\n"), ["a: 1\n"]);
        assert_eq!(texts("---\na: 1\n"), ["a: 1\n"]);
        assert_eq!(
            texts("# about\n---\na: 1\n---\n# nothing\n---\r\nb: |\n  ---\n"),
            ["a: 1\n", "b: |\n  ---\n"]
        );
        assert_eq!(texts(""), [""], "that it is empty is said by whoever reads it");
    }

    #[test]
    fn of_a_document_that_is_too_large_only_the_beginning_is_read() {
        let long = "x".repeat(3 * MAX_BYTES);
        let texts = texts(&long);
        assert_eq!(texts[0].len(), MAX_BYTES + 1);
    }
}
