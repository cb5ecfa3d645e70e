// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ECDSA} from "solady/utils/ECDSA.sol";
import {EIP712} from "solady/utils/EIP712.sol";
import {BidChain} from "../types/BidChain.sol";
import {BidWord} from "../types/BidWord.sol";
import {MarketId} from "../types/MarketId.sol";
import {SignedBid, SignedBidLib, SubmittedBid, WalletBid} from "../types/SignedBid.sol";
import {BidBook} from "./BidBook.sol";

/// @notice Takes bids of an open market that their requesters have signed, many at a time, from anyone. One that is refused changes
/// nothing and does not stop the others.
abstract contract SignedBidBook is BidBook, EIP712 {
    /// @dev Most gas that a contract may use to check its signature, and what must be left so that it gets that much (EIP-150).
    uint256 private constant WALLET_GAS = 100_000;
    uint256 private constant GAS_FOR_WALLET = WALLET_GAS * 64 / 63 + 5000;

    /// @dev What is submitted in one call: the round's bids so far, and what to tell about it.
    struct Batch {
        MarketId id;
        uint256 round;
        BidChain chain;
        bytes32 domain;
        SubmittedBid[] submitted;
        uint256 count;
        bytes4 refusal;
    }

    function _submitSignedBids(MarketId id, SignedBid[] calldata bids) internal returns (uint256) {
        Batch memory batch = _start(id, bids.length);
        for (uint256 i; i < bids.length; ++i) {
            SignedBid calldata bid = bids[i];
            address requester = ECDSA.tryRecover(_digest(batch, bid.entry), bid.r, bid.vs);
            bytes4 refusal = requester == address(0) ? WrongSignature.selector : bytes4(0);
            _add(batch, i, requester, bid.entry, refusal);
        }
        return _finish(batch);
    }

    function _submitWalletBids(MarketId id, WalletBid[] calldata bids) internal returns (uint256) {
        Batch memory batch = _start(id, bids.length);
        for (uint256 i; i < bids.length; ++i) {
            WalletBid calldata bid = bids[i];
            bool stands = _standsFor(bid.requester, _digest(batch, bid.entry), bid.signature);
            _add(batch, i, bid.requester, bid.entry, stands ? bytes4(0) : WrongSignature.selector);
        }
        return _finish(batch);
    }

    // ------------------------------------------------------------------------------------------------- internals

    function _start(MarketId id, uint256 most) private view returns (Batch memory batch) {
        _requireUnsealed(id);
        if (most == 0) revert NoBids();
        (batch.id, batch.round) = (id, id.biddingRoundAt(block.timestamp));
        batch.chain = _chainOf(id, batch.round);
        batch.domain = _domainSeparator();
        batch.submitted = new SubmittedBid[](most);
    }

    /// @dev Enters one entry, or tells why not.
    function _add(Batch memory batch, uint256 position, address requester, BidWord entry, bytes4 refusal)
        private
    {
        if (refusal == 0) refusal = _refusal(batch.id, entry);
        if (refusal == 0 && !batch.chain.hasRoomFor(entry)) refusal = RoundFull.selector;
        if (refusal == 0) refusal = _tryLock(batch.id, requester, batch.round, batch.chain, entry);
        if (refusal != 0) {
            batch.refusal = refusal;
            emit SignedBidRefused(batch.id, requester, batch.round, position, refusal);
            return;
        }
        batch.chain = batch.chain.absorb(entry);
        SubmittedBid memory submitted = batch.submitted[batch.count++];
        (submitted.requester, submitted.entry) = (requester, entry);
    }

    function _finish(Batch memory batch) private returns (uint256 count) {
        count = batch.count;
        // slither-disable-next-line incorrect-equality -- a number of bids
        if (count == 0) revert NothingSubmitted(batch.refusal);
        uint256 firstIndex = _replaceChain(batch.id, batch.round, batch.chain);
        SubmittedBid[] memory submitted = batch.submitted;
        assembly ("memory-safe") {
            mstore(submitted, count) // at most what it was made for
        }
        emit SignedBidsSubmitted(batch.id, batch.round, firstIndex, submitted);
    }

    function _digest(Batch memory batch, BidWord entry) private pure returns (bytes32 digest) {
        bytes32 structHash = SignedBidLib.structHash(batch.id, batch.round, entry);
        bytes32 domain = batch.domain;
        assembly ("memory-safe") {
            let m := mload(0x40)
            mstore(m, hex"1901")
            mstore(add(m, 0x02), domain)
            mstore(add(m, 0x22), structHash)
            digest := keccak256(m, 0x42)
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
