//! Schnorr signatures over Baby Jubjub with a Poseidon challenge, cheap to check inside a circuit.
//!
//! A signature `(R, S)` on a message `m` by key `A` is accepted when `8 * (S * B - R - c * A)` is the identity, with `c` =
//! the low 128 bits of `Poseidon(R.x, R.y, A.x, A.y, m)`, and `8 * A` is not the identity.
//!
//! * *Cofactor.* The curve has cofactor 8. Multiplying by 8 removes every small-order component, so neither `R` nor `A`
//!   needs a subgroup check, and native code and circuit cannot disagree about them. A key of small order would
//!   accept anybody's signature, so such a key can sign nothing.
//! * *Short challenge.* 128 bits match the security of the curve (Schnorr 1991; Neven, Smart, Warinschi 2009: a challenge as
//!   long as the security level is enough) and halve the cost of `c * A`.
//! * *Malleability.* Native decoding wants `S` below the group order. The circuit only bounds it by 2^251, so that
//!   `S + order` may pass as well. That gives no second effect: a signature is never an identifier here, and a
//!   transfer is consumed by its nonce.

use ark_bn254::Fr;
use ark_ec::{AffineRepr, CurveGroup, PrimeGroup, twisted_edwards::TECurveConfig};
use ark_ed_on_bn254::{EdwardsAffine, EdwardsConfig, EdwardsProjective, Fr as Scalar};
use ark_ff::{AdditiveGroup, PrimeField};
use ark_serialize::{CanonicalDeserialize, CanonicalSerialize, Compress, Validate};
use sha2::{Digest, Sha512};

use crate::{poseidon, word::to_word};

/// A compressed curve point is the little-endian `y` with the sign of `x` in the top bit.
pub(crate) const POINT_BYTES: usize = 32;
/// Bytes of an encoded signature: `R` compressed, then `S` little endian.
pub const SIGNATURE_BYTES: usize = 64;
/// Length of the challenge in bits.
pub(crate) const CHALLENGE_BITS: usize = 128;

/// A point of Baby Jubjub that stands for the owner of an account.
///
/// Any point on the curve is allowed; one of small order can receive but never sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PublicKey(EdwardsAffine);

impl PublicKey {
    /// The key as a compressed point.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; POINT_BYTES] {
        compress(&self.0)
    }

    /// Reads a compressed point; `None` if it is not on the curve.
    #[must_use]
    pub fn from_bytes(bytes: &[u8; POINT_BYTES]) -> Option<Self> {
        decompress(bytes).map(Self)
    }

    /// Whether `signature` is this key's signature on `message`.
    pub(crate) fn verify(&self, message: Fr, signature: &Signature) -> bool {
        let challenge = challenge(&signature.r, self, message);
        let difference = EdwardsProjective::generator() * signature.s - signature.r - self.0 * challenge;
        difference.into_affine().mul_by_cofactor().is_zero() && !self.0.mul_by_cofactor().is_zero()
    }

    pub(crate) fn point(&self) -> EdwardsAffine {
        self.0
    }

    #[cfg(test)]
    pub(crate) fn from_point(point: EdwardsAffine) -> Self {
        Self(point)
    }
}

/// A signature on a transfer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Signature {
    pub(crate) r: EdwardsAffine,
    pub(crate) s: Scalar,
}

impl Signature {
    /// The signature as `R || S`.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; SIGNATURE_BYTES] {
        let mut bytes = [0u8; SIGNATURE_BYTES];
        bytes[..POINT_BYTES].copy_from_slice(&compress(&self.r));
        let mut scalar = to_word(&self.s);
        scalar.reverse();
        bytes[POINT_BYTES..].copy_from_slice(&scalar);
        bytes
    }

    /// Reads `R || S`; `None` if `R` is not on the curve or `S` is not below the group order.
    #[must_use]
    pub fn from_bytes(bytes: &[u8; SIGNATURE_BYTES]) -> Option<Self> {
        let (r, s) = bytes.split_at(POINT_BYTES);
        let r = decompress(r)?;
        let s = Scalar::deserialize_compressed(s).ok()?;
        Some(Self { r, s })
    }
}

/// A signing key with its public key.
#[derive(Clone)]
pub struct KeyPair {
    secret: Scalar,
    nonce_seed: [u8; 32],
    public: PublicKey,
}

impl std::fmt::Debug for KeyPair {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KeyPair").field("public", &self.public).finish_non_exhaustive()
    }
}

impl KeyPair {
    /// Derives a key pair from 32 secret bytes.
    #[must_use]
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        let wide = Sha512::new().chain_update(b"proophi.key").chain_update(seed).finalize();
        let secret = Scalar::from_le_bytes_mod_order(&wide);
        let nonce_wide = Sha512::new().chain_update(b"proophi.nonce").chain_update(seed).finalize();
        let mut nonce_seed = [0u8; 32];
        nonce_seed.copy_from_slice(&nonce_wide[..32]);
        let public = PublicKey((EdwardsProjective::generator() * secret).into_affine());
        Self { secret, nonce_seed, public }
    }

    /// The public half.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        self.public
    }

    /// Signs `message`. The nonce is derived from key and message, so no randomness can be reused by accident.
    pub(crate) fn sign(&self, message: Fr) -> Signature {
        let wide = Sha512::new().chain_update(self.nonce_seed).chain_update(to_word(&message)).finalize();
        let k = Scalar::from_le_bytes_mod_order(&wide);
        let r = (EdwardsProjective::generator() * k).into_affine();
        let s = k + challenge(&r, &self.public, message) * self.secret;
        Signature { r, s }
    }
}

fn challenge(r: &EdwardsAffine, key: &PublicKey, message: Fr) -> Scalar {
    let digest = poseidon::hash([r.x, r.y, key.0.x, key.0.y, message]).into_bigint().0;
    Scalar::from(u128::from(digest[0]) | (u128::from(digest[1]) << 64))
}

fn compress(point: &EdwardsAffine) -> [u8; POINT_BYTES] {
    let mut bytes = [0u8; POINT_BYTES];
    point.serialize_with_mode(bytes.as_mut_slice(), Compress::Yes).expect("a compressed point has 32 bytes");
    bytes
}

fn decompress(bytes: &[u8]) -> Option<EdwardsAffine> {
    // Decompression solves the curve equation, so the point is on the curve; the subgroup is dealt with by the cofactor.
    let point = EdwardsAffine::deserialize_with_mode(bytes, Compress::Yes, Validate::No).ok()?;
    (point.is_on_curve() && compress(&point) == bytes).then_some(point)
}

/// `B, 2B, 4B, ...`: the multiples of the generator by powers of two, `bits` of them.
pub(crate) fn generator_multiples(bits: usize) -> Vec<EdwardsProjective> {
    std::iter::successors(Some(EdwardsConfig::GENERATOR.into_group()), |point| Some(point.double()))
        .take(bits)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signature_verifies_for_its_own_message_and_key_only() {
        let (alice, bob) = (KeyPair::from_seed(&[1; 32]), KeyPair::from_seed(&[2; 32]));
        let signature = alice.sign(Fr::from(7u64));
        assert!(alice.public().verify(Fr::from(7u64), &signature));
        assert!(!alice.public().verify(Fr::from(8u64), &signature));
        assert!(!bob.public().verify(Fr::from(7u64), &signature));
    }

    #[test]
    fn small_order_key_signs_nothing() {
        let k = Scalar::from(5u64);
        let r = (EdwardsProjective::generator() * k).into_affine();
        let forged = Signature { r, s: k };
        assert!(!PublicKey(EdwardsAffine::zero()).verify(Fr::from(1u64), &forged));
    }

    #[test]
    fn encodings_survive_the_round_trip() {
        let key = KeyPair::from_seed(&[3; 32]);
        let signature = key.sign(Fr::from(1u64));
        assert_eq!(Signature::from_bytes(&signature.to_bytes()), Some(signature));
        assert_eq!(PublicKey::from_bytes(&key.public().to_bytes()), Some(key.public()));
    }

    #[test]
    fn scalar_at_or_above_the_group_order_is_refused() {
        let mut bytes = KeyPair::from_seed(&[3; 32]).sign(Fr::from(1u64)).to_bytes();
        let mut order = to_word(&-Scalar::from(1u64));
        order.reverse();
        order[0] += 1;
        bytes[POINT_BYTES..].copy_from_slice(&order);
        assert_eq!(Signature::from_bytes(&bytes), None);
    }

    #[test]
    fn debug_output_hides_the_secret() {
        let key = KeyPair::from_seed(&[4; 32]);
        assert!(!format!("{key:?}").contains(&key.secret.to_string()));
    }
}
