//! Text for terminals. Everything here is a pure function of its input and reads the same without colour.
//!
//! | module | what it draws |
//! |---|---|
//! | `palette` | colours, or none |
//! | `table` | aligned columns |
//! | `curves` | supply and demand with the clearing prices |
//! | `clock` | points in time and what is left until them |

mod clock;
mod curves;
mod palette;
mod table;

pub(crate) use clock::{clock, span};
pub(crate) use curves::Curves;
pub(crate) use palette::Palette;
pub(crate) use table::{Column, Table};
