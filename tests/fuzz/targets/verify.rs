#![no_main]
#![allow(dead_code, unused_imports)]

#[path = "../../it/fuzz"]
mod fuzz {
    mod reader;
    pub(crate) mod verify;
}

#[path = "../../it/signature"]
mod signature {
    const VECTORS: &str = "";

    pub(crate) mod vendors;
}

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::verify::run(data));
