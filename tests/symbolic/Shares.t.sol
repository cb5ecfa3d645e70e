// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {FixedPointMathLib} from "solady/utils/FixedPointMathLib.sol";
import {MarketParamsLib} from "../../contracts/types/MarketParams.sol";
import {Mechanism} from "../../contracts/types/Mechanism.sol";
import {Digest, Outcome, OutcomeLib} from "../../contracts/types/Outcome.sol";
import {Symbolic} from "./Symbolic.sol";

/// @dev Without revenue and units.
function outcomeOf(bool averageFee, uint64 pivotFee, uint32 pivotIndex) pure returns (Outcome) {
    return OutcomeLib.pack(averageFee ? Mechanism.AverageFee : Mechanism.Core, pivotFee, pivotIndex, 0, 0);
}

/// @notice What is divided, and what a round's outcome says of money.
contract SharesSymbolic is Symbolic {
    uint256 private constant BPS = 10_000;

    /// @dev Any basis points; amounts of up to 6 ticks.
    function check_shareOfAFewTicksIsDown(uint256 amount, uint16 bps) external pure {
        vm.assume(bps <= BPS);
        _checkShare(each(amount, 6), bps);
    }

    /// @dev Any amount that a lane can hold; basis points at the ends and between.
    function check_shareOfAnyAmountIsDown(uint96 amount, uint256 which) external pure {
        _checkShare(amount, _someBps(which));
    }

    function _someBps(uint256 which) private pure returns (uint256) {
        uint16[6] memory bps = [0, 1, 2_500, 3_333, 9_999, 10_000];
        return bps[each(which, 5)];
    }

    function _checkShare(uint256 amount, uint256 bps) private pure {
        uint256 share = MarketParamsLib.shareDown(amount, bps);
        assert(share <= amount);
        unchecked {
            // Of amounts below 2^128 and shares that are no larger.
            assert(share * BPS <= amount * bps && amount * bps < (share + 1) * BPS);
        }
    }

    /// @dev What is left for the sink is never negative. Any parts of up to 6 ticks.
    function check_bountyAndCompensationNeverExceedASlash(
        uint256 collateral,
        uint16 bounty,
        uint16 compensation
    ) external pure {
        vm.assume(uint256(bounty) + compensation <= BPS);
        collateral = each(collateral, 6);
        uint256 parts = MarketParamsLib.shareDown(collateral, bounty)
            + MarketParamsLib.shareDown(collateral, compensation);
        assert(parts <= collateral);
    }

    function check_coreHoldsWhatABidPaid(
        uint64 pivotFee,
        uint32 index,
        uint104 revenue,
        uint40 units,
        uint64 fee,
        uint32 size
    ) external pure {
        Outcome o = OutcomeLib.pack(Mechanism.Core, pivotFee, index, revenue, units);
        assert(o.charge(fee, size) == uint256(pivotFee) * size);
        assert(o.held(fee, size) == uint256(pivotFee) * size);
    }

    function check_averageFeeChargesWhatABidOffered(
        uint64 pivotFee,
        uint32 index,
        uint104 revenue,
        uint40 units,
        uint64 fee,
        uint32 size
    ) external pure {
        vm.assume(units != 0);
        Outcome o = OutcomeLib.pack(Mechanism.AverageFee, pivotFee, index, revenue, units);
        assert(o.charge(fee, size) == uint256(fee) * size);
        assert(o.held(fee, size) == o.payDown(size));
    }

    /// @dev The prover price is at most the user price, which `Certificates` shows: what a delivery is paid is there. Any prices,
    /// batches of 1, 2 or 4 units: what else is divided by is for the fuzzer.
    function check_coreHoldsWhatADeliveryIsPaid(uint64 price, uint64 pivotFee, uint256 units, uint256 size)
        external
        pure
    {
        (units, size) = (2 ** each(units, 2), each(size, 4));
        vm.assume(price <= pivotFee && size <= units);
        Outcome o = OutcomeLib.pack(Mechanism.Core, pivotFee, 0, uint256(price) * units, units);
        assert(o.payDown(size) == uint256(price) * size);
        assert(o.payDown(size) <= o.held(pivotFee, size));
    }

    /// @dev Two tasks, or two sets of tasks: apart they are paid what they are together, or a tick less. So, task by task, a whole batch
    /// is paid its revenue at most, and less by fewer ticks than it has tasks. Any revenue, batches of up to 3 units.
    function check_payOfPartsIsThatOfTheWholeAtMost(uint104 revenue, uint256 units, uint256 a, uint256 b)
        external
        pure
    {
        (units, a, b) = (each(units, 3), each(a, 3), each(b, 3));
        vm.assume(units != 0 && a + b <= units);
        Outcome o = OutcomeLib.pack(Mechanism.AverageFee, 0, 0, revenue, units);
        uint256 apart = o.payDown(a) + o.payDown(b);
        uint256 together = o.payDown(a + b);
        assert(apart <= together && together <= apart + 1);
    }

    function check_payOfTheWholeBatchIsItsRevenue(uint104 revenue, uint40 units) external pure {
        vm.assume(units != 0);
        Outcome o = OutcomeLib.pack(Mechanism.AverageFee, 0, 0, revenue, units);
        assert(o.payDown(units) == revenue);
    }

    /// @dev As `TaskBook` divides it at expiry: refund and penalty together are what the bid paid, and that is there. Any amounts
    /// that a lane can hold; basis points at the ends and between.
    function check_refundAndPenaltyAreHeld(uint96 charge, uint96 held, uint96 collateral, uint256 which)
        external
        pure
    {
        uint256 payment = charge < held ? charge : held;
        uint256 atStake = payment < collateral ? payment : collateral;
        uint256 penalty = MarketParamsLib.shareDown(atStake, _someBps(which));
        assert(penalty <= payment && penalty <= collateral);
        assert((payment - penalty) + penalty <= held);
    }

    /// @dev As `TaskBook` takes it, without a branch.
    function check_smallerOfTwoAmounts(uint256 a, uint256 b) external pure {
        assert(FixedPointMathLib.min(a, b) == (a < b ? a : b));
    }

    /// @dev Nobody gets back more than was locked, and what stays is what the winners pay. Any fees, a lot of two bids of two units, wherever
    /// the pivot is.
    function check_refundAndPaymentAreWhatWasLocked(
        bool averageFee,
        uint64 pivotFee,
        uint256 pivotIndex,
        uint64 fee
    ) external pure {
        (uint256 size, uint256 index, uint256 count) = (2, 1, 2);
        Outcome o = outcomeOf(averageFee, pivotFee, uint32(each(pivotIndex, 4)));
        uint256 locked = uint256(fee) * size * count;
        uint256 refund = o.refund(fee, size, index, count);
        assert(refund <= locked);
        assert(refund + o.charge(fee, size) * o.winners(fee, index, count) == locked);
    }
}

/// @notice What an outcome says of who won.
contract WinnersSymbolic is Symbolic {
    /// @dev Of a lot that won in part, from any index: those before the pivot did.
    function check_winnersOfALotAreThoseBeforeThePivot(
        uint64 pivotFee,
        uint32 pivotIndex,
        uint64 fee,
        uint24 index,
        uint16 count,
        uint16 i
    ) external pure {
        vm.assume(i < count);
        Outcome o = OutcomeLib.pack(Mechanism.Core, pivotFee, pivotIndex, 0, 0);
        uint256 winners = o.winners(fee, index, count);
        bool won = fee > pivotFee || (fee == pivotFee && uint256(index) + i < pivotIndex);
        assert(winners <= count && (i < winners) == won);
    }

    /// @dev Any fees, lots of up to 2 bids of up to 2 units.
    function check_digestSaysWhatTheOutcomeSays(
        bool averageFee,
        uint64 pivotFee,
        uint32 pivotIndex,
        uint64 fee,
        uint256 size,
        uint24 index,
        uint256 count
    ) external pure {
        (size, count) = (each(size, 2), each(count, 2));
        Outcome o = outcomeOf(averageFee, pivotFee, pivotIndex);
        Digest d = o.digest();
        if (d.decides(fee)) assert(d.refund(fee, size, count) == o.refund(fee, size, index, count));
    }

    /// @dev Whatever the pivot: a digest that can name its fee decides every other one, and one that cannot decides none. A fee of 0 is
    /// named where requesters pay their own bids, as elsewhere nothing would be left in the digest.
    function check_digestDecidesEveryFeeButThePivots(
        bool averageFee,
        uint64 pivotFee,
        uint32 pivotIndex,
        uint64 fee
    ) external pure {
        Digest d = outcomeOf(averageFee, pivotFee, pivotIndex).digest();
        bool named = pivotFee < 2 ** 31 && (averageFee || pivotFee != 0);
        assert(d.decides(fee) == (named && fee != pivotFee));
        assert(!Outcome.wrap(0).digest().decides(fee));
    }
}
