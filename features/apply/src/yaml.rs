//! YAML as a tree of JSON values, within limits. A key that stands twice is a problem, not the
//! last one's win.

use crate::document::Problem;
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};
use std::{
    cell::{Cell, RefCell},
    fmt,
};

/// The largest file.
pub(crate) const MAX_BYTES: usize = 1024 * 1024;
/// The deepest nesting.
const MAX_DEPTH: usize = 64;
/// The most values, counted where they stand and again wherever an alias repeats them.
const MAX_VALUES: usize = 100_000;
/// The most bytes of texts and of the paths of values, counted likewise: a long text or key costs as
/// often as it is repeated.
const MAX_TEXT: usize = 64 * 1024 * 1024;

/// Reads a document.
pub(crate) fn read(text: &str) -> Result<Value, Vec<Problem>> {
    if text.len() > MAX_BYTES {
        let message = "the file is larger than 1 MiB; divide it into several files";
        return Err(vec![Problem::new("", message)]);
    }
    let reader = Reader { values: Cell::new(0), text: Cell::new(0), problems: RefCell::default() };
    let node = Node { reader: &reader, path: String::new(), depth: 0 };
    let read = node.deserialize(serde_yaml_ng::Deserializer::from_str(text));
    let mut problems = reader.problems.into_inner();
    match read {
        Ok(value) if problems.is_empty() => Ok(value),
        Ok(_) => Err(problems),
        Err(error) => {
            problems.push(Problem::new("", format!("the file cannot be read: {error}")));
            Err(problems)
        }
    }
}

struct Reader {
    values: Cell<usize>,
    text: Cell<usize>,
    problems: RefCell<Vec<Problem>>,
}

impl Reader {
    fn take<E: Error>(&self, text: usize) -> Result<(), E> {
        self.text.set(self.text.get() + text);
        let too_much = "its texts, with what aliases repeat, are longer than 64 MiB; write them once";
        if self.text.get() > MAX_TEXT { Err(E::custom(too_much)) } else { Ok(()) }
    }
}

struct Node<'a> {
    reader: &'a Reader,
    path: String,
    depth: usize,
}

impl Node<'_> {
    fn below(&self, path: String) -> Node<'_> {
        Node { reader: self.reader, path, depth: self.depth + 1 }
    }
}

impl<'de> DeserializeSeed<'de> for Node<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        let values = self.reader.values.get() + 1;
        self.reader.values.set(values);
        if values > MAX_VALUES {
            return Err(D::Error::custom("it holds more than 100000 values; divide it into several files"));
        }
        self.reader.take(self.path.len())?;
        if self.depth > MAX_DEPTH {
            return Err(D::Error::custom(format!("{} is nested too deeply", self.path)));
        }
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Node<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("plain YAML without tags")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom("a number that is none"))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        if value.contains('\0') {
            return Err(E::custom(format!("{} contains a NUL character", self.path)));
        }
        self.reader.take(value.len())?;
        Ok(value.into())
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(value) = seq.next_element_seed(self.below(format!("{}[{}]", self.path, list.len())))? {
            list.push(value);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some(key) = access.next_key::<String>()? {
            let dot = if self.path.is_empty() { "" } else { "." };
            let path = format!("{}{dot}{key}", self.path);
            if key.contains('\0') {
                return Err(A::Error::custom("a key contains a NUL character"));
            }
            let value = access.next_value_seed(self.below(path.clone()))?;
            if map.insert(key, value).is_some() {
                self.reader.problems.borrow_mut().push(Problem::new(path, "stands twice; keep one of them"));
            }
        }
        Ok(Value::Object(map))
    }
}
