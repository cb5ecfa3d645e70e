// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {stdJson} from "forge-std/StdJson.sol";
import {Checkpoint, ClosedRound} from "../../contracts/clearing/Claim.sol";
import {Verdict} from "../../contracts/interfaces/IRoundAuditor.sol";
import {BidChain} from "../../contracts/types/BidChain.sol";
import {BidWord} from "../../contracts/types/BidWord.sol";
import {Certificate} from "../../contracts/types/Certificate.sol";
import {Mechanism} from "../../contracts/types/Mechanism.sol";
import {Outcome} from "../../contracts/types/Outcome.sol";
import {Page} from "../../contracts/types/Page.sol";
import {SlowClearing} from "./support/SlowClearing.sol";
import {MarketTest} from "./support/MarketTest.sol";
import {SlowMerkle} from "./support/SlowMerkle.sol";
import {SlowPages} from "./support/SlowPages.sol";

/// @notice The shared vectors, through the auditor and, as far as a market can express them, through a market: what is
/// settled there is what the vectors say, under both mechanisms.
contract VectorsTest is MarketTest {
    using stdJson for string;

    string private constant HEAD = "{\"name\":";
    uint256 private constant VECTORS = 240;
    uint256 private constant AUDITED = 240;
    uint256 private constant SETTLED = 128;

    string private _json;
    uint256[] private _fees;
    uint256[] private _sizes;
    uint256[] private _costs;
    uint256[] private _capacities;
    /// Of the vector: number, capacity cap, reserve price, and size of the largest task.
    uint256 private _round;
    uint256 private _cap;
    uint256 private _reserve;
    uint256 private _largest;
    Mechanism private _mechanism;

    function test_auditorFindsWhatEveryVectorSays() public {
        assertEq(_forEach(this.auditVector), AUDITED);
    }

    function test_marketSettlesEveryVectorItCanExpress() public {
        assertEq(_forEach(this.settleVector), SETTLED);
    }

    /// @dev A call of its own for each vector, so that the memory of one is not paid for by the next.
    function _forEach(function(string memory) external returns (bool) run) private returns (uint256 ran) {
        vm.pauseGasMetering(); // reading JSON is dear
        string[] memory parts = vm.split(vm.readFile("tests/vectors/clearing.json"), HEAD);
        assertEq(parts.length, VECTORS + 1);
        for (uint256 i = 1; i < parts.length; ++i) {
            uint256 start = vm.snapshotState();
            if (run(parts[i])) ++ran;
            vm.revertToStateAndDelete(start);
        }
    }

    /// @dev Seats are numbered by one byte, of which one value stands for none.
    function auditVector(string memory part) external returns (bool) {
        _read(part);
        if (_costs.length > 255) return false;
        for (uint8 m; m < 2; ++m) {
            _mechanism = Mechanism(m);
            _audit();
        }
        return true;
    }

    /// @dev Not run are vectors outside of what a market can express: rounds without bids, which nobody can settle, seats
    /// below the largest task or above the capacity cap, and costs and capacities at the ends of their types, where "no ask"
    /// and the margin leave no room.
    function settleVector(string memory part) external returns (bool) {
        _read(part);
        if (_fees.length == 0 || _costs.length > 128 || _largest > 2 ** 30 || _cap < _largest) return false;
        for (uint256 k; k < _costs.length; ++k) {
            bool fits = _capacities[k] >= _largest && _capacities[k] <= _cap
                && _capacities[k] + _largest - 1 <= type(uint32).max;
            if (!fits || _costs[k] == type(uint64).max) return false;
        }
        for (uint8 m; m < 2; ++m) {
            _mechanism = Mechanism(m);
            _settle();
        }
        return true;
    }

    function _read(string memory part) private {
        // What `split` leaves of an entry has lost its head, and ends in what stood between it and the next.
        assembly ("memory-safe") {
            mstore(part, sub(mload(part), 1))
        }
        _json = string.concat(HEAD, part);
        (_fees, _sizes) = _pairs(".bids");
        (_costs, _capacities) = _pairs(".asks");
        _largest = 1;
        for (uint256 k; k < _sizes.length; ++k) {
            if (_sizes[k] > _largest) _largest = _sizes[k];
        }
        _round = _json.readUint(".round");
        _cap = _json.readUint(".capacity_cap");
        _reserve = _json.readUint(".reserve_price");
    }

    // ---------------------------------------------------------------------------------------------------- auditor

    function _audit() private view {
        SlowClearing.Round memory r;
        r.averageFee = _mechanism == Mechanism.AverageFee;
        (r.number, r.capacityCap, r.reservePrice) = (_round, _cap, _reserve);
        r.bids = new SlowClearing.Bid[](_fees.length);
        BidWord[] memory words_ = new BidWord[](_fees.length);
        for (uint256 k; k < _fees.length; ++k) {
            r.bids[k] = SlowClearing.Bid(_fees[k], _sizes[k]);
            words_[k] = BidWord.wrap(bytes32((_fees[k] << 192) | (_sizes[k] << 160) | k));
        }
        r.asks = new SlowClearing.Ask[](_costs.length);
        for (uint256 k; k < _costs.length; ++k) {
            r.asks[k] = SlowClearing.Ask(_costs[k], _capacities[k]);
        }
        SlowClearing.Result memory result = SlowClearing.clear(r);
        ClosedRound memory closed = _closed(words_);
        Verdict memory v = market.auditor().audit(closed, result.certificate, rawWords(words_));
        _compareOther(v, _inTwoPages(closed, result, words_));
        _compareOther(v, _inLots(result, words_));
        _compare(v.outcome, result);
        assertEq(v.signal.capBinds, result.capBinds);
        assertEq(v.assignmentRoot, _rootOf(words_, result));
        _compareSeats(v, result);
    }

    /// @dev The same round in two pages, the second half of the bids first.
    function _inTwoPages(
        ClosedRound memory closed,
        SlowClearing.Result memory result,
        BidWord[] memory words_
    ) private view returns (Verdict memory) {
        uint256 half = words_.length / 2;
        Certificate memory c = result.certificate;
        uint256 seed = BidChain.unwrap(closed.seed);
        Page memory first = SlowPages.page(seed, words_, half, words_.length, c);
        bytes memory progress;
        if (half != 0) {
            progress = market.auditor().auditPage(closed, c, "", first.start, rawWords(first.words));
            (closed.costs, closed.capacities) = (new uint256[](0), new uint256[](0));
        }
        Page memory last = SlowPages.page(seed, words_, 0, half == 0 ? words_.length : half, c);
        return market.auditor().auditLastPage(closed, c, progress, last.start, rawWords(last.words));
    }

    /// @dev The same round with neighbours of one fee and size in one entry.
    function _inLots(SlowClearing.Result memory result, BidWord[] memory words_)
        private
        view
        returns (Verdict memory v)
    {
        BidWord[] memory lots = new BidWord[](words_.length);
        uint256 n;
        for (uint256 k; k < words_.length;) {
            uint256 count = 1;
            while (k + count < words_.length && _isLike(k, k + count)) ++count;
            lots[n++] = entryWord(uint64(_fees[k]), uint32(_sizes[k]), count, uint144(k));
            k += count;
        }
        assembly ("memory-safe") {
            mstore(lots, n)
        }
        ClosedRound memory closed = _closed(lots);
        v = market.auditor().audit(closed, result.certificate, rawWords(lots));
        // One page of the whole round comes to the same.
        Checkpoint memory start = Checkpoint(closed.seed, 0);
        Verdict memory paged =
            market.auditor().auditLastPage(closed, result.certificate, "", start, rawWords(lots));
        assertEq(keccak256(abi.encode(paged)), keccak256(abi.encode(v)));
    }

    function _isLike(uint256 a, uint256 b) private view returns (bool) {
        return _fees[a] == _fees[b] && _sizes[a] == _sizes[b];
    }

    /// @dev All but the root, which depends on the entries and the order of the pages.
    function _compareOther(Verdict memory v, Verdict memory other) private pure {
        (Verdict memory a, Verdict memory b) = (v, other);
        (bytes32 rootA, bytes32 rootB) = (a.assignmentRoot, b.assignmentRoot);
        assertEq(rootA == 0, rootB == 0);
        (a.assignmentRoot, b.assignmentRoot) = (0, 0);
        assertEq(keccak256(abi.encode(a)), keccak256(abi.encode(b)));
        (a.assignmentRoot, b.assignmentRoot) = (rootA, rootB);
    }

    function _closed(BidWord[] memory words_) private view returns (ClosedRound memory closed) {
        closed.mechanism = _mechanism;
        (closed.round, closed.capacityCap, closed.reservePrice) = (_round, _cap, _reserve);
        (closed.costs, closed.capacities) = (_costs, _capacities);
        closed.seed = BidChain.wrap(uint256(keccak256("seed")) << 56);
        uint256 hash = BidChain.unwrap(closed.seed);
        for (uint256 k; k < words_.length; ++k) {
            hash = (uint256(keccak256(abi.encode(hash, words_[k]))) >> 56) << 56;
        }
        closed.bids = BidChain.wrap(hash | _fees.length);
    }

    function _rootOf(BidWord[] memory words_, SlowClearing.Result memory result)
        private
        pure
        returns (bytes32)
    {
        bytes32[] memory leaves = new bytes32[](words_.length);
        uint256 n;
        for (uint256 k; k < words_.length; ++k) {
            if (result.wins[k]) leaves[n++] = keccak256(abi.encode(words_[k], k, result.seatOf[k]));
        }
        assembly ("memory-safe") {
            mstore(leaves, n)
        }
        return SlowMerkle.root(leaves);
    }

    /// @dev The winners, rotated by the round, with what each offers and gets.
    function _compareSeats(Verdict memory v, SlowClearing.Result memory result) private view {
        uint256 w = result.winners.length;
        assertEq(v.seats.length, w);
        if (result.units != 0) assertEq(result.winners, _json.readUintArray(_key(".winning_asks")));
        for (uint256 k; k < w; ++k) {
            uint256 seat_ = result.winners[(_round + k) % w];
            assertEq(v.seats[k], seat_);
            assertEq(v.capacities[k], _capacities[seat_]);
            uint256 load;
            for (uint256 i; i < _sizes.length; ++i) {
                if (result.wins[i] && result.seatOf[i] == seat_) load += _sizes[i];
            }
            assertEq(v.loads[k], load);
        }
    }

    // ----------------------------------------------------------------------------------------------------- market

    function _settle() private {
        params = defaultParams();
        params.mechanism = _mechanism;
        fixTaskSize(uint32(_largest));
        params.maxSeats = 128;
        fixReserve(uint64(_reserve));
        fixCap(uint64(_cap));
        (params.tick, params.collateralPerUnit) = (1, 1);
        vm.warp(params.genesis);
        id = market.createMarket(params);
        assertGt(_round, 0, "an ask counts from round 1 at the earliest");
        open(_round - 1);
        for (uint256 k; k < _costs.length; ++k) {
            seat(paul, uint32(_capacities[k]), uint64(_costs[k]));
        }
        open(_round);
        for (uint256 k; k < _fees.length; ++k) {
            // One requester a bid, as a sum of the largest would not fit one account.
            fundedBid(address(uint160(0xc000 + k)), uint64(_fees[k]), uint32(_sizes[k]));
        }
        open(_round + 1);
        SlowClearing.Result memory result = settle(_round);
        _compare(market.outcomeOf(id, _round), result);
    }

    // ------------------------------------------------------------------------------------------------------- both

    function _compare(Outcome outcome, SlowClearing.Result memory result) private view {
        assertEq(outcome.units(), _json.readUint(_key(".units")));
        uint256[] memory winningBids = _json.readUintArray(_key(".winning_bids"));
        uint256 found;
        for (uint256 k; k < _fees.length; ++k) {
            bool wins = outcome.winners(_fees[k], k, 1) == 1;
            assertEq(wins, result.wins[k]);
            if (wins) assertEq(winningBids[found++], k);
        }
        assertEq(found, winningBids.length);
        if (found == 0) return;
        if (_mechanism == Mechanism.Core) {
            assertEq(outcome.pivotFee(), _json.readUint(".core.user_price"));
            assertEq(outcome.revenue(), _json.readUint(".core.prover_price") * outcome.units());
        } else {
            assertEq(outcome.revenue(), _json.readUint(".average_fee.revenue"));
        }
        for (uint256 n; n < found; ++n) {
            uint256[] memory bidAndAsk =
                _json.readUintArray(_key(string.concat(".assignment[", vm.toString(n), "]")));
            assertEq(bidAndAsk[0], winningBids[n]);
            assertEq(bidAndAsk[1], result.seatOf[winningBids[n]]);
        }
    }

    function _key(string memory key) private view returns (string memory) {
        return string.concat(_mechanism == Mechanism.Core ? ".core" : ".average_fee", key);
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
