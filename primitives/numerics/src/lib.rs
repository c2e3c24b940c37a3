//! The integer transformer: one definition, the same bits everywhere.
