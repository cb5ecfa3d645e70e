// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {BidWord, BidWordLib} from "../../contracts/types/BidWord.sol";
import {Mechanism} from "../../contracts/types/Mechanism.sol";
import {Outcome, OutcomeLib} from "../../contracts/types/Outcome.sol";
import {Books} from "./Books.sol";
import {Symbolic} from "./Symbolic.sol";

/// @notice Balances and locks: after a deposit, a bid in its round, and a bid in the round after it that brings what it costs, or without one
/// or both of the bids, any further call leaves every tick where it belongs. So each lane is with and without an entry. Amounts and
/// fees are any; tasks have one unit, as products are looked at in `Shares`.
contract MoneySymbolic is Symbolic {
    /// @dev What an account was given before the call that is looked at.
    struct Past {
        uint88 paid;
        bool bids;
        bool bidsLater;
        uint64 fee;
        uint64 feeLater;
        /// Of the first bid's round, if it was settled; it is void otherwise.
        bool settled;
        uint64 pivotFee;
    }

    uint256 private constant FEE = 2;
    address private constant ALICE = address(0xA11CE);
    address private constant BOB = address(0xB0B);

    Books private _books;

    function setUp() public {
        _books = new Books();
    }

    function check_bidLocksWhatItMayCostAndNoMore(Past memory past, uint64 fee) external {
        uint256 held = _make(past);
        try _books.bid(ALICE, _word(fee)) {
            assert(_available() + fee + FEE == held);
        } catch {
            assert(_available() == held && held < fee + FEE);
        }
    }

    function check_foldMovesNothingBetweenAccounts(Past memory past, uint88 others) external {
        uint256 held = _make(past);
        _pay(BOB, others);
        _books.fold(ALICE);
        assert(_available() == held && _books.availableOf(BOB) == others);
        _books.fold(ALICE);
        _books.fold(BOB);
        assert(_available() == held && _books.availableOf(BOB) == others);
    }

    function check_debitTakesWhatIsThereAndNoMore(Past memory past, uint96 amount, uint88 others) external {
        uint256 held = _make(past);
        _pay(BOB, others);
        try _books.spend(ALICE, amount) {
            assert(_available() + amount == held);
        } catch {
            assert(_available() == held && held < amount);
        }
        assert(_books.availableOf(BOB) == others);
    }

    /// @dev Up to 2^32 ticks: what the solver adds here takes minutes for more.
    function check_depositAddsWhatWasPaid(Past memory past, uint32 amount) external {
        vm.assume(below(past.paid, 32));
        uint256 held = _make(past);
        _pay(ALICE, amount);
        assert(_available() == held + amount);
    }

    /// @dev A bundle pays once, and what its entry's result is.
    function check_releasePaysOnce(uint64 fee, bool settled, uint64 pivotFee, uint24 index, uint32 pivotIndex)
        external
    {
        _open(2);
        BidWord[] memory words = new BidWord[](1);
        words[0] = _word(fee);
        _books.bundle(ALICE, 2, index, keccak256(abi.encodePacked(words)));
        Outcome outcome = OutcomeLib.pack(Mechanism.Core, pivotFee, pivotIndex, 0, 0);
        if (settled) _books.record(2, outcome, 0);
        _open(4);
        uint256 expected = settled ? outcome.refund(fee, 1, index, 1) : uint256(fee) + FEE;
        assert(_books.release(ALICE, 2, index, words) == expected);
        assert(_available() == expected);
        try _books.release(ALICE, 2, index, words) {
            assert(false);
        } catch {
            assert(_available() == expected);
        }
    }

    /// @return held What the account can use once the round after the next of the first bid is open.
    function _make(Past memory past) private returns (uint256 held) {
        held = past.paid;
        _open(2);
        _pay(ALICE, past.paid);
        if (past.bids) {
            vm.assume(uint256(past.fee) + FEE <= past.paid);
            _books.bid(ALICE, _word(past.fee));
        }
        _open(3);
        if (past.bids && past.settled) {
            _books.record(2, OutcomeLib.pack(Mechanism.Core, past.pivotFee, 0, 0, 0), 0);
            // It pays the pivot's fee, if it is better, and for the settlement.
            held -= FEE + (past.fee > past.pivotFee ? past.pivotFee : 0);
        }
        if (past.bidsLater) {
            _pay(ALICE, past.feeLater + FEE);
            _books.bid(ALICE, _word(past.feeLater));
        }
        _open(4);
    }

    function _open(uint256 round) private {
        vm.warp(1_000 + 100 * round);
    }

    function _pay(address account, uint256 amount) private {
        vm.deal(address(this), amount);
        _books.deposit{value: amount}(account);
    }

    function _available() private view returns (uint256) {
        return _books.availableOf(ALICE);
    }

    function _word(uint64 fee) private pure returns (BidWord) {
        return BidWordLib.pack(fee, 1, 0, 0);
    }
}
