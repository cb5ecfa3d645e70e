"""Times PyMarket's Huang auction over the round that `cargo bench -p clearing` measures with as many bids."""

import importlib
import sys
import time

import pymarket

ratios = importlib.import_module("clearing-ratios")

PROVERS = 50
MASK = 2**64 - 1

class Sequence:
    """SplitMix64, as in crates/clearing/benches/clearing/main.rs."""

    def __init__(self, seed):
        self.state = seed

    def below(self, bound):
        self.state = (self.state + 0x9E3779B97F4A7C15) & MASK
        word = self.state
        word = ((word ^ (word >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        word = ((word ^ (word >> 27)) * 0x94D049BB133111EB) & MASK
        return (word ^ (word >> 31)) % bound


def market(bids):
    sequence = Sequence(bids)
    market = pymarket.Market()
    capacity = bids * 32 // PROVERS
    for prover in range(PROVERS):
        market.accept_bid(capacity, 1 + sequence.below(1_000_000), bids + prover, False)
    for user in range(bids):
        fee = 1 + sequence.below(1_000_000)
        market.accept_bid(1 + sequence.below(64), fee, user, True)
    return market


def main(bids, home):
    round_ = market(bids)
    began = time.process_time()
    _, extra = round_.run("huang")
    seconds = time.process_time() - began
    print(f"PyMarket, Huang, {bids:,} bids: {seconds:.1f} s of processor time; {dict(extra)}")
    for mechanism in ratios.MECHANISMS:
        clear = ratios.fastest(home, "even", f"{mechanism}/clear/fast", bids)
        print(f"  {seconds * 1000 / clear:,.0f} times as long as {mechanism}, clear, fast")


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
