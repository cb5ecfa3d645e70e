// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {EfficientHashLib} from "solady/utils/EfficientHashLib.sol";
import {FixedPointMathLib} from "solady/utils/FixedPointMathLib.sol";
import {SafeCastLib} from "solady/utils/SafeCastLib.sol";
import {BidChain, BidChainLib} from "../types/BidChain.sol";
import {MarketId} from "../types/MarketId.sol";
import {MarketParams, MarketParamsLib} from "../types/MarketParams.sol";
import {CommitmentLib, Opening, Stake, StakeLib} from "../types/Sealed.sol";
import {BidBook} from "./BidBook.sol";

/// @notice Commitments of a sealed market, and bids that are opened after the close.
/// @dev A commitment holds its deposit until it is opened. Opened, a bid is what it would be in an open market; not opened in
/// time, the deposit comes back less the bond.
abstract contract SealedBidBook is BidBook {
    mapping(bytes32 commitmentKey => Stake) private _stakes;

    function _commitBid(MarketId id, bytes32 commitment, uint96 deposit_, uint32 round) internal {
        MarketParams storage market = _sealed(id);
        _depositValue(id);
        uint256 bond = _bondOf(id, market, deposit_);
        if (deposit_ < bond) revert DepositTooSmall(deposit_, bond);

        _countCommitment(id, round);
        _commit(id, msg.sender, round, commitment, StakeLib.BID, deposit_, bond);
    }

    function _revealBids(MarketId id, Opening[] calldata openings) internal returns (uint256 revealed) {
        uint32 round = _revealingRound(id);
        BidChain seed = BidChainLib.seed(id, round);
        bytes4 refusal;
        for (uint256 i; i < openings.length; ++i) {
            bytes4 reason = _reveal(id, round, seed, openings[i]);
            if (reason == 0) {
                ++revealed;
            } else {
                refusal = reason;
                emit BidNotRevealed(id, openings[i].requester, round, i, reason);
            }
        }
        if (revealed == 0) revert NothingRevealed(refusal);
    }

    function _forfeit(MarketId id, address account, uint256 round, bytes32 commitment)
        internal
        returns (uint256 returned)
    {
        uint256 revealBy = _sealed(id).revealBy(id, round);
        if (block.timestamp < revealBy) revert RevealOpen(round, revealBy);
        Stake stake = _stake(id, account, round, commitment);
        if (stake.deposit() == 0) revert UnknownCommitment();

        _endCommitment(id, account, round, commitment);
        returned = stake.deposit() - stake.bond();
        _credit(id, account, returned);
        _creditSink(id, stake.bond());

        emit Forfeited(id, account, round, commitment, returned, stake.bond());
    }

    function _stakeOf(MarketId id, address account, uint256 round, bytes32 commitment)
        internal
        view
        returns (uint256 deposit_, uint256 bond)
    {
        Stake stake = _stake(id, account, round, commitment);
        return (stake.deposit(), stake.bond());
    }

    // ------------------------------------------------------------------------------------------ for other books

    function _sealed(MarketId id) internal view returns (MarketParams storage market) {
        market = _existing(id);
        if (!id.isSealed()) revert MarketIsOpen();
    }

    /// @dev At least the settlement fee, which makes commitments that are never opened as dear as dust, and never nothing, which
    /// would be no commitment.
    function _bondOf(MarketId id, MarketParams storage market, uint256 amount)
        internal
        view
        returns (uint256)
    {
        uint256 share = MarketParamsLib.shareDown(amount, market.bondBps);
        return FixedPointMathLib.max(FixedPointMathLib.max(share, id.settlementFee()), 1);
    }

    /// @notice Records a commitment of `account` and takes its deposit. The commitment binds its round, so one that arrives late
    /// could never be opened.
    function _commit(
        MarketId id,
        address account,
        uint32 round,
        bytes32 commitment,
        uint64 for_,
        uint256 deposit_,
        uint256 bond
    ) internal {
        uint32 current = id.biddingRoundAt(block.timestamp);
        if (round != current) revert RoundNotOpen(round, current);
        bytes32 key = _commitmentKey(id, account, round, commitment);
        if (_stakes[key].deposit() != 0) revert CommitmentExists();

        _debit(id, account, deposit_);
        _stakes[key] = StakeLib.pack(for_, SafeCastLib.toUint96(deposit_), SafeCastLib.toUint96(bond));

        emit Committed(id, account, round, commitment, deposit_, bond);
    }

    /// @notice The round whose commitments can be opened now: the one that closed last.
    function _revealingRound(MarketId id) internal view returns (uint32 round) {
        MarketParams storage market = _sealed(id);
        uint32 current = id.roundAt(block.timestamp);
        // slither-disable-next-line incorrect-equality -- the number of a round, not a balance
        if (current == 0) revert RoundOpen(0, id.closeOf(0));
        round = current - 1;
        uint256 revealBy = market.revealBy(id, round);
        if (block.timestamp >= revealBy) revert RevealClosed(round, revealBy);
    }

    /// @notice What stands behind a commitment, zero if there is none.
    function _stake(MarketId id, address account, uint256 round, bytes32 commitment)
        internal
        view
        returns (Stake)
    {
        return _stakes[_commitmentKey(id, account, round, commitment)];
    }

    /// @notice Ends a commitment.
    function _endCommitment(MarketId id, address account, uint256 round, bytes32 commitment) internal {
        _stakes[_commitmentKey(id, account, round, commitment)] = Stake.wrap(0);
    }

    // ------------------------------------------------------------------------------------------------- internals

    /// @return Selector of the error that a refused opening stands for, or 0. A refused one changes nothing.
    function _reveal(MarketId id, uint32 round, BidChain seed, Opening calldata o) private returns (bytes4) {
        bytes4 refusal = _refusal(id, o.word);
        if (refusal != 0) return refusal;
        bytes32 commitment = CommitmentLib.ofBid(seed, o.requester, o.word, o.salt);
        Stake stake = _stake(id, o.requester, round, commitment);
        if (!stake.isFor(StakeLib.BID)) return UnknownCommitment.selector;
        if (_mostOf(id, o.word) > stake.deposit()) return DepositTooSmall.selector;

        _endCommitment(id, o.requester, round, commitment);
        _credit(id, o.requester, stake.deposit());
        _enter(id, round, o.requester, o.word);
        return 0;
    }

    function _commitmentKey(MarketId id, address account, uint256 round, bytes32 commitment)
        private
        pure
        returns (bytes32)
    {
        bytes32 who = bytes32(uint256(uint160(account)));
        return EfficientHashLib.hash(MarketId.unwrap(id), who, bytes32(round), commitment);
    }
}
