#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| why412::fuzzing::conditions(bytes));
