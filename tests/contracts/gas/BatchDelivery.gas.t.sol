// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {DeliveryBatch} from "../../../contracts/types/Delivery.sol";
import {OneByOneVerifier} from "../mocks/BatchVerifiers.sol";
import {BatchMarketTest} from "../support/BatchMarketTest.sol";

/// @notice What deliveries cost together, as one transaction with everything in it: run with the profile `gas`.
contract BatchDeliveryGasTest is BatchMarketTest {
    /// @return gas Of all of them.
    function _record(uint256 count, string memory what) private returns (uint256 gas) {
        DeliveryBatch memory batch = batchOf(1, firstBids(count));
        vm.prank(relayer);
        uint256 delivered = market.deliverBatch(id, batch);
        gas = vm.lastCallGas().gasTotalUsed;
        vm.snapshotGasLastCall(
            "ProverMarket", string.concat("deliverBatch, ", vm.toString(count), " proofs", what)
        );
        assertEq(delivered, ones(count));
    }

    function test_gasOfBatches() public {
        makeRound(32);
        uint256 state = vm.snapshotState();
        _record(32, ", first in a new market");
        vm.revertToState(state);
        // Bob's task is of the same round and seat.
        deliverBid(1, 32, readBatchCase(0));
        state = vm.snapshotState();
        uint256[4] memory sizes = [uint256(1), 2, 8, 32];
        for (uint256 i; i < sizes.length; ++i) {
            _record(sizes[i], "");
            vm.revertToState(state);
        }
    }

    /// @dev By a verifier that cannot verify together: what the rest of a transaction costs is shared all the same.
    function test_gasOfBatchesThatAreVerifiedOneByOne() public {
        params.verifier = new OneByOneVerifier(params.verifier);
        id = market.createMarket(params);
        makeRound(8);
        deliverBid(1, 8, readBatchCase(0));
        uint256 state = vm.snapshotState();
        deliverBid(1, 0, readBatchCase(0));
        uint256 alone = vm.lastCallGas().gasTotalUsed;
        vm.revertToState(state);
        uint256[2] memory sizes = [uint256(2), 8];
        for (uint256 i; i < sizes.length; ++i) {
            assertLt(_record(sizes[i], ", verified one by one"), sizes[i] * alone);
            vm.revertToState(state);
        }
    }

    /// @dev All of one run, each with the five nodes of its statement. Before them a task of the same round and seat.
    function test_gasOfABatchOfALot() public {
        seat(paul, uint32(33 * UNITS), 6);
        seat(quentin, uint32(40 * UNITS), 9);
        open(1);
        lotForCases(60, 0, 32);
        lotForCases(60, 32, 1);
        lotForCases(20, 33, 10);
        open(2);
        settle(1);
        deliverBid(1, 32, readBatchCase(0));
        _record(32, " of a lot");
    }

    function test_gasOfTheLargestBatchThatHasBeenTried() public {
        makeRound(64);
        deliverBid(1, 64, readBatchCase(0));
        _record(64, "");
    }
}
