// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Vm} from "forge-std/Vm.sol";
import {Checkpoint} from "../../../contracts/clearing/Claim.sol";
import {IMarketLog} from "../../../contracts/interfaces/IMarketLog.sol";
import {BidChain} from "../../../contracts/types/BidChain.sol";
import {BidWord} from "../../../contracts/types/BidWord.sol";
import {Certificate} from "../../../contracts/types/Certificate.sol";
import {MarketId} from "../../../contracts/types/MarketId.sol";
import {Page} from "../../../contracts/types/Page.sol";

/// @notice Where the pages of a round start, from the documented layout of bids and their running hash, with none of the market's
/// own code.
library SlowPages {
    function seedOf(address market, MarketId id, uint256 round) internal view returns (uint256) {
        return uint256(keccak256(abi.encode(block.chainid, market, id, round))) >> 56 << 56;
    }

    /// @notice The place before entry `first` of `words`, the whole round.
    /// @param pivotFee Fee and index of the pivot: bids before it win.
    function checkpoint(
        uint256 seed,
        BidWord[] memory words,
        uint256 first,
        uint256 pivotFee,
        uint256 pivotIndex
    ) internal pure returns (Checkpoint memory place) {
        uint256 hash = seed;
        uint256 index;
        for (uint256 i; i < first; ++i) {
            hash = uint256(keccak256(abi.encode(hash, words[i]))) >> 56 << 56;
            uint256 word = uint256(BidWord.unwrap(words[i]));
            uint256 fee = word >> 192;
            for (uint256 k; k <= (word >> 144) & 0x7fff; ++k) {
                if (fee > pivotFee || (fee == pivotFee && index < pivotIndex)) {
                    place.offset += (word >> 160) & 0xffffffff;
                }
                ++index;
            }
        }
        place.chain = BidChain.wrap(hash | index);
    }

    /// @notice The page of entries `first .. end - 1` that starts a settlement.
    function page(uint256 seed, BidWord[] memory words, uint256 first, uint256 end, Certificate memory c)
        internal
        pure
        returns (Page memory p)
    {
        p.start = checkpoint(seed, words, first, c.pivotFee, c.pivotIndex);
        p.words = new BidWord[](end - first);
        for (uint256 i = first; i < end; ++i) {
            p.words[i - first] = words[i];
        }
    }

    /// @notice What the last `PageSettled` of `logs` left, for the page that continues it.
    function lastOf(Vm.Log[] memory logs)
        internal
        pure
        returns (address settler, uint256[] memory shares, bytes memory progress)
    {
        for (uint256 i = logs.length; i > 0; --i) {
            if (logs[i - 1].topics[0] != IMarketLog.PageSettled.selector) continue;
            settler = address(uint160(uint256(logs[i - 1].topics[3])));
            (, shares, progress) = abi.decode(logs[i - 1].data, (bytes32, uint256[], bytes));
            return (settler, shares, progress);
        }
        revert("no page was settled");
    }
}
