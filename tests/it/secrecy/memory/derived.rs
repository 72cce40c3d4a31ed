//! What the libraries derive from a key, and keep: [`fragments`].

use crate::secrecy::fragments::Fragments;

/// The fragments of a secret that is a text, an HMAC key and, with its first 32 bytes, a private
/// key.
pub(super) fn fragments(secret: &[u8]) -> Fragments {
    let mut all = Fragments::new();
    all.add("the secret", secret);
    for pad in [0x36, 0x5c] {
        let name = format!("the HMAC key with {pad:#x}");
        let mut block = [pad; 64];
        block.iter_mut().zip(secret).for_each(|(byte, key)| *byte ^= key);
        let key = block.get(..secret.len()).unwrap();
        all.add_bytes(&name, key);
        let words: Vec<u8> = key.chunks(4).flat_map(|word| word.iter().rev()).copied().collect();
        all.add_bytes(&format!("{name}, in words"), &words);
        all.add_bytes(&format!("{name}, hashed with SHA-256"), &after_sha256(&block));
        #[cfg(feature = "twilio")]
        all.add_bytes(&format!("{name}, hashed with SHA-1"), &after_sha1(&block));
    }
    let private = secret.first_chunk::<32>().unwrap();
    let scalar: Vec<u8> = private.iter().rev().copied().collect();
    all.add_bytes("the scalar of P-256", &scalar);
    #[cfg(feature = "ed25519")]
    {
        use sha2::{Digest as _, Sha512};

        let mut expanded = Sha512::digest(private);
        all.add_bytes("the expanded seed of Ed25519", &expanded);
        expanded[0] &= 248;
        expanded[31] &= 127;
        expanded[31] |= 64;
        all.add_bytes("the clamped seed of Ed25519", &expanded);
    }
    all
}

/// The state of SHA-256 after one block.
fn after_sha256(block: &[u8; 64]) -> Vec<u8> {
    let mut state: [u32; 8] = [
        0x6a09_e667,
        0xbb67_ae85,
        0x3c6e_f372,
        0xa54f_f53a,
        0x510e_527f,
        0x9b05_688c,
        0x1f83_d9ab,
        0x5be0_cd19,
    ];
    sha2::block_api::compress256(&mut state, &[*block]);
    state.into_iter().flat_map(u32::to_ne_bytes).collect()
}

/// The state of SHA-1 after one block.
#[cfg(feature = "twilio")]
fn after_sha1(block: &[u8; 64]) -> Vec<u8> {
    let mut state: [u32; 5] = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476, 0xc3d2_e1f0];
    sha1::block_api::compress(&mut state, &[*block]);
    state.into_iter().flat_map(u32::to_ne_bytes).collect()
}
