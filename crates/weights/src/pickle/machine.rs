//! The machine: a stack, marks and a memo, as `CPython`'s `Lib/pickle.py` has them.

use super::cursor::Cursor;
use super::escape::unescaped;
use super::opcode as op;
use super::{Budget, Fault, Id, Node, Object, Tree};
use base::{Error, Region, Result};
use std::collections::HashMap;

/// Texts up to this length are kept in memory.
const SHORT: u64 = 4096;
/// Values and marks on the stack at most.
const MOST_ON_STACK: usize = 1 << 20;
/// Names in a pickle, of classes and functions, that are longer are no names.
const LONGEST_NAME: usize = 1024;

/// Reads the pickle that begins at this place of a region; what comes back with it is where it ends.
///
/// # Errors
/// It is no whole pickle, is larger than the limits, or the file cannot be read.
pub(crate) fn read(region: &Region, start: u64, budget: &mut Budget) -> Result<(Tree, u64)> {
    let cursor = Cursor::new(region, start);
    let mut machine =
        Machine { cursor, budget, tree: Tree::new(), stack: Vec::new(), marks: Vec::new(), memo: HashMap::new() };
    loop {
        let at = machine.cursor.at();
        let opcode = machine.cursor.byte();
        let done = opcode.and_then(|opcode| machine.step(opcode).map_err(|fault| named(fault, opcode)));
        match done {
            Ok(None) => {}
            Ok(Some(root)) => {
                machine.tree.root = root;
                return Ok((machine.tree, machine.cursor.at()));
            }
            Err(Fault::Other(error)) => return Err(error),
            Err(Fault::TooMuch(reason)) => {
                return Err(Error::file(region.path(), format!("is too large a pickle: {reason}"))
                    .with_hint("Save the weights alone: torch.save(model.state_dict(), path)."));
            }
            Err(Fault::Broken(reason)) => {
                let place = region.start().saturating_add(at);
                return Err(Error::file(region.path(), format!("is no whole pickle: at byte {place}, {reason}"))
                    .with_hint("It is damaged, or was cut: copy or download it again."));
            }
        }
    }
}

/// The fault with the name of the opcode at which it came up.
fn named(fault: Fault, opcode: u8) -> Fault {
    match (fault, op::name(opcode)) {
        (Fault::Broken(reason), Some(name)) => Fault::Broken(format!("{name}: {reason}")),
        (fault, _) => fault,
    }
}

struct Machine<'r> {
    cursor: Cursor<'r>,
    budget: &'r mut Budget,
    tree: Tree,
    stack: Vec<Id>,
    marks: Vec<usize>,
    memo: HashMap<u32, Id>,
}

type Step<T = ()> = std::result::Result<T, Fault>;

fn broken(reason: impl Into<String>) -> Fault {
    Fault::Broken(reason.into())
}

impl Machine<'_> {
    /// Does what an opcode says; at the end, the value.
    fn step(&mut self, opcode: u8) -> Step<Option<Id>> {
        match opcode {
            op::STOP => return self.pop().map(Some),
            op::PROTO => {
                let version = self.cursor.byte()?;
                if version > 5 {
                    return Err(broken(format!("protocol {version}; 0 to 5 are known")));
                }
            }
            // Only a hint of how much to read at once.
            op::FRAME => drop(self.cursor.bytes::<8>()?),
            op::MARK if self.marks.len() >= MOST_ON_STACK => {
                return Err(Fault::TooMuch(format!("its stack holds more than {MOST_ON_STACK} marks")));
            }
            op::MARK => self.marks.push(self.stack.len()),
            op::POP if self.marks.last() == Some(&self.stack.len()) => drop(self.marks.pop()),
            op::POP => drop(self.pop()?),
            op::POP_MARK => drop(self.marked()?),
            op::DUP => {
                let top = self.top()?;
                self.put(top)?;
            }

            op::NONE => self.push(Node::None)?,
            op::NEWTRUE => self.push(Node::Bool(true))?,
            op::NEWFALSE => self.push(Node::Bool(false))?,
            op::BININT1 => {
                let value = self.cursor.byte()?;
                self.push(Node::Int(value.into()))?;
            }
            op::BININT2 => {
                let value = u16::from_le_bytes(self.cursor.bytes()?);
                self.push(Node::Int(value.into()))?;
            }
            op::BININT => {
                let value = i32::from_le_bytes(self.cursor.bytes()?);
                self.push(Node::Int(value.into()))?;
            }
            op::LONG1 => {
                let length = self.cursor.byte()?;
                self.integer(length.into())?;
            }
            op::LONG4 => {
                let length = self.cursor.bytes()?;
                let length = u64::try_from(i32::from_le_bytes(length)).map_err(|_| broken("a negative length"))?;
                self.integer(length)?;
            }
            op::INT | op::LONG => {
                let line = self.line()?;
                let text = line.trim_end_matches('L');
                let node = match (opcode, text) {
                    (op::INT, "00") => Node::Bool(false),
                    (op::INT, "01") => Node::Bool(true),
                    _ => Node::Int(text.parse().map_err(|_| broken("no integer of 64 bits"))?),
                };
                self.push(node)?;
            }
            op::FLOAT => {
                let value = self.line()?.parse().map_err(|_| broken("no number"))?;
                self.push(Node::Float(value))?;
            }
            op::BINFLOAT => {
                let value = f64::from_be_bytes(self.cursor.bytes()?);
                self.push(Node::Float(value))?;
            }

            op::SHORT_BINUNICODE | op::BINUNICODE | op::BINUNICODE8 => {
                let length = self.length(opcode)?;
                self.text(length)?;
            }
            op::SHORT_BINBYTES | op::BINBYTES | op::BINBYTES8 | op::BYTEARRAY8 => {
                let length = self.length(opcode)?;
                let span = self.cursor.span(length)?;
                self.push(Node::Bytes(span))?;
            }
            op::SHORT_BINSTRING | op::BINSTRING => {
                let length = self.length(opcode)?;
                self.old_string(length)?;
            }
            op::UNICODE => {
                // Letters of one byte, and escapes of numbers alone.
                let line: String = self.cursor.line()?.into_iter().map(char::from).collect();
                self.push_text(unescaped(&line, false))?;
            }
            op::STRING => {
                let line = self.line()?;
                let quoted = line.trim();
                let inner = ['\'', '"'].into_iter().find_map(|q| quoted.strip_prefix(q)?.strip_suffix(q));
                self.push_text(unescaped(inner.ok_or_else(|| broken("a text without quotes"))?, true))?;
            }
            op::NEXT_BUFFER | op::READONLY_BUFFER => return Err(broken("what it holds was saved in another file")),

            op::EMPTY_LIST => self.push(Node::List(Vec::new()))?,
            op::EMPTY_DICT => self.push(Node::Dict(Vec::new()))?,
            op::EMPTY_SET => self.push(Node::Set(Vec::new()))?,
            op::EMPTY_TUPLE => self.push(Node::Tuple(Box::default()))?,
            op::TUPLE1 => self.tuple(1)?,
            op::TUPLE2 => self.tuple(2)?,
            op::TUPLE3 => self.tuple(3)?,
            op::TUPLE => {
                let items = self.marked_of_new()?;
                self.push(Node::Tuple(items.into()))?;
            }
            op::LIST => {
                let items = self.marked_of_new()?;
                self.push(Node::List(items))?;
            }
            op::FROZENSET => {
                let items = self.marked_of_new()?;
                self.push(Node::Set(items))?;
            }
            op::DICT => {
                let entries = pairs(&self.marked_of_new()?)?;
                self.push(Node::Dict(entries))?;
            }
            op::APPEND => {
                let item = self.pop()?;
                self.append(&[item])?;
            }
            op::APPENDS | op::ADDITEMS => {
                let items = self.marked()?;
                self.append(&items)?;
            }
            op::SETITEM => {
                let value = self.pop()?;
                let key = self.pop()?;
                self.set(&[(key, value)])?;
            }
            op::SETITEMS => {
                let entries = pairs(&self.marked()?)?;
                self.set(&entries)?;
            }

            op::GLOBAL => {
                let (module, name) = (self.line()?, self.line()?);
                self.global(&module, &name)?;
            }
            op::STACK_GLOBAL => {
                let name = self.pop()?;
                let module = self.pop()?;
                if [module, name].iter().any(|&id| self.tree.text(id).is_none_or(|text| text.len() > LONGEST_NAME)) {
                    return Err(broken("the names of a class are no texts"));
                }
                self.push(Node::Global { module, name })?;
            }
            op::EXT1 | op::EXT2 | op::EXT4 => {
                let number = match opcode {
                    op::EXT1 => self.cursor.byte()?.into(),
                    op::EXT2 => u16::from_le_bytes(self.cursor.bytes()?).into(),
                    _ => u32::from_le_bytes(self.cursor.bytes()?),
                };
                self.global("copyreg.extension", &number.to_string())?;
            }
            op::REDUCE | op::NEWOBJ => {
                let arguments = self.pop()?;
                let class = self.pop()?;
                self.object(class, arguments, None)?;
            }
            op::NEWOBJ_EX => {
                let named = self.pop()?;
                let arguments = self.pop()?;
                let class = self.pop()?;
                self.object(class, arguments, Some(named))?;
            }
            op::OBJ => {
                let items = self.marked_of_new()?;
                let (&class, items) = items.split_first().ok_or_else(|| broken("there is no class"))?;
                let arguments = self.tree.add(Node::Tuple(items.into()), self.budget)?;
                self.object(class, arguments, None)?;
            }
            op::INST => {
                let (module, name) = (self.line()?, self.line()?);
                let items = self.marked_of_new()?;
                self.global(&module, &name)?;
                let class = self.pop()?;
                let arguments = self.tree.add(Node::Tuple(items.into()), self.budget)?;
                self.object(class, arguments, None)?;
            }
            op::BUILD => {
                let state = self.pop()?;
                let top = self.top()?;
                match self.tree.node_mut(top) {
                    Some(Node::Object(object)) => object.state = Some(state),
                    _ => return Err(broken("a state is given to what is no object")),
                }
            }
            op::PERSID => {
                let line = self.line()?;
                self.push_text(line)?;
                let name = self.pop()?;
                self.push(Node::Persistent(name))?;
            }
            op::BINPERSID => {
                let name = self.pop()?;
                self.push(Node::Persistent(name))?;
            }

            op::PUT | op::BINPUT | op::LONG_BINPUT | op::MEMOIZE => {
                let place = match opcode {
                    op::MEMOIZE => self.memo.len() as u32,
                    op::PUT => self.line()?.parse().map_err(|_| broken("no place in the memo"))?,
                    op::BINPUT => self.cursor.byte()?.into(),
                    _ => u32::from_le_bytes(self.cursor.bytes()?),
                };
                let top = self.top()?;
                if self.memo.insert(place, top).is_none() {
                    self.budget.places(1)?;
                }
            }
            op::GET | op::BINGET | op::LONG_BINGET => {
                let place = match opcode {
                    op::GET => self.line()?.parse().map_err(|_| broken("no place in the memo"))?,
                    op::BINGET => self.cursor.byte()?.into(),
                    _ => u32::from_le_bytes(self.cursor.bytes()?),
                };
                let found = self.memo.get(&place).copied();
                self.put(found.ok_or_else(|| broken(format!("nothing was kept at {place}")))?)?;
            }
            unknown => return Err(broken(format!("{unknown:#04x} is no opcode"))),
        }
        Ok(None)
    }

    fn push(&mut self, node: Node) -> Step {
        let id = self.tree.add(node, self.budget)?;
        self.put(id)
    }

    /// Puts a value on the stack that is there already.
    fn put(&mut self, id: Id) -> Step {
        if self.stack.len() >= MOST_ON_STACK {
            return Err(Fault::TooMuch(format!("its stack holds more than {MOST_ON_STACK} values")));
        }
        self.stack.push(id);
        Ok(())
    }

    /// What lies under the last mark belongs to somebody else.
    fn top(&self) -> Step<Id> {
        let floor = self.marks.last().copied().unwrap_or(0);
        self.stack.get(floor..).and_then(<[Id]>::last).copied().ok_or_else(|| broken("the stack is empty"))
    }

    fn pop(&mut self) -> Step<Id> {
        let top = self.top()?;
        self.stack.pop();
        Ok(top)
    }

    /// All above the last mark, which goes.
    fn marked(&mut self) -> Step<Vec<Id>> {
        let mark = self.marks.pop().ok_or_else(|| broken("there is no mark"))?;
        Ok(self.stack.split_off(mark.min(self.stack.len())))
    }

    /// As [`Machine::marked`], for a new value that holds them.
    fn marked_of_new(&mut self) -> Step<Vec<Id>> {
        let items = self.marked()?;
        self.budget.places(items.len())?;
        Ok(items)
    }

    fn tuple(&mut self, count: usize) -> Step {
        let mut items = Vec::with_capacity(count);
        for _ in 0..count {
            items.push(self.pop()?);
        }
        items.reverse();
        self.budget.places(count)?;
        self.push(Node::Tuple(items.into()))
    }

    fn append(&mut self, items: &[Id]) -> Step {
        self.budget.places(items.len())?;
        let top = self.top()?;
        match self.tree.node_mut(top) {
            Some(Node::List(list) | Node::Set(list)) => list.extend_from_slice(items),
            Some(Node::Object(object)) => object.items.extend_from_slice(items),
            _ => return Err(broken("something is appended to what is no list")),
        }
        Ok(())
    }

    fn set(&mut self, entries: &[(Id, Id)]) -> Step {
        self.budget.places(2 * entries.len())?;
        let top = self.top()?;
        match self.tree.node_mut(top) {
            Some(Node::Dict(dict)) => dict.extend_from_slice(entries),
            Some(Node::Object(object)) => object.entries.extend_from_slice(entries),
            _ => return Err(broken("an entry is set in what is no dictionary")),
        }
        Ok(())
    }

    fn object(&mut self, class: Id, arguments: Id, named: Option<Id>) -> Step {
        // An object takes some more memory than other values.
        self.budget.places(8)?;
        let object = Object { class, arguments, named, state: None, items: Vec::new(), entries: Vec::new() };
        self.push(Node::Object(Box::new(object)))
    }

    fn global(&mut self, module: &str, name: &str) -> Step {
        if module.len() > LONGEST_NAME || name.len() > LONGEST_NAME {
            return Err(broken("the name of a class is too long"));
        }
        self.push_text(module.to_owned())?;
        self.push_text(name.to_owned())?;
        let name = self.pop()?;
        let module = self.pop()?;
        self.push(Node::Global { module, name })
    }

    /// The length that stands before texts and bytes.
    fn length(&mut self, opcode: u8) -> Step<u64> {
        Ok(match opcode {
            op::SHORT_BINUNICODE | op::SHORT_BINBYTES | op::SHORT_BINSTRING => self.cursor.byte()?.into(),
            op::BINUNICODE8 | op::BINBYTES8 | op::BYTEARRAY8 => u64::from_le_bytes(self.cursor.bytes()?),
            _ => u32::from_le_bytes(self.cursor.bytes()?).into(),
        })
    }

    fn integer(&mut self, length: u64) -> Step {
        if length > 1 << 16 {
            return Err(broken(format!("an integer of {length} bytes")));
        }
        let bytes = self.cursor.take(length)?;
        let node = match bytes.len() {
            0..=8 => {
                let fill = if bytes.last().is_some_and(|last| last & 0x80 != 0) { 0xff } else { 0 };
                let mut all = [fill; 8];
                all.iter_mut().zip(&bytes).for_each(|(to, from)| *to = *from);
                Node::Int(i64::from_le_bytes(all))
            }
            more => {
                self.budget.text(more)?;
                Node::Big(bytes.into())
            }
        };
        self.push(node)
    }

    fn text(&mut self, length: u64) -> Step {
        if length > SHORT {
            let span = self.cursor.span(length)?;
            return self.push(Node::LongText(span));
        }
        let bytes = self.cursor.take(length)?;
        self.push_text(String::from_utf8(bytes).map_err(|_| broken("a text is no UTF-8"))?)
    }

    /// A string of Python 2: a text, or bytes of anything.
    fn old_string(&mut self, length: u64) -> Step {
        let span = self.cursor.span(length)?;
        if length <= SHORT
            && let Ok(text) = String::from_utf8(span.read(0, length)?)
        {
            return self.push_text(text);
        }
        self.push(Node::Bytes(span))
    }

    fn push_text(&mut self, text: String) -> Step {
        self.budget.text(text.len())?;
        self.push(Node::Text(text.into()))
    }

    fn line(&mut self) -> Step<String> {
        String::from_utf8(self.cursor.line()?).map_err(|_| broken("a line is no UTF-8"))
    }
}

fn pairs(items: &[Id]) -> Step<Vec<(Id, Id)>> {
    match items.as_chunks::<2>() {
        (pairs, []) => Ok(pairs.iter().map(|&[key, value]| (key, value)).collect()),
        _ => Err(broken("a key has no value")),
    }
}
