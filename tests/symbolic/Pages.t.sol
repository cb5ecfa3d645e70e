// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Claim, ClosedRound, Pass} from "../../contracts/clearing/Claim.sol";
import {Progress} from "../../contracts/clearing/Progress.sol";
import {Winner} from "../../contracts/clearing/Winner.sol";
import {BidChain} from "../../contracts/types/BidChain.sol";
import {Certificate} from "../../contracts/types/Certificate.sol";
import {Mechanism} from "../../contracts/types/Mechanism.sol";
import {Symbolic} from "./Symbolic.sol";

/// @notice What a page leaves for the next one: two winners, and a tree of five leaves.
contract PagesSymbolic is Symbolic {
    struct Sums {
        uint64 offset;
        uint64 between;
        uint32 pivotSize;
        uint256 above;
        uint256 offered;
        uint256 paid;
    }

    struct Seats {
        bool hasNext;
        uint40 waiting;
        uint40 nextCapacity;
        uint40 capacity;
        uint64 nextPrice;
        uint64 price;
    }

    function check_progressOfCoreIsReadAsItWasWritten(
        BidChain chain,
        Sums memory sums,
        Seats memory seats,
        uint256[2] memory winners,
        bytes32[2] memory peaks
    ) external view {
        _check(Mechanism.Core, chain, sums, seats, winners, peaks);
    }

    function check_progressOfAverageFeeIsReadAsItWasWritten(
        BidChain chain,
        Sums memory sums,
        Seats memory seats,
        uint256[2] memory winners,
        bytes32[2] memory peaks
    ) external view {
        _check(Mechanism.AverageFee, chain, sums, seats, winners, peaks);
    }

    function unpack(bytes calldata progress, ClosedRound memory closed, Certificate memory c)
        external
        pure
        returns (Pass memory, Claim memory)
    {
        return Progress.unpack(progress, closed, c);
    }

    function bidsBefore(bytes calldata progress) external pure returns (uint256) {
        return Progress.bidsBefore(progress);
    }

    function _check(
        Mechanism mechanism,
        BidChain chain,
        Sums memory sums,
        Seats memory seats,
        uint256[2] memory winners,
        bytes32[2] memory peaks
    ) private view {
        Pass memory pass;
        Claim memory claim;
        claim.closed.mechanism = mechanism;
        (pass.start.chain, pass.start.offset, pass.pivotSize) = (chain, sums.offset, sums.pivotSize);
        (pass.tally.above, pass.tally.between) = (sums.above, sums.between);
        if (mechanism == Mechanism.AverageFee) {
            (pass.tally.offered, pass.tally.paid) = (sums.offered, sums.paid);
        }
        (claim.side.hasNext, claim.side.waiting) = (seats.hasNext, seats.waiting);
        (claim.side.nextCapacity, claim.side.capacity) = (seats.nextCapacity, seats.capacity);
        (claim.side.nextPrice, claim.side.price) = (seats.nextPrice, seats.price);
        claim.side.winners = new Winner[](2);
        (claim.side.winners[0], claim.side.winners[1]) = (Winner.wrap(winners[0]), Winner.wrap(winners[1]));
        pass.tree.count = 5;
        (pass.tree.peaks[0], pass.tree.peaks[2]) = (peaks[0], peaks[1]);

        bytes memory packed = Progress.pack(pass, claim);
        assert(this.bidsBefore(packed) == chain.count());
        (Pass memory pass2, Claim memory claim2) = this.unpack(packed, claim.closed, claim.certificate);
        assert(keccak256(abi.encode(pass)) == keccak256(abi.encode(pass2)));
        assert(keccak256(abi.encode(claim)) == keccak256(abi.encode(claim2)));
    }
}
