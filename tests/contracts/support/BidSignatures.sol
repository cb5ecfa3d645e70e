// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Test} from "forge-std/Test.sol";
import {BidWord} from "../../../contracts/types/BidWord.sol";
import {MarketId} from "../../../contracts/types/MarketId.sol";
import {SignedBid} from "../../../contracts/types/SignedBid.sol";

/// @notice What a requester signs: from its documentation, with none of the market's own code.
abstract contract BidSignatures is Test {
    /// @dev What a signature is bound to.
    struct Binding {
        uint256 chain;
        address market;
        MarketId id;
        uint256 round;
    }

    function digestOf(Binding memory b, BidWord word) internal pure returns (bytes32) {
        bytes32 domain = keccak256(
            abi.encode(
                keccak256(
                    "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
                ),
                keccak256("Proophi"),
                keccak256("1"),
                b.chain,
                b.market
            )
        );
        return keccak256(abi.encodePacked(hex"1901", domain, _structHash(b, BidWord.unwrap(word))));
    }

    function _structHash(Binding memory b, bytes32 word) private pure returns (bytes32) {
        return keccak256(
            abi.encode(
                keccak256(
                    "Bid(bytes32 market,uint256 round,uint256 fee,uint256 size,uint256 bids,bool told,uint256 ticket)"
                ),
                b.id,
                b.round,
                uint256(uint64(bytes8(word))),
                uint256(uint32(bytes4(word << 64))),
                (uint256(uint16(bytes2(word << 96))) & 0x7fff) + 1,
                word << 96 >> 255,
                uint256(uint144(uint256(word)))
            )
        );
    }

    function signedFor(Binding memory b, uint256 key, BidWord word) internal pure returns (SignedBid memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digestOf(b, word));
        return SignedBid(word, r, bytes32((uint256(v - 27) << 255) | uint256(s)));
    }
}
