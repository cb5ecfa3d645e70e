// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {EIP712} from "solady/utils/EIP712.sol";
import {BidChain} from "../types/BidChain.sol";
import {BidWord} from "../types/BidWord.sol";
import {Lane} from "../types/Lane.sol";
import {MarketId} from "../types/MarketId.sol";
import {SignedBid, TypedBid, TypedBidLib, WalletBid} from "../types/SignedBid.sol";
import {BidBook} from "./BidBook.sol";

/// @notice Takes bids of an open market that their requesters have signed, many at a time, from anyone. One that is refused changes
/// nothing and does not stop the others.
/// @dev Of the extension alone, so it must not have any storage (docs/adr/0009).
abstract contract SignedBidBook is BidBook, EIP712 {
    /// @dev Most gas that a contract may use to check its signature, and what must be left so that it gets that much (EIP-150).
    uint256 private constant WALLET_GAS = 100_000;
    uint256 private constant GAS_FOR_WALLET = WALLET_GAS * 64 / 63 + 5000;

    /// @dev What is submitted in one call: the round's bids so far, and what to tell about it.
    struct Batch {
        MarketId id;
        uint256 round;
        bytes32 lanes;
        TypedBid typed;
        BidChain chain;
        /// Data of the event that tells them: round, first index, where the list is, its length, and `requester | entry` of each.
        bytes32[] told;
        uint256 count;
        bytes4 refusal;
    }

    function _submitSignedBids(MarketId id, SignedBid[] calldata bids) internal returns (uint256) {
        Batch memory batch = _start(id, bids.length);
        for (uint256 i; i < bids.length; ++i) {
            SignedBid calldata bid;
            assembly ("memory-safe") {
                bid := add(bids.offset, mul(i, 0x60)) // `bids[i]`, without its check
            }
            address requester = batch.typed.signer(bid);
            _add(batch, i, requester, bid.entry, requester != address(0));
        }
        return _finish(batch);
    }

    function _submitWalletBids(MarketId id, WalletBid[] calldata bids) internal returns (uint256) {
        Batch memory batch = _start(id, bids.length);
        for (uint256 i; i < bids.length; ++i) {
            WalletBid calldata bid = bids[i];
            bool stands = _standsFor(bid.requester, batch.typed.digest(bid.entry), bid.signature);
            _add(batch, i, bid.requester, bid.entry, stands);
        }
        return _finish(batch);
    }

    // ------------------------------------------------------------------------------------------------- internals

    function _start(MarketId id, uint256 most) private view returns (Batch memory batch) {
        _requireUnsealed(id);
        if (most == 0) revert NoBids();
        uint256 round = id.biddingRoundAt(block.timestamp);
        (batch.id, batch.round, batch.lanes) = (id, round, _lanesSlot(id));
        batch.typed = TypedBidLib.bind(_domainSeparator(), id, round);
        batch.chain = _chainOf(id, round);
        batch.told = new bytes32[](4 + 2 * most);
    }

    /// @dev Enters one entry, or tells why not.
    /// @param signed Whether it is the requester's.
    function _add(Batch memory batch, uint256 position, address requester, BidWord entry, bool signed)
        private
    {
        bytes4 refusal = signed ? _enterSigned(batch, requester, entry) : WrongSignature.selector;
        if (refusal != 0) {
            batch.refusal = refusal;
            emit SignedBidRefused(batch.id, requester, batch.round, position, refusal);
            return;
        }
        batch.chain = batch.chain.absorb(entry);
        bytes32[] memory told = batch.told;
        uint256 count = batch.count;
        unchecked {
            batch.count = count + 1;
        }
        assembly ("memory-safe") {
            let at := add(add(told, 0xa0), shl(6, count)) // within what it was made for
            mstore(at, requester)
            mstore(add(at, 0x20), entry)
        }
    }

    /// @dev Locks what the entry may cost.
    /// @return refusal Why it cannot be; otherwise 0.
    function _enterSigned(Batch memory batch, address requester, BidWord entry)
        private
        returns (bytes4 refusal)
    {
        (MarketId id, uint256 round, BidChain before) = (batch.id, batch.round, batch.chain);
        bytes32 slot = _laneSlot(batch.lanes, requester, round);
        Lane lane;
        assembly ("memory-safe") {
            lane := sload(slot)
        }
        lane = _laneWith(id, lane, round, before, entry);
        if (Lane.unwrap(lane) != 0) {
            assembly ("memory-safe") {
                sstore(slot, lane)
            }
            return 0;
        }
        refusal = _refusal(id, entry);
        if (refusal != 0) return refusal;
        if (!before.hasRoomFor(entry)) return RoundFull.selector;
        return _tryLock(id, requester, round, before, entry);
    }

    function _finish(Batch memory batch) private returns (uint256 count) {
        count = batch.count;
        // slither-disable-next-line incorrect-equality -- a number of bids
        if (count == 0) revert NothingSubmitted(batch.refusal);
        (MarketId id, uint256 round) = (batch.id, batch.round);
        uint256 firstIndex = _replaceChain(id, round, batch.chain);
        bytes32[] memory told = batch.told;
        bytes32 topic = SignedBidsSubmitted.selector;
        assembly ("memory-safe") {
            mstore(add(told, 0x20), round)
            mstore(add(told, 0x40), firstIndex)
            mstore(add(told, 0x60), 0x60)
            mstore(add(told, 0x80), count)
            log2(add(told, 0x20), add(0x80, shl(6, count)), topic, id)
        }
    }

    /// @dev Asks the contract by ERC-1271, within a fixed amount of gas. It changes nothing, whatever it does: the call is static, and
    /// of its answer one word is copied.
    function _standsFor(address wallet, bytes32 digest, bytes calldata signature)
        private
        view
        returns (bool stands)
    {
        bytes memory input = abi.encodeWithSelector(0x1626ba7e, digest, signature);
        // After that, as a signature may be of any length.
        if (gasleft() < GAS_FOR_WALLET) revert InsufficientGas(gasleft(), GAS_FOR_WALLET);
        uint256 most = WALLET_GAS;
        assembly ("memory-safe") {
            mstore(0x00, 0)
            let ok := staticcall(most, wallet, add(input, 0x20), mload(input), 0x00, 0x20)
            stands := and(and(ok, gt(returndatasize(), 0x1f)), eq(mload(0x00), shl(224, 0x1626ba7e)))
        }
    }

    /// @inheritdoc EIP712
    function _domainNameAndVersion()
        internal
        pure
        override
        returns (string memory name, string memory version)
    {
        return ("Proophi", "1");
    }
}
