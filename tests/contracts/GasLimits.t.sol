// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {BidWord} from "../../contracts/types/BidWord.sol";
import {Mechanism} from "../../contracts/types/MarketParams.sol";
import {Task, TaskStatus} from "../../contracts/types/Task.sol";
import {MarketTest} from "./support/MarketTest.sol";
import {SlowClearing} from "./support/SlowClearing.sol";

/// @notice What others can make a caller pay for, at its worst: as many seats, winners and takers as a market can have. The limits are those of
/// docs/gas-limits.md.
contract GasLimitsTest is MarketTest {
    uint256 private constant SEATS = 128;
    uint256 private constant TAKERS = 16;

    function _fullMarket(Mechanism mechanism) private {
        (params.mechanism, params.maxSeats, params.maxTakeovers) = (mechanism, uint8(SEATS), uint8(TAKERS));
        (params.settlementPeriod, params.biddingPeriod) = (60, 100);
        fixCap(1e6);
        fixReserve(1e6);
        id = market.createMarket(params);
        for (uint256 i; i < SEATS; ++i) {
            seat(_prover(i), 16, uint64(10 + i));
        }
        open(1);
    }

    function _prover(uint256 i) private pure returns (address) {
        return address(uint160(0xa000 + i));
    }

    /// @dev The gas that is left, with all of the market's storage cold, as a transaction finds it.
    function _begin() private returns (uint256) {
        // This forge-std does not know the cheat code yet.
        (bool isCold,) = address(vm).call(abi.encodeWithSignature("cool(address)", address(market)));
        assertTrue(isCold);
        return gasleft();
    }

    function _bids(uint256 count) private {
        for (uint256 i; i < count; ++i) {
            fundedBid(address(uint160(0xb000 + i)), uint64(1e6 - i), MAX_SIZE);
        }
    }

    function _settle(uint256 winners) private returns (uint256 used) {
        open(2);
        fund(relayer, 1);
        SlowClearing.Result memory result = cleared(1);
        assertEq(result.winners.length, winners);
        BidWord[] memory list = words(1);
        vm.prank(relayer);
        uint256 before = _begin();
        market.settle(id, 1, result.certificate, list);
        return before - gasleft();
    }

    function test_roundOfAllSeatsIsSettledInOneTransaction() public {
        _fullMarket(Mechanism.Core);
        _bids(300);
        assertLt(_settle(SEATS - 1), 1_600_000);
    }

    function test_roundOfAllSeatsIsSettledInOneTransactionAtTheAverageFee() public {
        _fullMarket(Mechanism.AverageFee);
        _bids(300);
        assertLt(_settle(SEATS), 1_600_000);
    }

    function test_lastSeatIsFoundWithinItsLimit() public {
        params.maxSeats = uint8(SEATS);
        id = market.createMarket(params);
        for (uint256 i; i < SEATS - 1; ++i) {
            seat(_prover(i), 16, 10);
        }
        fund(paul, 23 * PER_UNIT);
        vm.prank(paul);
        uint256 before = _begin();
        market.register(id, 23, 10);
        assertLt(before - gasleft(), 400_000);
    }

    function test_taskWithAllItsTakersEndsWithinItsLimits() public {
        _fullMarket(Mechanism.Core);
        tells = true;
        _bids(2);
        _settle(SEATS - 1);
        uint256 most;
        for (uint256 i; i < TAKERS; ++i) {
            vm.warp(proveBy(1) + i * params.takeoverPeriod);
            (Task memory task, bytes32[] memory path) = taskOf(1, 0);
            uint256 taker = (task.seat + 1 + i) % SEATS;
            vm.prank(_prover(taker));
            uint256 before = _begin();
            market.takeOver(id, task, path, taker);
            uint256 used = before - gasleft();
            if (used > most) most = used;
        }
        assertLt(most, 300_000);
        vm.warp(finalAt(1));
        (Task memory last, bytes32[] memory way) = taskOf(1, 0);
        uint256 start = _begin();
        market.expire(id, last, way);
        assertLt(start - gasleft(), 800_000);
        assertEq(uint256(market.taskStatus(id, 1, 0)), uint256(TaskStatus.Expired));
    }
}
