#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| why412::fuzzing::http2_request(bytes));
