// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IProofVerifier} from "../interfaces/IProofVerifier.sol";
import {MarketId, MarketIdLib} from "./MarketId.sol";
import {Mechanism} from "./Mechanism.sol";

/// @notice Everything that defines a market. Immutable: `marketId` follows from it (see `MarketId`).
/// @dev The order packs the struct into six slots, by who reads it: transfers, settlement, delivery, seats and slashing,
/// what the id carries too, and the controllers.
struct MarketParams {
    /// ERC-20 in which the market pays, or the zero address for the chain's native currency.
    address currency;
    /// Value of one tick (wei, or the token's smallest unit). Every amount in the ledger is a number of ticks.
    uint96 tick;
    /// Upper bound on the total size of one round's batch (units), at least `maxTaskSize`. With a controller, the first one.
    uint64 capacityCap;
    /// Lowest unit fee that can win (ticks per unit), 0 for none. With a controller, the first one.
    uint64 reservePrice;
    /// Time after close in which commitments are opened (seconds), 0 for a market with open bids.
    uint24 revealPeriod;
    /// Time after that in which a round can be settled (seconds); void afterwards. Both periods together are at most
    /// `biddingPeriod`.
    uint24 settlementPeriod;
    /// Time after the settlement deadline in which assigned provers deliver (seconds).
    uint24 provingPeriod;
    /// Time that one takeover has for itself (seconds); `maxTakeovers` times this is the time for takeovers.
    uint24 takeoverPeriod;
    /// How often a defaulted task may be taken over, 1 to 16.
    uint8 maxTakeovers;
    /// Most prover seats the market has, 1 to 128: it bounds what settlement can cost.
    uint8 maxSeats;
    /// Rounds until a change of a seat's capacity counts, at least 1: a change made in round n counts from n + this.
    uint8 capacityDelay;
    /// How a round is cleared.
    Mechanism mechanism;
    /// Decides which circuits exist, how large each one is, and which proofs hold.
    IProofVerifier verifier;
    /// Most gas one proof verification may use.
    uint32 verifierGas;
    /// Part of a slashed collateral that goes to the prover that delivers after a default (basis points).
    uint16 bountyBps;
    /// Part of a slashed collateral that goes to the requester (basis points). What remains goes to the sink.
    uint16 compensationBps;
    /// What requester and prover each lose on a task that nobody proves, as a part of the least of the task's payment, what
    /// is held for it, and its collateral (basis points).
    uint16 penaltyBps;
    /// What is lost of a commitment that is not opened: this part of a bid's deposit, or of the collateral of an ask's seat
    /// (basis points), at least the settlement fee. 1 to 10,000 in a sealed market, 0 in one with open bids. Without
    /// collateral an ask's bond is the settlement fee alone.
    uint16 bondBps;
    /// Receives surplus, dust, bonds, seat fees, and what remains of penalties and slashed collateral. None of these cost
    /// whoever the sink belongs to anything: its own commitments, seats and unprovable tasks are free of them.
    address sink;
    /// Collateral behind each unit of registered capacity (ticks per unit).
    uint64 collateralPerUnit;
    /// Smallest capacity of a seat (units), at least `2 * maxTaskSize - 1`.
    uint32 minSeatCapacity;
    /// Start of round 0 (seconds since the epoch).
    uint40 genesis;
    /// Length of a round's bidding (seconds).
    uint24 biddingPeriod;
    /// What each bid pays towards the settlement of its round (ticks).
    uint32 settlementFee;
    /// Largest size of a task (units), at most 2^30.
    uint32 maxTaskSize;
    /// What taking a seat costs (ticks); it is not returned.
    uint64 seatFee;
    /// Bounds between which the capacity cap moves (units), both equal to `capacityCap` to keep it fixed.
    uint64 capMin;
    uint64 capMax;
    /// Bounds between which the reserve price moves (ticks per unit), both equal to `reservePrice` to keep it fixed.
    uint64 reserveMin;
    uint64 reserveMax;
}

using MarketParamsLib for MarketParams global;

library MarketParamsLib {
    uint256 internal constant BPS = 10_000;

    function toId(MarketParams memory p) internal pure returns (MarketId) {
        return MarketIdLib.pack(
            keccak256(abi.encode(p)),
            p.genesis,
            p.biddingPeriod,
            p.settlementFee,
            p.revealPeriod != 0,
            p.maxTaskSize
        );
    }

    /// @notice Whether capacity cap or reserve price ever move.
    function isControlled(MarketParams storage p) internal view returns (bool) {
        return p.capMin != p.capMax || p.reserveMin != p.reserveMax;
    }

    /// @notice First second at which commitments of `round` can no longer be opened, and the round can be settled.
    function revealBy(MarketParams storage p, MarketId id, uint256 round) internal view returns (uint256) {
        return id.closeOf(round) + (id.isSealed() ? p.revealPeriod : 0);
    }

    /// @notice First second at which `round` can no longer be settled: it is void if it was not.
    function settleBy(MarketParams storage p, MarketId id, uint256 round) internal view returns (uint256) {
        return revealBy(p, id, round) + p.settlementPeriod;
    }

    /// @notice First second at which an undelivered task of `round` is in default.
    function proveBy(MarketParams storage p, MarketId id, uint256 round) internal view returns (uint256) {
        return settleBy(p, id, round) + p.provingPeriod;
    }

    /// @notice First second at which an undelivered task of `round` can only be expired.
    function finalAt(MarketParams storage p, MarketId id, uint256 round) internal view returns (uint256) {
        return proveBy(p, id, round) + uint256(p.maxTakeovers) * p.takeoverPeriod;
    }

    /// @notice Share of `amount` in basis points, rounded down.
    function shareDown(uint256 amount, uint256 bps) internal pure returns (uint256) {
        // In this order, as the check of the product divides by the first: a solver knows it (tests/symbolic/Shares.t.sol).
        return bps * amount / BPS;
    }
}
