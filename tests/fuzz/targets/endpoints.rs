#![no_main]
#![allow(dead_code)]

#[path = "../../it/fuzz"]
mod fuzz {
    pub(crate) mod endpoints;
    mod reader;
}

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::endpoints::run(data));
