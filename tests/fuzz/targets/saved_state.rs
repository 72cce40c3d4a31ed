#![no_main]
#![allow(dead_code, unused_imports)]

#[path = "../../it/damaged_state.rs"]
mod damaged_state;
#[path = "../../it/saved_state.rs"]
mod saved_state;
#[path = "../../it/support.rs"]
mod support;

#[path = "../../it/fuzz"]
mod fuzz {
    mod reader;
    pub(crate) mod saved_state;
}

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::saved_state::run(data));
