// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Checkpoint} from "../clearing/Claim.sol";
import {BidWord} from "./BidWord.sol";

/// @notice One page of a settlement. Pages go from the last bid of the round to the first; the one that starts with the first bid
/// ends the settlement.
struct Page {
    /// Whose last page this one continues; anyone's will do. Without meaning for the first page.
    address settler;
    /// What that page left, as its `PageSettled` tells it; both empty for the first page.
    uint256[] shares;
    bytes progress;
    /// Where this page starts: the round's running hash and number of bids there, and the total size of the winners before
    /// (units).
    Checkpoint start;
    /// The entries from there to where the last page started, in order of submission.
    BidWord[] words;
}
