// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {BidChain} from "../types/BidChain.sol";
import {Certificate} from "../types/Certificate.sol";
import {Mechanism} from "../types/Mechanism.sol";
import {AssignmentTree} from "./AssignmentTree.sol";
import {Winner} from "./Winner.sol";

/// @notice A closed round as the market knows it: everything that an outcome follows from but the bids themselves.
struct ClosedRound {
    Mechanism mechanism;
    uint256 round;
    /// Upper bound on the size of the batch (units), and lowest unit fee that can win (ticks per unit).
    uint256 capacityCap;
    uint256 reservePrice;
    /// The bids' running hash before the first one and after the last.
    BidChain seed;
    BidChain bids;
    /// The ask book, one entry a seat: unit cost (ticks per unit), and capacity offered (units), 0 for a seat that does not
    /// take part.
    uint256[] costs;
    uint256[] capacities;
}

/// @notice What the seats show about a certificate.
struct ProverSide {
    /// The winners in ask-book order, rotated by the round.
    Winner[] winners;
    /// Capacity of the winners (units).
    uint256 capacity;
    /// `core`: c_{w+1}, the prover price.
    uint256 price;
    /// `core`: K_{w+1}, and c_{w+2} or the reserve price if that is higher; meaningful if `hasNext`.
    uint256 nextCapacity;
    uint256 nextPrice;
    bool hasNext;
    /// `average-fee`: capacity of the seats that any batch would bring in, as they ask less than the reserve price.
    uint256 waiting;
}

/// @notice A certificate with the round it is about and what the seats show about it.
struct Claim {
    ClosedRound closed;
    Certificate certificate;
    ProverSide side;
}

/// @notice A place between two entries of a round: the bids before it, and their part of the batch.
struct Checkpoint {
    BidChain chain;
    /// Total size of the winners before it: the offset at which the next winning task starts.
    uint256 offset;
}

/// @notice State of the pass over a round's bids, from the last page to the first: within a page it goes forward, from a checkpoint
/// that the page names to the one where the page before it started. So the hash shows at once whether a page is the round's.
/// Free of storage: whoever continues brings it along.
struct Pass {
    /// Where the pages so far began; before the first one the end of the round.
    Checkpoint start;
    /// Size of the pivot bid, 0 until the pass meets it.
    uint256 pivotSize;
    /// What the mechanism counts.
    Tally tally;
    AssignmentTree.Frontier tree;
}

/// @notice Sums over the pages so far, as in `Scan`.
struct Tally {
    /// `core`: demand(c_{w+2}) in `above`, and with `between` demand(c_{w+1}), both without the reserve's own. `average-fee`: the batch
    /// in `above`, and the size of its pivot in `between`.
    uint256 above;
    uint256 between;
    /// `average-fee`: cost of the winning bids, and what their deliveries are paid, each rounded down.
    uint256 offered;
    uint256 paid;
}

library TallyLib {
    /// @return Total size (units).
    function units(uint256 above) internal pure returns (uint256) {
        return above & type(uint64).max;
    }

    /// @return What is offered for it together (ticks).
    function offered(uint256 above) internal pure returns (uint256) {
        return above >> 64;
    }
}
