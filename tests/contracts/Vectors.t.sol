// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {stdJson} from "forge-std/StdJson.sol";
import {Outcome} from "../../contracts/types/Outcome.sol";
import {SlowClearing} from "./support/SlowClearing.sol";
import {MarketTest} from "./support/MarketTest.sol";

/// @notice The shared vectors, through the contract: what is settled there is what the vectors say.
contract VectorsTest is MarketTest {
    using stdJson for string;

    string private constant HEAD = "{\"name\":";
    uint256 private constant VECTORS = 240;
    uint256 private constant RAN = 172;

    string private _json;
    uint256[] private _fees;
    uint256[] private _sizes;
    uint256[] private _costs;
    uint256[] private _capacities;

    function test_contractSettlesEveryVectorAsItSays() public {
        vm.pauseGasMetering(); // reading JSON is dear
        string[] memory parts = vm.split(vm.readFile("tests/vectors/clearing.json"), HEAD);
        assertEq(parts.length, VECTORS + 1);
        uint256 ran;
        for (uint256 i = 1; i < parts.length; ++i) {
            uint256 start = vm.snapshotState();
            if (this.settleVector(parts[i])) ++ran;
            vm.revertToStateAndDelete(start);
        }
        assertEq(ran, RAN);
    }

    /// @dev A call of its own for each vector, so that the memory of one is not paid for by the next.
    function settleVector(string memory part) external returns (bool) {
        // What `split` leaves of an entry has lost its head, and ends in what stood between it and the next.
        assembly ("memory-safe") {
            mstore(part, sub(mload(part), 1))
        }
        _json = string.concat(HEAD, part);
        if (!_read()) return false;
        _settleVector();
        return true;
    }

    /// @dev Not run are vectors outside of what a market can express: rounds without bids, which nobody can settle, seats
    /// below the largest task, and costs and capacities at the ends of their types, where "no ask" and the margin leave
    /// no room.
    function _read() private returns (bool) {
        (_fees, _sizes) = _pairs(".bids");
        (_costs, _capacities) = _pairs(".asks");
        uint256 largest = 1;
        for (uint256 k; k < _sizes.length; ++k) {
            if (_sizes[k] > largest) largest = _sizes[k];
        }
        if (_fees.length == 0 || _costs.length > 128 || largest > 2 ** 30) return false;
        for (uint256 k; k < _costs.length; ++k) {
            bool fits = _capacities[k] >= largest && _capacities[k] + largest - 1 <= type(uint32).max;
            if (!fits || _costs[k] == type(uint64).max) return false;
        }
        params = defaultParams();
        (params.maxTaskSize, params.maxSeats) = (uint32(largest), 128);
        params.reservePrice = uint64(_json.readUint(".reserve_price"));
        uint256 cap = _json.readUint(".capacity_cap");
        if (cap < largest) return false;
        params.capacityCap = uint64(cap);
        (params.tick, params.collateralPerUnit) = (1, 1);
        return true;
    }

    function _settleVector() private {
        uint256 round = _json.readUint(".round");
        id = market.createMarket(params);
        assertGt(round, 0, "an ask counts from round 1 at the earliest");
        open(round - 1);
        for (uint256 k; k < _costs.length; ++k) {
            seat(paul, uint32(_capacities[k]), uint64(_costs[k]));
        }
        open(round);
        for (uint256 k; k < _fees.length; ++k) {
            // One requester a bid, as a sum of the largest would not fit one account.
            fundedBid(address(uint160(0xc000 + k)), uint64(_fees[k]), uint32(_sizes[k]));
        }
        open(round + 1);
        SlowClearing.Result memory result = settle(round);
        _compare(round, result);
    }

    function _compare(uint256 round, SlowClearing.Result memory result) private view {
        Outcome outcome = market.outcomeOf(id, round);
        assertEq(outcome.units(), _json.readUint(".core.units"));
        uint256[] memory winningBids = _json.readUintArray(".core.winning_bids");
        uint256 found;
        for (uint256 k; k < _fees.length; ++k) {
            bool wins = outcome.wins(_fees[k], k);
            assertEq(wins, result.wins[k]);
            if (wins) assertEq(winningBids[found++], k);
        }
        assertEq(found, winningBids.length);
        if (found == 0) return;
        assertEq(outcome.userPrice(), _json.readUint(".core.user_price"));
        assertEq(outcome.proverPrice(), _json.readUint(".core.prover_price"));
        for (uint256 n; n < found; ++n) {
            string memory pair = string.concat(".core.assignment[", vm.toString(n), "]");
            uint256[] memory bidAndAsk = _json.readUintArray(pair);
            assertEq(bidAndAsk[0], winningBids[n]);
            assertEq(bidAndAsk[1], result.seatOf[winningBids[n]]);
        }
    }

    function _pairs(string memory key)
        private
        view
        returns (uint256[] memory first, uint256[] memory second)
    {
        uint256 n;
        while (_json.keyExists(string.concat(key, "[", vm.toString(n), "]"))) ++n;
        (first, second) = (new uint256[](n), new uint256[](n));
        for (uint256 k; k < n; ++k) {
            string memory pair = string.concat(key, "[", vm.toString(k), "]");
            first[k] = _json.readUint(string.concat(pair, "[0]"));
            second[k] = _json.readUint(string.concat(pair, "[1]"));
        }
    }
}
