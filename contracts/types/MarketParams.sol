// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IProofVerifier} from "../interfaces/IProofVerifier.sol";
import {MarketId, MarketIdLib} from "./MarketId.sol";

/// @notice How a round is cleared.
enum Mechanism {
    Core
}

/// @notice Everything that defines a market. Immutable: `marketId` follows from it (see `MarketId`).
/// @dev The order packs the struct into five slots, by who reads it: transfers, settlement, delivery, slashing, and
/// what the id carries too.
struct MarketParams {
    /// ERC-20 in which the market pays, or the zero address for the chain's native currency.
    address currency;
    /// Value of one tick (wei, or the token's smallest unit). Every amount in the ledger is a number of ticks.
    uint96 tick;
    /// Upper bound on the total size of one round's batch (units), at least `maxTaskSize`.
    uint64 capacityCap;
    /// Lowest unit fee that can win (ticks per unit), 0 for none.
    uint64 reservePrice;
    /// Time after close in which a round can be settled (seconds), at most `biddingPeriod`; void afterwards.
    uint24 settlementPeriod;
    /// Time after the settlement deadline in which assigned provers deliver (seconds).
    uint32 provingPeriod;
    /// Time that one takeover has for itself (seconds); `maxTakeovers` times this is the time for takeovers.
    uint32 takeoverPeriod;
    /// How often a defaulted task may be taken over, 1 to 16.
    uint8 maxTakeovers;
    /// Most prover seats the market has, 1 to 128: it bounds what settlement can cost.
    uint8 maxSeats;
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
    /// What requester and prover each lose on a task that nobody proves, as a part of the lesser of the task's
    /// payment and its collateral (basis points).
    uint16 penaltyBps;
    /// Receives surplus and what remains of penalties and slashed collateral.
    address sink;
    /// Collateral behind each unit of registered capacity (ticks per unit).
    uint64 collateralPerUnit;
    /// Start of round 0 (seconds since the epoch).
    uint40 genesis;
    /// Length of a round's bidding (seconds).
    uint24 biddingPeriod;
    /// What each bid pays towards the settlement of its round (ticks).
    uint32 settlementFee;
    /// Largest size of a task (units), at most 2^30.
    uint32 maxTaskSize;
}

using MarketParamsLib for MarketParams global;

library MarketParamsLib {
    uint256 internal constant BPS = 10_000;

    function toId(MarketParams memory p) internal pure returns (MarketId) {
        return MarketIdLib.pack(
            keccak256(abi.encode(p)), p.genesis, p.biddingPeriod, p.settlementFee, p.maxTaskSize
        );
    }

    /// @notice First second at which `round` can no longer be settled: it is void if it was not.
    function settleBy(MarketParams storage p, MarketId id, uint256 round) internal view returns (uint256) {
        return id.closeOf(round) + p.settlementPeriod;
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
        return amount * bps / BPS;
    }
}
