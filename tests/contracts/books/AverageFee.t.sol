// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IMarketLog} from "../../../contracts/interfaces/IMarketLog.sol";
import {Certificate} from "../../../contracts/types/Certificate.sol";
import {Mechanism} from "../../../contracts/types/Mechanism.sol";
import {Outcome} from "../../../contracts/types/Outcome.sol";
import {ClosedRoundTest} from "../support/ClosedRoundTest.sol";
import {SlowClearing} from "../support/SlowClearing.sol";

/// @notice A market in which requesters pay what they bid and provers the average of it.
/// @dev Round 1 of `_closedRound`: five bids of 35 units and 490 ticks, average 14, are below the cap; of the costs 6, 8, 9 and 15
/// the first three are below it, with 32 units. The four best bids fit: 30 units, 460 ticks.
contract AverageFeeTest is ClosedRoundTest {
    uint256 private constant REVENUE = 460;
    uint256 private constant UNITS = 30;
    uint256 private constant PAY_8 = REVENUE * 8 / UNITS; // 122
    uint256 private constant PAY_6 = REVENUE * 6 / UNITS; // 92
    uint256 private constant DUST = REVENUE - 3 * PAY_8 - PAY_6;

    /// Wei in the market of `setUp`, for tests of another one.
    uint256 private _others;

    function setUp() public override {
        super.setUp();
        tells = true;
        params.mechanism = Mechanism.AverageFee;
        id = market.createMarket(params);
        _closedRound();
    }

    function test_certificateOfTheRoundIsAsItsArithmeticSays() public view {
        Certificate memory c = cleared(1).certificate;
        assertEq(c.pivotFee, 6);
        assertEq(c.pivotIndex, 4);
        assertEq(c.units, UNITS);
        assertEq(c.pivotSeat, type(uint8).max);
        assertEq(c.batchFee, 5);
        assertEq(c.batchIndex, type(uint32).max);
        assertEq(c.batchUnits, 35);
        assertEq(c.batchRevenue, 490);
        assertEq(c.revenue, REVENUE);
        assertEq(DUST, 2);
    }

    function test_winnersPayTheirOwnBidsAndTheSinkGetsTheDust() public {
        settle(1);
        Outcome outcome = market.outcomeOf(id, 1);
        assertEq(outcome.revenue(), REVENUE);
        assertEq(outcome.units(), UNITS);
        assertEq(market.surplusOf(id), DUST);
        assertEq(available(alice), 0);
        assertEq(market.release(id, alice, 1, 4, words(1, 4, 1)), 30); // the bid that lost
        assertEq(market.release(id, bob, 1, 3, words(1, 3, 1)), 0);
        assertEq(available(bob) + available(carol), 0);
    }

    function test_deliveriesPayTheAverageAndLeaveTheDustAlone() public {
        SlowClearing.Result memory result = settle(1);
        uint256[4] memory pays;
        for (uint256 i; i < 4; ++i) {
            uint256 pay = i == 3 ? PAY_6 : PAY_8;
            pays[result.seatOf[i]] += pay;
            vm.expectEmit(address(market));
            emit IMarketLog.TaskDelivered(id, 1, i, result.seatOf[i], pay, 0, 0);
            deliver(1, i);
        }
        assertEq(available(paul), pays[0]);
        assertEq(available(quentin), pays[1]);
        assertEq(available(rita), pays[2]);
        assertEq(pays[0] + pays[1] + pays[2] + DUST, REVENUE);
        assertEq(market.surplusOf(id), DUST);
        market.release(id, alice, 1, 4, words(1, 4, 1));
        uint256 collateral = (17 + 19 + 17 + 17) * PER_UNIT;
        assertEq(address(market).balance, (collateral + REVENUE + 30 + 5 * FEE) * TICK);
    }

    /// @dev The penalty is a tenth of what is refunded.
    function _expires(uint256 index, uint256 own, uint256 held) private {
        settle(1);
        uint256 surplus = market.surplusOf(id);
        address requester = posted(1, index).requester;
        uint256 before = available(requester);
        vm.warp(finalAt(1));
        uint256 refund = own < held ? own : held;
        vm.expectEmit(address(market));
        emit IMarketLog.TaskExpired(id, 1, index, refund - refund / 10);
        expire(1, index);
        assertEq(available(requester) - before, refund - refund / 10);
        assertEq(market.surplusOf(id) - surplus, held - refund + 2 * (refund / 10));
    }

    function test_expiryRefundsAHighBidderWhatIsHeldForItsTask() public {
        _expires(0, 160, PAY_8);
    }

    function test_expiryRefundsALowBidderItsOwnPaymentAndTheSinkTheRest() public {
        _expires(2, 96, PAY_8);
        assertEq(PAY_8 - 96, 26);
    }

    function test_expiryOfASmallTaskIsProRata() public {
        _expires(3, 84, PAY_6);
    }

    /// @dev The others were cleared with the high bidder's money in the pool, and are still paid in full.
    function test_marketIsSolventWhenTheHighBiddersTaskExpires() public {
        settle(1);
        for (uint256 i = 1; i < 4; ++i) {
            deliver(1, i);
        }
        vm.warp(finalAt(1));
        expire(1, 0);
        market.release(id, alice, 1, 4, words(1, 4, 1));
        market.release(id, bob, 1, 3, words(1, 3, 1));
        _leaveAll();
    }

    function test_takerIsPaidTheAverageWithItsBounty() public {
        SlowClearing.Result memory result = settle(1);
        assertTrue(result.seatOf[0] != 3);
        vm.warp(proveBy(1));
        takeOver(1, 0, 3);
        deliver(1, 0);
        assertEq(available(steve), PAY_8 + 8 * PER_UNIT / 2);
        assertEq(market.surplusOf(id), DUST + 8 * PER_UNIT / 5);
    }

    function test_capLeavesOutWhatDoesNotFitAndDecidesTheAverage() public {
        fixCap(20);
        vm.warp(params.genesis);
        id = market.createMarket(params);
        _closedRound();
        SlowClearing.Result memory result = settle(1);
        // 8 and 8 units of 20 and 15 ticks; the 6 units of 14 do not fit. Their average, 17.5, is above every cost.
        assertEq(result.certificate.batchIndex, 3);
        assertEq(result.certificate.batchUnits, 16);
        assertEq(result.winners.length, 4);
        assertEq(market.outcomeOf(id, 1).revenue(), 280);
        assertEq(market.outcomeOf(id, 1).units(), 16);
    }

    function test_proverAtTheAverageIsOut() public {
        _oneBid(5 + 1, 1);
        _oneBid(5, 0);
    }

    /// @dev One bid of 5 ticks per unit, and one seat that asks just below it or just that.
    function _oneBid(uint64 fee, uint256 winners) private {
        params.sink = address(uint160(1000 + fee));
        vm.warp(params.genesis);
        id = market.createMarket(params);
        seat(paul, 10, 5);
        open(1);
        fundedBid(alice, fee, 8);
        open(2);
        SlowClearing.Result memory result = settle(1);
        assertEq(result.winners.length, winners);
        assertEq(market.outcomeOf(id, 1).units(), winners * 8);
        if (winners == 0) assertEq(available(alice), fee * 8);
    }

    function test_roundWithNoBidAtTheReserveHasNoTrade() public {
        params.sink = steve;
        vm.warp(params.genesis);
        id = market.createMarket(params);
        seat(paul, 10, 0);
        open(1);
        fundedBid(alice, 4, 8);
        open(2);
        assertEq(settle(1).winners.length, 0);
        assertEq(market.outcomeOf(id, 1).units(), 0);
        assertEq(market.assignmentRoot(id, 1), 0);
        assertEq(available(alice), 32);
    }

    // ---------------------------------------------------------------------------------------------------- money

    /// @dev Any round, any end of each of its tasks: every tick is somebody's, and everybody leaves with theirs.
    function testFuzz_everyTickOfARoundIsAccountedFor(uint256 seed, uint64 cap) public {
        fixCap(uint64(bound(cap, MAX_SIZE + 11, 70)));
        params.penaltyBps = uint16(seed % 10_001);
        params.collateralPerUnit = uint64((seed >> 16) % 30);
        _others = address(market).balance;
        vm.warp(params.genesis);
        id = market.createMarket(params);
        for (uint256 i; i < 4; ++i) {
            uint256 r = uint256(keccak256(abi.encode(seed, "seat", i)));
            seat([paul, quentin, rita, steve][i], uint32(MAX_SIZE + (r >> 8) % 12), uint64(r % 16));
        }
        open(1);
        for (uint256 i; i < 10; ++i) {
            uint256 r = uint256(keccak256(abi.encode(seed, "bid", i)));
            fundedBid(_requester(i), uint64(1 + r % 20), uint32(1 + (r >> 8) % MAX_SIZE));
        }
        open(2);
        SlowClearing.Result memory result = settle(1);
        uint256 surplus = market.surplusOf(id);
        uint256 paid = _pays(result);
        assertEq(surplus, result.revenue - paid);
        assertLt(surplus, 10);
        for (uint256 i; i < 10; ++i) {
            if (result.wins[i] && seed >> (30 + i) & 1 == 0) deliver(1, i);
        }
        vm.warp(finalAt(1));
        for (uint256 i; i < 10; ++i) {
            if (result.wins[i] && seed >> (30 + i) & 1 != 0) expire(1, i);
        }
        for (uint256 i; i < 10; ++i) {
            vm.prank(_requester(i));
            market.withdraw(id, type(uint256).max, _requester(i));
        }
        _leaveAll();
    }

    function _pays(SlowClearing.Result memory result) private view returns (uint256 sum) {
        for (uint256 i; i < result.wins.length; ++i) {
            if (result.wins[i]) sum += result.revenue * posted(1, i).circuit.units() / result.units;
        }
    }

    function _requester(uint256 i) private pure returns (address) {
        return address(uint160(0xd000 + i));
    }

    function _leaveAll() private {
        address[4] memory provers = [paul, quentin, rita, steve];
        for (uint256 i; i < 4; ++i) {
            if (capacity(i) == 0) continue;
            vm.prank(provers[i]);
            market.changeCapacity(id, i, 0);
        }
        vm.warp(block.timestamp + 2 * params.biddingPeriod);
        for (uint256 i; i < 4; ++i) {
            vm.prank(provers[i]);
            market.releaseCapacity(id, i);
        }
        address[8] memory everybody = [alice, bob, carol, paul, quentin, rita, steve, relayer];
        for (uint256 i; i < everybody.length; ++i) {
            vm.prank(everybody[i]);
            market.withdraw(id, type(uint256).max, everybody[i]);
        }
        market.collectSurplus(id);
        assertEq(address(market).balance, _others);
    }
}
