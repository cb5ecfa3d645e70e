// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {BidBook} from "../../contracts/books/BidBook.sol";
import {SignedBidBook} from "../../contracts/books/SignedBidBook.sol";
import {BidChain} from "../../contracts/types/BidChain.sol";
import {BidWord} from "../../contracts/types/BidWord.sol";
import {MarketId, MarketIdLib} from "../../contracts/types/MarketId.sol";
import {MarketParams} from "../../contracts/types/MarketParams.sol";
import {SignedBid, SubmittedBid} from "../../contracts/types/SignedBid.sol";

/// @notice The books of one market, with a door to what takes bids: to measure what their assembly saves, under the market's own
/// compiler settings, which files of tests do not have (`tests/contracts/gas/Assembly.gas.t.sol`).
abstract contract BookRunner is SignedBidBook {
    MarketId public immutable ID = MarketIdLib.pack(0, 1, 100, 2, false, 64);

    constructor() {
        MarketParams storage p = _market(ID);
        (p.tick, p.settlementPeriod, p.provingPeriod) = (1, 40, 70);
    }

    function deposit(address account) external payable {
        _deposit(ID, account, msg.value);
    }

    function submit(BidWord word) external virtual returns (uint256 round, uint256 index);

    function submitSigned(SignedBid[] calldata bids) external virtual;
}

/// @notice As the market does it.
contract AssemblyBookRunner is BookRunner {
    function submit(BidWord word) external override returns (uint256 round, uint256 index) {
        return _submitOneBid(ID, word);
    }

    function submitSigned(SignedBid[] calldata bids) external override {
        _submitSignedBids(ID, bids);
    }
}

/// @notice The same in plain words, without the way that most bids go, and without checks of the market and the round that bids here
/// always pass. Lanes and rounds are read and written as the market does.
contract PlainBookRunner is BookRunner {
    function submit(BidWord word) external override returns (uint256 round, uint256 index) {
        if (_refusal(ID, word) != 0) revert();
        round = ID.biddingRoundAt(block.timestamp);
        index = _enter(ID, round, msg.sender, word);
    }

    function submitSigned(SignedBid[] calldata bids) external override {
        uint256 round = ID.biddingRoundAt(block.timestamp);
        bytes32 domain = _domainSeparator();
        BidChain chain = _chainOf(ID, round);
        SubmittedBid[] memory told = new SubmittedBid[](bids.length);
        uint256 count;
        for (uint256 i; i < bids.length; ++i) {
            SignedBid calldata bid = bids[i];
            address requester = _signerOf(domain, round, bid);
            bytes4 refusal = requester == address(0) ? WrongSignature.selector : _refusal(ID, bid.entry);
            if (refusal == 0) refusal = _tryLock(ID, requester, round, chain, bid.entry);
            if (refusal != 0) revert NothingSubmitted(refusal);
            chain = chain.absorb(bid.entry);
            told[count++] = SubmittedBid(requester, bid.entry);
        }
        uint256 firstIndex = _replaceChain(ID, round, chain);
        emit SignedBidsSubmitted(ID, round, firstIndex, told);
    }

    function _signerOf(bytes32 domain, uint256 round, SignedBid calldata bid) private view returns (address) {
        BidWord entry = bid.entry;
        bytes32 structHash = keccak256(
            abi.encode(
                keccak256(
                    "Bid(bytes32 market,uint256 round,uint256 fee,uint256 size,uint256 bids,bool told,uint256 ticket)"
                ),
                ID,
                round,
                entry.fee(),
                entry.size(),
                entry.count(),
                entry.isTold(),
                entry.ticket()
            )
        );
        bytes32 digest = keccak256(abi.encodePacked(hex"1901", domain, structHash));
        return ecrecover(digest, uint8(uint256(bid.vs) >> 255) + 27, bid.r, (bid.vs << 1) >> 1);
    }
}
