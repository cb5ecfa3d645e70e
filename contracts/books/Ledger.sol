// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {EfficientHashLib} from "solady/utils/EfficientHashLib.sol";
import {FixedPointMathLib} from "solady/utils/FixedPointMathLib.sol";
import {ReentrancyGuardTransient} from "solady/utils/ReentrancyGuardTransient.sol";
import {SafeTransferLib} from "solady/utils/SafeTransferLib.sol";
import {IERC20Permit, IPermit2} from "../interfaces/IPermit.sol";
import {BidChain} from "../types/BidChain.sol";
import {BidWord, BidWordLib} from "../types/BidWord.sol";
import {Lane, LaneLib} from "../types/Lane.sol";
import {MarketId} from "../types/MarketId.sol";
import {MarketParams} from "../types/MarketParams.sol";
import {Digest, Outcome} from "../types/Outcome.sol";
import {TermsBook} from "./TermsBook.sol";

/// @notice Everybody's money, in ticks: balances, what bids have locked, and the sink's surplus. The only book that
/// moves currency, and none of its sums ever reads the contract's own balance.
abstract contract Ledger is TermsBook, ReentrancyGuardTransient {
    /// @dev Where Permit2 is on every chain that has it, and what its owners sign besides the transfer: for which market.
    address private constant PERMIT2 = 0x000000000022D473030F116dDEE9F6B43aC78BA3;
    bytes32 private constant DEPOSIT_TYPEHASH = keccak256("MarketDeposit(bytes32 market)");
    string private constant DEPOSIT_WITNESS =
        "MarketDeposit witness)MarketDeposit(bytes32 market)TokenPermissions(address token,uint256 amount)";

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

    function _depositWithPermit(MarketId id, uint256 amount, uint256 deadline, uint8 v, bytes32 r, bytes32 s)
        internal
        nonReentrant
    {
        MarketParams storage market = _tokenMarket(id);
        address token = market.currency;

        _creditDeposit(id, market, msg.sender, amount);

        // Whoever saw the signature may have used it before: then the allowance is there already, and only that counts.
        try IERC20Permit(token).permit(msg.sender, address(this), amount, deadline, v, r, s) {} catch {}
        _pull(token, amount);
    }

    function _depositWithPermit2(
        MarketId id,
        address owner,
        uint256 amount,
        uint256 nonce,
        uint256 deadline,
        bytes calldata signature
    ) internal nonReentrant {
        MarketParams storage market = _tokenMarket(id);
        address token = market.currency;
        if (PERMIT2.code.length == 0) revert NoPermit2(PERMIT2);

        _creditDeposit(id, market, owner, amount);

        uint256 before = SafeTransferLib.balanceOf(token, address(this));
        IPermit2(PERMIT2)
            .permitWitnessTransferFrom(
                IPermit2.PermitTransferFrom(IPermit2.TokenPermissions(token, amount), nonce, deadline),
                IPermit2.SignatureTransferDetails(address(this), amount),
                owner,
                EfficientHashLib.hash(DEPOSIT_TYPEHASH, MarketId.unwrap(id)),
                DEPOSIT_WITNESS,
                signature
            );
        _requireReceived(token, before, amount);
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
        for (uint256 i; i < 2; ++i) {
            (Lane lane, uint256 balance) = _folded(id, lanes[i], i);
            lanes[i] = lane.withBalance(LaneLib.checkBalance(balance));
        }
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
        if (wordsHash == 0 || wordsHash != keccak256(abi.encodePacked(BidWordLib.raw(words)))) {
            revert UnknownBundle();
        }
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
        (, uint256 first) = _folded(id, lanes[0], 0);
        (, uint256 second) = _folded(id, lanes[1], 1);
        return first + second;
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
        (uint256 inFirst, uint256 inSecond) = (first.balance(), second.balance());
        if (amount > inFirst + inSecond) {
            (first, inFirst) = _folded(id, first, 0);
            (second, inSecond) = _folded(id, second, 1);
            if (amount > inFirst + inSecond) revert InsufficientBalance(inFirst + inSecond, amount);
        }
        uint256 fromFirst = FixedPointMathLib.min(amount, inFirst);
        lanes[1] = second.withBalance(LaneLib.checkBalance(inSecond - (amount - fromFirst)));
        lanes[0] = first.withBalance(LaneLib.checkBalance(inFirst - fromFirst));
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
        _storeLane(lanes, round, lane);
    }

    /// @notice The same where the lane must remember it, for an entry that somebody else sends.
    /// @return Selector of the error that keeps it from being locked, or 0; then nothing has changed.
    function _tryLock(MarketId id, address account, uint256 round, BidChain before, BidWord word)
        internal
        returns (bytes4)
    {
        Lane[2] storage lanes = _lanes[id][account];
        (Lane lane, uint256 held) = _foldedWith(id, _loadLane(lanes, round), round, before.digest());
        if (lane.hasBid()) return BidInRoundAlready.selector;
        (uint256 left, uint256 missing) = _takenFrom(id, lanes, round, held, _mostOf(id, word));
        if (missing != 0) return InsufficientBalance.selector;
        if (left > LaneLib.MAX_BALANCE) return LaneLib.BalanceOverflow.selector;
        lane = lane.withBalance(left);
        _storeLane(lanes, round, lane.withBid(round, before.count(), word.count(), word.fee(), word.size()));
        return 0;
    }

    /// @notice Locks what entries of the caller may cost together.
    function _lockAll(MarketId id, uint256 round, BidChain before, uint256 amount) internal {
        Lane[2] storage lanes = _lanes[id][msg.sender];
        _storeLane(lanes, round, _taken(id, lanes, round, before.digest(), amount));
    }

    /// @notice The most that an entry costs: what its tasks may, and its settlement fees.
    function _mostOf(MarketId id, BidWord word) internal pure returns (uint256) {
        unchecked {
            return word.count() * (word.cost() + id.settlementFee()); // 16, 96 and 32 bits
        }
    }

    /// @notice Remembers entries of `account` that no lane holds, until they are released.
    /// @param wordsHash keccak256 of their words.
    function _bundle(
        MarketId id,
        address account,
        uint256 round,
        uint256 firstIndex,
        bytes32 wordsHash,
        uint256 entries
    ) internal {
        _bundles[_bundleKey(id, account, round, firstIndex)] = wordsHash;
        emit BidsBundled(id, account, round, firstIndex, entries);
    }

    /// @return slot Where the lanes of the market's accounts are, for assembly.
    function _lanesSlot(MarketId id) internal pure returns (bytes32 slot) {
        assembly ("memory-safe") {
            mstore(0x00, id)
            mstore(0x20, _lanes.slot)
            slot := keccak256(0x00, 0x40)
        }
    }

    /// @param lanes What `_lanesSlot` returns.
    /// @return slot Where the lane of `account` for `round` is.
    function _laneSlot(bytes32 lanes, address account, uint256 round) internal pure returns (bytes32 slot) {
        assembly ("memory-safe") {
            mstore(0x00, account)
            mstore(0x20, lanes)
            slot := add(keccak256(0x00, 0x40), and(round, 1))
        }
    }

    // ------------------------------------------------------------------------------------------------- internals

    /// @dev Takes `amount` from an account for a bid of `round`. The caller of this function stores the lane.
    function _taken(MarketId id, Lane[2] storage lanes, uint256 round, Digest digest, uint256 amount)
        private
        returns (Lane lane)
    {
        uint256 held;
        (lane, held) = _foldedWith(id, _loadLane(lanes, round), round, digest);
        (uint256 left, uint256 missing) = _takenFrom(id, lanes, round, held, amount);
        if (missing != 0) revert InsufficientBalance(amount - missing, amount);
        return lane.withBalance(LaneLib.checkBalance(left));
    }

    /// @dev Takes `amount` from the lane of `round`, which has `held`. If that is too little, takes the rest from the other lane, with
    /// half of what is then left there: the next bid of this lane then finds its money in one slot.
    /// @return left What the round's lane has then. If that is more than it can count, nothing has changed.
    /// @return missing What both lanes lack; then nothing has changed.
    function _takenFrom(MarketId id, Lane[2] storage lanes, uint256 round, uint256 held, uint256 amount)
        private
        returns (uint256 left, uint256 missing)
    {
        if (amount <= held) return (held - amount, 0);
        (Lane other, uint256 otherHeld) = _folded(id, _loadLane(lanes, round + 1), (round + 1) & 1);
        uint256 needed = amount - held;
        if (needed > otherHeld) return (0, needed - otherHeld);
        uint256 rest = otherHeld - needed;
        // What the other lane cannot count goes to this one.
        uint256 otherLeft = FixedPointMathLib.min(rest - rest / 2, LaneLib.MAX_BALANCE);
        left = rest - otherLeft;
        if (left <= LaneLib.MAX_BALANCE) _storeLane(lanes, round + 1, other.withBalance(otherLeft));
    }

    /// @dev The lane of a round. In assembly, as the compiler takes an element of a small array for a part of a slot, and reads the slot
    /// once more before it writes.
    function _loadLane(Lane[2] storage lanes, uint256 round) private view returns (Lane lane) {
        assembly ("memory-safe") {
            lane := sload(add(lanes.slot, and(round, 1)))
        }
    }

    function _storeLane(Lane[2] storage lanes, uint256 round, Lane lane) private {
        assembly ("memory-safe") {
            sstore(add(lanes.slot, and(round, 1)), lane)
        }
    }

    /// @dev The same as `_folded`, from the digest of the round before last where that is enough.
    function _foldedWith(MarketId id, Lane lane, uint256 round, Digest digest)
        private
        view
        returns (Lane, uint256 balance)
    {
        if (!lane.hasBid()) return (lane, lane.balance());
        uint256 fee = lane.fee();
        unchecked {
            // An entry is of the round or an earlier one of the same parity.
            if (round - lane.round(round & 1) != 2 || !digest.decides(fee)) {
                return _folded(id, lane, round & 1);
            }
            // Both far below 2^255.
            balance = lane.balance() + digest.refund(fee, lane.size(), lane.count());
        }
        return (lane.withoutBid(), balance);
    }

    /// @dev The lane without its entry, if that entry's round is settled or void, and its balance with the entry's result.
    function _folded(MarketId id, Lane lane, uint256 parity) private view returns (Lane, uint256 balance) {
        balance = lane.balance();
        if (!lane.hasBid()) return (lane, balance);
        uint256 round = lane.round(parity);
        Outcome outcome = _outcomeOf(id, round);
        if (!outcome.isSettled() && !_isResolved(id, round)) return (lane, balance);
        balance += _resultOf(id, outcome, lane.fee(), lane.size(), lane.index(), lane.count());
        return (lane.withoutBid(), balance);
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

    function _tokenMarket(MarketId id) private view returns (MarketParams storage market) {
        market = _existing(id);
        if (market.currency == address(0)) revert NativeCurrency();
    }

    function _pull(address token, uint256 amount) private {
        uint256 before = SafeTransferLib.balanceOf(token, address(this));
        SafeTransferLib.safeTransferFrom(token, msg.sender, address(this), amount);
        _requireReceived(token, before, amount);
    }

    function _requireReceived(address token, uint256 before, uint256 amount) private view {
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
