//! Writes as CSV what wash bids of every volume and fee do to the terms of the next rounds, and what they pay.
#![allow(dead_code, clippy::unwrap_used, reason = "shares the simulated market of the tests")]

#[path = "../tests/controllers/market.rs"]
mod market;
#[path = "../tests/controllers/wash.rs"]
mod wash;

use market::controllers;
use market_types::Mechanism;
use wash::{attempts, effect, settled_market};

fn main() {
    println!(
        "mechanism,wash_units,wash_fee,cap,cap_without,cap_with,reserve,reserve_without,reserve_with,paid,earned"
    );
    for mechanism in Mechanism::ALL {
        let (now, offers) = settled_market(mechanism);
        for wash in attempts() {
            let effect =
                effect(mechanism, controllers((100, 1 << 20), (1, 100_000)), now, offers.clone(), wash);
            println!(
                "{mechanism},{},{},{},{},{},{},{},{},{},{}",
                wash.units,
                wash.fee,
                now.cap,
                effect.without.cap,
                effect.with.cap,
                now.reserve,
                effect.without.reserve,
                effect.with.reserve,
                effect.paid,
                effect.earned
            );
        }
    }
}
