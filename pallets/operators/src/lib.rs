//! Records bonded workers and validators.
