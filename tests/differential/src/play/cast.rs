//! Who acts, in which market.

use crate::evm::Evm;
use crate::world::{World, params};
use alloy::primitives::{Address, B256, Bytes, U256, hex};
use alloy::signers::local::PrivateKeySigner;
use bindings::IERC20;
use chain::{Currency, MarketParams};
use market_types::{CapacityCap, Mechanism, ReservePrice};
use rand::{Rng, seq::IndexedRandom};
use std::sync::LazyLock;
use testkit::creation_code;

alloy::sol! {
    function mint(address to, uint256 amount);
}

/// A verifier that takes every proof whose first word is not 0.
const VERIFIER: [u8; 23] = hex!("6e6044356024013515155f5260205ff35f52600f6011f3");
/// A contract that stands for every signature that is not empty (ERC-1271).
const WALLET: [u8; 28] = hex!("73631626ba7e60e01b6044351515025f5260205ff35f526014600cf3");

static SIGNERS: LazyLock<Vec<PrivateKeySigner>> = LazyLock::new(|| {
    let keys = (1..=3).map(B256::repeat_byte);
    keys.map(|key| PrivateKeySigner::from_bytes(&key).expect("a key")).collect()
});

/// Largest size of a task (units).
pub(super) const LARGEST: u32 = 4;

/// Those who act.
#[derive(Debug, Clone)]
pub(super) struct Cast {
    /// Requesters who send their bids, and who can sign them, too; provers; settlers and somebody else; and the contract, which sends
    /// nothing.
    pub(super) everybody: Vec<Address>,
    pub(super) signers: Vec<PrivateKeySigner>,
    pub(super) wallet: Address,
}

impl Cast {
    pub(super) fn requesters(&self) -> &[Address] {
        &self.everybody[..5]
    }

    pub(super) fn provers(&self) -> &[Address] {
        &self.everybody[5..9]
    }

    /// Everybody who can send a call.
    pub(super) fn senders(&self) -> &[Address] {
        &self.everybody[..12]
    }

    pub(super) fn others(&self) -> &[Address] {
        &self.everybody[9..12]
    }
}

/// A market that has just opened, drawn at random, and those who act in it.
pub(super) fn stage(rng: &mut impl Rng) -> (World, Cast) {
    let mut evm = Evm::new(1);
    let verifier = evm.deploy(Bytes::from_static(&VERIFIER));
    let wallet = evm.deploy(Bytes::from_static(&WALLET));
    let signers = SIGNERS.clone();
    let byte = |byte: u8| Address::repeat_byte(byte);
    let everybody: Vec<Address> = [byte(0x61), byte(0x62)]
        .into_iter()
        .chain(signers.iter().map(PrivateKeySigner::address))
        .chain([0xb1, 0xb2, 0xb3, 0xb4, 0xa1, 0xa2, 0x09].map(byte))
        .chain([wallet])
        .collect();
    let cast = Cast { everybody, signers, wallet };
    let mut drawn = draw_params(rng, verifier);
    if rng.random_bool(0.3) {
        let token = evm.deploy(creation_code("Cent.sol/Cent"));
        drawn.currency = Currency::Token(token);
        for account in cast.senders() {
            let amount = U256::from(u64::MAX);
            evm.send(*account, token, U256::ZERO, &mintCall { to: *account, amount });
        }
    }
    let mut world = World::of(evm, drawn);
    if let Currency::Token(token) = world.market.params.currency {
        let spender = world.address();
        for account in cast.senders() {
            let call = IERC20::approveCall { spender, amount: U256::MAX };
            world.evm().send(*account, token, U256::ZERO, &call);
        }
    }
    (world, cast)
}

/// Parameters of every kind, with small numbers, so that all of it happens and ties are common.
fn draw_params(rng: &mut impl Rng, verifier: Address) -> MarketParams {
    let mechanism = *Mechanism::ALL.choose(rng).expect("two");
    let mut drawn = params(mechanism, rng.random_bool(0.25), LARGEST, verifier);
    drawn.tick = *[1, 10].choose(rng).expect("some");
    drawn.max_takeovers = rng.random_range(1..4);
    drawn.capacity_delay = rng.random_range(1..4);
    drawn.collateral_per_unit = *[0, 1, 7].choose(rng).expect("some");
    drawn.bounty_bps = rng.random_range(0..=6_000);
    drawn.compensation_bps = rng.random_range(0..=4_000);
    drawn.penalty_bps = *[0, 1_000, 3_333, 10_000].choose(rng).expect("some");
    drawn.settlement_fee = rng.random_range(0..4);
    drawn.seat_fee = rng.random_range(0..6);
    drawn.max_seats = rng.random_range(2..8);
    drawn.proving_period = rng.random_range(1..150);
    drawn.takeover_period = rng.random_range(1..60);
    let cap = |units| CapacityCap::new(units).expect("a cap");
    match rng.random_range(0..3) {
        0 => (drawn.cap_min, drawn.cap_max) = (drawn.capacity_cap, drawn.capacity_cap),
        1 => (drawn.capacity_cap, drawn.cap_min, drawn.cap_max) = (cap(12), cap(8), cap(40)),
        _ => {}
    }
    if rng.random_bool(0.5) {
        let reserve = ReservePrice::new(rng.random_range(0..6));
        (drawn.reserve_price, drawn.reserve_min, drawn.reserve_max) = (reserve, reserve, reserve);
    }
    drawn
}
