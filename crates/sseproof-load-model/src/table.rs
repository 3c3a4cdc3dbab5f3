//! Enums that are tables: each variant stands once, with its key and its definition.

/// Declares the enum, the list of its variants in the order of reports, and its columns.
macro_rules! table {
    (
        $(#[$meta:meta])*
        pub enum $name:ident of $by:ty { $key:ident: $key_type:ty, $text:ident: $text_type:ty }
        $($variant:ident = $value:expr, $definition:expr;)*
    ) => {
        $(#[$meta])*
        pub enum $name { $($variant,)* }

        impl $name {
            /// In the order of reports.
            pub const ALL: [Self; [$(stringify!($variant)),*].len()] = [$(Self::$variant),*];

            pub fn $key(self) -> $key_type {
                match self { $(Self::$variant => $value,)* }
            }

            pub fn $text(self) -> $text_type {
                match self { $(Self::$variant => $definition,)* }
            }

            pub fn of(key: $by) -> Option<Self> {
                Self::ALL.into_iter().find(|row| row.$key() == key)
            }
        }
    };
}
pub(crate) use table;
