//! Types of the elements of tensors.

/// The type of a tensor's elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Dtype {
    /// Floating point, 64 bits.
    F64,
    /// Floating point, 32 bits.
    F32,
    /// Floating point, 16 bits.
    F16,
    /// Floating point, 16 bits, with the range of 32.
    BF16,
    /// Integer, 64 bits.
    I64,
    /// Integer, 32 bits.
    I32,
    /// Integer, 16 bits.
    I16,
    /// Integer, 8 bits.
    I8,
    /// Without sign, 64 bits.
    U64,
    /// Without sign, 32 bits.
    U32,
    /// Without sign, 16 bits.
    U16,
    /// Without sign, 8 bits.
    U8,
    /// 0 or 1, in 8 bits.
    Bool,
    /// A type that is known by name and size, and whose values are not read: complex numbers, 8-bit floating point, quantised ones.
    Other {
        /// As `PyTorch` calls it.
        name: &'static str,
        /// Bits of an element.
        bits: u8,
    },
}

/// `PyTorch`'s name of a type, the class of its storages, the type.
const TABLE: &[(&str, &str, Dtype)] = &[
    ("float64", "DoubleStorage", Dtype::F64),
    ("float32", "FloatStorage", Dtype::F32),
    ("float16", "HalfStorage", Dtype::F16),
    ("bfloat16", "BFloat16Storage", Dtype::BF16),
    ("int64", "LongStorage", Dtype::I64),
    ("int32", "IntStorage", Dtype::I32),
    ("int16", "ShortStorage", Dtype::I16),
    ("int8", "CharStorage", Dtype::I8),
    ("uint64", "", Dtype::U64),
    ("uint32", "", Dtype::U32),
    ("uint16", "", Dtype::U16),
    ("uint8", "ByteStorage", Dtype::U8),
    ("bool", "BoolStorage", Dtype::Bool),
    ("complex32", "ComplexHalfStorage", other("complex32", 32)),
    ("complex64", "ComplexFloatStorage", other("complex64", 64)),
    ("complex128", "ComplexDoubleStorage", other("complex128", 128)),
    ("qint8", "QInt8Storage", other("qint8", 8)),
    ("quint8", "QUInt8Storage", other("quint8", 8)),
    ("qint32", "QInt32Storage", other("qint32", 32)),
    ("quint4x2", "QUInt4x2Storage", other("quint4x2", 8)),
    ("quint2x4", "QUInt2x4Storage", other("quint2x4", 8)),
    ("float8_e4m3fn", "", other("float8_e4m3fn", 8)),
    ("float8_e5m2", "", other("float8_e5m2", 8)),
    ("float8_e4m3fnuz", "", other("float8_e4m3fnuz", 8)),
    ("float8_e5m2fnuz", "", other("float8_e5m2fnuz", 8)),
    ("float8_e8m0fnu", "", other("float8_e8m0fnu", 8)),
    ("float4_e2m1fn_x2", "", other("float4_e2m1fn_x2", 8)),
];

pub(crate) const fn other(name: &'static str, bits: u8) -> Dtype {
    Dtype::Other { name, bits }
}

impl Dtype {
    /// The type that `PyTorch` calls so: `float32`.
    pub(crate) fn of_torch(name: &str) -> Option<Self> {
        TABLE.iter().find(|row| row.0 == name).map(|row| row.2)
    }

    /// The type of what is in a storage of this class: `FloatStorage`. Storages without a type hold bytes.
    pub(crate) fn of_storage(class: &str) -> Option<Self> {
        if class == "UntypedStorage" {
            return Some(Self::U8);
        }
        TABLE.iter().find(|row| row.1 == class && !class.is_empty()).map(|row| row.2)
    }

    /// Its name, as `PyTorch` and `NumPy` write it: `float32`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Other { name, .. } => name,
            _ => TABLE.iter().find(|row| row.2 == self).map_or("", |row| row.0),
        }
    }

    /// Bits of an element.
    pub fn bits(self) -> u64 {
        match self {
            Self::F64 | Self::I64 | Self::U64 => 64,
            Self::F32 | Self::I32 | Self::U32 => 32,
            Self::F16 | Self::BF16 | Self::I16 | Self::U16 => 16,
            Self::I8 | Self::U8 | Self::Bool => 8,
            Self::Other { bits, .. } => bits.into(),
        }
    }

    /// Whether elements are floating-point numbers of a kind that is read.
    pub fn is_float(self) -> bool {
        matches!(self, Self::F64 | Self::F32 | Self::F16 | Self::BF16)
    }
}
