#![no_main]
#![allow(dead_code)]

#[path = "../../it/fuzz"]
mod fuzz {
    pub(crate) mod decode;
    mod reader;
}

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::decode::run(data));
