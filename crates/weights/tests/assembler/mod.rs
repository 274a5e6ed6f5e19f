//! Pickles, written opcode by opcode.

/// A pickle that grows.
pub(crate) struct Pickle(Vec<u8>);

impl Pickle {
    pub(crate) fn new(protocol: u8) -> Self {
        Self(vec![0x80, protocol])
    }

    pub(crate) fn op(mut self, opcode: u8) -> Self {
        self.0.push(opcode);
        self
    }

    fn with(mut self, bytes: &[u8]) -> Self {
        self.0.extend(bytes);
        self
    }

    pub(crate) fn none(self) -> Self {
        self.op(b'N')
    }

    pub(crate) fn mark(self) -> Self {
        self.op(b'(')
    }

    pub(crate) fn empty_dict(self) -> Self {
        self.op(b'}')
    }

    pub(crate) fn put(self, place: u8) -> Self {
        self.with(&[b'q', place])
    }

    pub(crate) fn get(self, place: u8) -> Self {
        self.with(&[b'h', place])
    }

    pub(crate) fn text(self, text: &str) -> Self {
        self.op(b'X').with(&(text.len() as u32).to_le_bytes()).with(text.as_bytes())
    }

    pub(crate) fn bytes(self, bytes: &[u8]) -> Self {
        self.op(b'B').with(&(bytes.len() as u32).to_le_bytes()).with(bytes)
    }

    pub(crate) fn int(self, value: i64) -> Self {
        self.with(&[0x8a, 8]).with(&value.to_le_bytes())
    }

    pub(crate) fn global(self, module: &str, name: &str) -> Self {
        self.op(b'c').with(format!("{module}\n{name}\n").as_bytes())
    }

    fn ints(self, values: &[i64]) -> Self {
        values.iter().fold(self.mark(), |pickle, &value| pickle.int(value)).op(b't')
    }

    /// What `torch.save` writes for a tensor: `_rebuild_tensor_v2(storage, offset, size, stride, ...)`.
    pub(crate) fn tensor(
        self,
        class: &str,
        key: &str,
        elements: i64,
        offset: i64,
        shape: &[i64],
        strides: &[i64],
    ) -> Self {
        let storage = self.global("torch._utils", "_rebuild_tensor_v2").mark().mark().text("storage");
        let storage = storage.global("torch", class).text(key).text("cpu").int(elements).op(b't').op(b'Q');
        storage.int(offset).ints(shape).ints(strides).op(0x89).op(b'}').op(b't').op(b'R')
    }

    /// What `NumPy` writes for an array of 4-byte numbers.
    pub(crate) fn array(self, shape: &[i64], data: &[u8]) -> Self {
        let array = self.global("numpy.core.multiarray", "_reconstruct");
        let array = array.global("numpy", "ndarray").ints(&[0]).bytes(b"b").op(0x87).op(b'R');
        let state = array.mark().int(1).ints(shape).global("numpy", "dtype").text("f4").int(0).int(1).op(0x87).op(b'R');
        let state = state.mark().int(3).text("<").none().none().none().int(-1).int(-1).int(0).op(b't').op(b'b');
        state.op(0x89).bytes(data).op(b't').op(b'b')
    }

    /// The whole pickle.
    pub(crate) fn stop(self) -> Vec<u8> {
        self.op(b'.').0
    }
}
