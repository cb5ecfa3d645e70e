// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {EfficientHashLib} from "solady/utils/EfficientHashLib.sol";
import {FixedPointMathLib} from "solady/utils/FixedPointMathLib.sol";
import {ReentrancyGuardTransient} from "solady/utils/ReentrancyGuardTransient.sol";
import {SafeTransferLib} from "solady/utils/SafeTransferLib.sol";
import {BidChain} from "../types/BidChain.sol";
import {BidWord} from "../types/BidWord.sol";
import {Lane} from "../types/Lane.sol";
import {MarketId} from "../types/MarketId.sol";
import {MarketParams} from "../types/MarketParams.sol";
import {Digest, Outcome} from "../types/Outcome.sol";
import {TermsBook} from "./TermsBook.sol";

/// @notice Everybody's money, in ticks: balances, what bids have locked, and the sink's surplus. The only book that
/// moves currency, and none of its sums ever reads the contract's own balance.
abstract contract Ledger is TermsBook, ReentrancyGuardTransient {
    mapping(MarketId => mapping(address account => Lane[2])) private _lanes;
    mapping(bytes32 bundleKey => bytes32 wordsHash) private _bundles;
    mapping(MarketId => uint256) private _surplus;

    // The extension inherits it without a door to it; the market's is payable.
    // slither-disable-next-line msg-value-in-nonpayable
    function _deposit(MarketId id, address account, uint256 amount) internal nonReentrant {
        if (account == address(0)) revert ZeroAddress();
        MarketParams storage market = _existing(id);
        address currency = market.currency;
        uint256 expected = currency == address(0) ? amount : 0;
        if (msg.value != expected) revert WrongValue(msg.value, expected);

        _creditDeposit(id, market, account, amount);

        if (currency != address(0)) _pull(currency, amount);
    }

    function _withdraw(MarketId id, uint256 amount, address to) internal nonReentrant returns (uint256 paid) {
        if (to == address(0)) revert ZeroAddress();
        MarketParams storage market = _existing(id);
        if (amount == type(uint256).max) amount = _availableOf(id, msg.sender);

        _debit(id, msg.sender, amount);
        paid = amount * market.tick;

        emit Withdrawn(id, msg.sender, to, amount);
        _pay(market.currency, to, paid);
    }

    function _collectSurplus(MarketId id) internal nonReentrant returns (uint256 paid) {
        MarketParams storage market = _existing(id);
        address sink = market.sink;
        uint256 amount = _surplus[id];
        paid = amount * market.tick;

        delete _surplus[id];

        emit SurplusCollected(id, sink, amount);
        _pay(market.currency, sink, paid);
    }

    function _fold(MarketId id, address account) internal {
        Lane[2] storage lanes = _lanes[id][account];
        lanes[0] = _folded(id, lanes[0], 0);
        lanes[1] = _folded(id, lanes[1], 1);
    }

    function _release(
        MarketId id,
        address requester,
        uint256 round,
        uint256 firstIndex,
        BidWord[] calldata words
    ) internal returns (uint256 amount) {
        bytes32 key = _bundleKey(id, requester, round, firstIndex);
        bytes32 wordsHash = _bundles[key];
        if (wordsHash == 0 || wordsHash != keccak256(abi.encodePacked(words))) revert UnknownBundle();
        if (!_isResolved(id, round)) revert RoundUnresolved(round);
        Outcome outcome = _outcomeOf(id, round);
        uint256 index = firstIndex;
        for (uint256 i; i < words.length; ++i) {
            BidWord word = words[i];
            amount += _resultOf(id, outcome, word.fee(), word.size(), index, word.count());
            index += word.count();
        }

        delete _bundles[key];
        _credit(id, requester, amount);

        emit BundleReleased(id, requester, round, firstIndex, amount);
    }

    function _availableOf(MarketId id, address account) internal view returns (uint256) {
        Lane[2] storage lanes = _lanes[id][account];
        return _folded(id, lanes[0], 0).balance() + _folded(id, lanes[1], 1).balance();
    }

    function _lanesOf(MarketId id, address account) internal view returns (Lane[2] memory) {
        return _lanes[id][account];
    }

    function _bundleHash(MarketId id, address requester, uint256 round, uint256 firstIndex)
        internal
        view
        returns (bytes32)
    {
        return _bundles[_bundleKey(id, requester, round, firstIndex)];
    }

    function _surplusOf(MarketId id) internal view returns (uint256) {
        return _surplus[id];
    }

    // ------------------------------------------------------------------------------------------ for other books

    /// @notice Deposits the native currency attached to the call, if any, for the caller.
    function _depositValue(MarketId id) internal {
        if (msg.value == 0) return;
        MarketParams storage market = _existing(id);
        if (market.currency != address(0)) revert WrongValue(msg.value, 0);
        _creditDeposit(id, market, msg.sender, msg.value);
    }

    function _credit(MarketId id, address account, uint256 amount) internal {
        _lanes[id][account][0] = _lanes[id][account][0].credit(amount);
    }

    function _creditSink(MarketId id, uint256 amount) internal {
        _surplus[id] += amount;
    }

    /// @notice Takes `amount` from both lanes of the account, and folds only if it must: money that is there can leave
    /// even if a result could not be added to it.
    function _debit(MarketId id, address account, uint256 amount) internal {
        Lane[2] storage lanes = _lanes[id][account];
        Lane first = lanes[0];
        Lane second = lanes[1];
        if (amount > first.balance() + second.balance()) {
            first = _folded(id, first, 0);
            second = _folded(id, second, 1);
        }
        uint256 fromFirst = FixedPointMathLib.min(amount, first.balance());
        lanes[1] = _debited(second, amount - fromFirst, fromFirst);
        lanes[0] = first.debit(fromFirst);
    }

    /// @notice Locks what one entry of `account` may cost. The round's lane remembers it if it can.
    /// @param before The round's bids before it.
    /// @return inLane Whether it does; otherwise the lane holds another entry of the round, and this one needs a bundle.
    function _lock(MarketId id, address account, uint256 round, BidChain before, BidWord word)
        internal
        returns (bool inLane)
    {
        Lane[2] storage lanes = _lanes[id][account];
        Lane lane = _taken(id, lanes, round, before.digest(), _mostOf(id, word));
        inLane = !lane.hasBid();
        if (inLane) lane = lane.withBid(round, before.count(), word.count(), word.fee(), word.size());
        lanes[round & 1] = lane;
    }

    /// @notice Locks what entries of the caller may cost together.
    function _lockAll(MarketId id, uint256 round, BidChain before, uint256 amount) internal {
        Lane[2] storage lanes = _lanes[id][msg.sender];
        lanes[round & 1] = _taken(id, lanes, round, before.digest(), amount);
    }

    /// @notice The most that an entry costs: what its tasks may, and its settlement fees.
    function _mostOf(MarketId id, BidWord word) internal pure returns (uint256) {
        unchecked {
            return word.count() * (word.cost() + id.settlementFee()); // 16, 96 and 32 bits
        }
    }

    /// @notice Remembers bids of `account` that no lane holds, until they are released.
    function _bundle(MarketId id, address account, uint256 round, uint256 firstIndex, BidWord[] memory words)
        internal
    {
        bytes32 wordsHash = keccak256(abi.encodePacked(words));
        _bundles[_bundleKey(id, account, round, firstIndex)] = wordsHash;
        emit BidsBundled(id, account, round, firstIndex, words.length);
    }

    // ------------------------------------------------------------------------------------------------- internals

    /// @dev Takes `amount` from the round's lane of an account, which the caller of this function stores. If the lane
    /// has too little, takes the rest from the other lane, with half of what is then left there: the next bid of this
    /// lane then finds its money in one slot.
    function _taken(MarketId id, Lane[2] storage lanes, uint256 round, Digest digest, uint256 amount)
        private
        returns (Lane lane)
    {
        lane = _foldedWith(id, lanes[round & 1], round, digest);
        uint256 held = lane.balance();
        if (amount > held) {
            uint256 missing = amount - held;
            uint256 otherLane = ~round & 1;
            Lane other = _debited(_folded(id, lanes[otherLane], otherLane), missing, held);
            uint256 half = other.balance() / 2;
            lanes[otherLane] = other.debit(half);
            lane = lane.credit(missing + half);
        }
        lane = lane.debit(amount);
    }

    function _debited(Lane lane, uint256 amount, uint256 elsewhere) private pure returns (Lane) {
        uint256 held = lane.balance();
        if (amount > held) revert InsufficientBalance(elsewhere + held, elsewhere + amount);
        return lane.debit(amount);
    }

    /// @dev The same as `_folded`, from the digest of the round before last where that is enough.
    function _foldedWith(MarketId id, Lane lane, uint256 round, Digest digest) private view returns (Lane) {
        if (!lane.hasBid()) return lane;
        uint256 fee = lane.fee();
        if (lane.round(round & 1) + 2 != round || !digest.decides(fee)) return _folded(id, lane, round & 1);
        return lane.withoutBid().credit(digest.refund(fee, lane.size(), lane.count()));
    }

    /// @dev The lane with the result of its entry in its balance, if the entry's round is settled or void.
    function _folded(MarketId id, Lane lane, uint256 parity) private view returns (Lane) {
        if (!lane.hasBid()) return lane;
        uint256 round = lane.round(parity);
        Outcome outcome = _outcomeOf(id, round);
        if (!outcome.isSettled() && !_isResolved(id, round)) return lane;
        return
            lane.withoutBid()
                .credit(_resultOf(id, outcome, lane.fee(), lane.size(), lane.index(), lane.count()));
    }

    /// @dev What `count` bids of a settled or void round get back. A void round returns the settlement fees too.
    function _resultOf(MarketId id, Outcome outcome, uint256 fee, uint256 size, uint256 index, uint256 count)
        private
        pure
        returns (uint256)
    {
        return outcome.isSettled()
            ? outcome.refund(fee, size, index, count)
            : count * (fee * size + id.settlementFee());
    }

    /// @dev Credits the lane of the open round, so that a bid that follows finds its money in one slot.
    function _creditDeposit(MarketId id, MarketParams storage market, address account, uint256 amount)
        private
    {
        uint256 tick = market.tick;
        if (amount % tick != 0) revert NotMultipleOfTick(amount, tick);
        uint256 ticks = amount / tick;
        uint256 lane = block.timestamp < id.genesis() ? 0 : id.roundAt(block.timestamp) & 1;
        Lane[2] storage lanes = _lanes[id][account];
        lanes[lane] = lanes[lane].credit(ticks);
        emit Deposited(id, account, msg.sender, ticks);
    }

    function _pull(address token, uint256 amount) private {
        uint256 before = SafeTransferLib.balanceOf(token, address(this));
        SafeTransferLib.safeTransferFrom(token, msg.sender, address(this), amount);
        uint256 received = SafeTransferLib.balanceOf(token, address(this)) - before;
        if (received != amount) revert TokenTookFee(received, amount);
    }

    function _pay(address currency, address to, uint256 amount) private {
        if (currency == address(0)) SafeTransferLib.safeTransferETH(to, amount);
        else SafeTransferLib.safeTransfer(currency, to, amount);
    }

    function _bundleKey(MarketId id, address requester, uint256 round, uint256 firstIndex)
        private
        pure
        returns (bytes32)
    {
        bytes32 who = bytes32(uint256(uint160(requester)));
        return EfficientHashLib.hash(MarketId.unwrap(id), who, bytes32(round), bytes32(firstIndex));
    }

    /// @dev Transient storage is there on every chain this is built for (Cancun and later).
    function _useTransientReentrancyGuardOnlyOnMainnet() internal pure override returns (bool) {
        return false;
    }
}
