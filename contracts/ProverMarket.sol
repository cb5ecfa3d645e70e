// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Multicallable} from "solady/utils/Multicallable.sol";
import {TaskBook} from "./books/TaskBook.sol";

/// @title The market's contract
/// @notice One concern a book, each on top of the one before:
///
///     MarketBook      which markets exist
///     RoundBook       bids and outcome of each round
///     Ledger          everybody's money
///     BidBook         takes bids
///     SeatBook        provers' seats: capacity, collateral, asks
///     SettlementBook  accepts the one outcome of a round
///     TaskBook        delivery, takeover, expiry
///
/// `multicall` combines calls that carry no native currency, for example a token deposit and a bid.
contract ProverMarket is TaskBook, Multicallable {}
