// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Test} from "forge-std/Test.sol";
import {IProofVerifier} from "../../../contracts/interfaces/IProofVerifier.sol";
import {IProverMarket} from "../../../contracts/interfaces/IProverMarket.sol";
import {BidWord} from "../../../contracts/types/BidWord.sol";
import {CapacityChange} from "../../../contracts/types/CapacityChange.sol";
import {CircuitId, toCircuitId} from "../../../contracts/types/CircuitId.sol";
import {MarketId} from "../../../contracts/types/MarketId.sol";
import {MarketParams, Mechanism} from "../../../contracts/types/MarketParams.sol";
import {Offer} from "../../../contracts/types/Offer.sol";
import {NewBid, Task} from "../../../contracts/types/Task.sol";
import {HashVerifier} from "../mocks/HashVerifier.sol";
import {SlowClearing} from "./SlowClearing.sol";
import {SlowMerkle} from "./SlowMerkle.sol";

/// @notice A market and everything to drive it: bids are remembered, asks are noted at each close, and rounds are cleared by
/// `SlowClearing`. The market is deployed from its artifact, so that tests compile without it.
abstract contract MarketTest is Test {
    struct Posted {
        address requester;
        uint64 fee;
        CircuitId circuit;
        uint256[] inputs;
        bytes data;
    }

    /// @dev What a seat asks and has free at a round's close, and what the round is cleared under.
    struct Noted {
        uint256 cost;
        uint256 unused;
    }

    struct NotedTerms {
        uint256 capacityCap;
        uint256 reservePrice;
    }

    uint256 internal constant NO_ASK = type(uint64).max;
    uint256 internal constant TICK = 1 gwei;
    uint256 internal constant FEE = 7;
    uint256 internal constant PER_UNIT = 100;
    uint32 internal constant MAX_SIZE = 8;
    /// Capacity that offers `offered` units.
    uint32 internal constant MARGIN = MAX_SIZE - 1;

    IProverMarket internal market;
    HashVerifier internal verifier;
    MarketParams internal params;
    MarketId internal id;

    address internal sink = makeAddr("sink");
    address internal relayer = makeAddr("relayer");
    address internal alice = makeAddr("alice");
    address internal bob = makeAddr("bob");
    address internal carol = makeAddr("carol");
    address internal paul = makeAddr("paul");
    address internal quentin = makeAddr("quentin");
    address internal rita = makeAddr("rita");
    address internal steve = makeAddr("steve");

    mapping(MarketId => mapping(uint256 round => Posted[])) private _posted;
    mapping(MarketId => mapping(uint256 round => Noted[])) private _asks;
    mapping(MarketId => mapping(uint256 round => NotedTerms)) private _terms;
    uint256 private _nonce;

    function setUp() public virtual {
        market = deployMarket();
        verifier = new HashVerifier();
        params = defaultParams();
        vm.warp(params.genesis);
        id = market.createMarket(params);
    }

    /// @notice A market's contract from its artifact: what is tested is the build that is deployed.
    function deployMarket() internal returns (IProverMarket) {
        return IProverMarket(vm.deployCode("ProverMarket.sol:ProverMarket"));
    }

    function defaultParams() internal view returns (MarketParams memory) {
        return MarketParams({
            currency: address(0),
            tick: uint96(TICK),
            capacityCap: 1000,
            reservePrice: 5,
            revealPeriod: 0,
            settlementPeriod: 60,
            provingPeriod: 250,
            takeoverPeriod: 50,
            maxTakeovers: 2,
            maxSeats: 5,
            capacityDelay: 1,
            mechanism: Mechanism.Core,
            verifier: IProofVerifier(verifier),
            verifierGas: 300_000,
            bountyBps: 5000,
            compensationBps: 3000,
            penaltyBps: 1000,
            bondBps: 0,
            sink: sink,
            collateralPerUnit: uint64(PER_UNIT),
            minSeatCapacity: 2 * MAX_SIZE - 1,
            genesis: 1_000_000,
            biddingPeriod: 100,
            settlementFee: uint32(FEE),
            maxTaskSize: MAX_SIZE,
            seatFee: 0,
            capMin: 1000,
            capMax: 1000,
            reserveMin: 5,
            reserveMax: 5
        });
    }

    /// @notice A capacity cap and a reserve price that never move.
    function fixCap(uint64 cap) internal {
        (params.capacityCap, params.capMin, params.capMax) = (cap, cap, cap);
    }

    function fixReserve(uint64 reserve) internal {
        (params.reservePrice, params.reserveMin, params.reserveMax) = (reserve, reserve, reserve);
    }

    function fixTaskSize(uint32 size) internal {
        (params.maxTaskSize, params.minSeatCapacity) = (size, 2 * size - 1);
    }

    // -------------------------------------------------------------------------------------------------------- time

    function openRound() internal view returns (uint32) {
        return uint32((block.timestamp - params.genesis) / params.biddingPeriod);
    }

    function openAt(uint256 round) internal view returns (uint256) {
        return params.genesis + round * params.biddingPeriod;
    }

    function closeAt(uint256 round) internal view returns (uint256) {
        return openAt(round + 1);
    }

    function revealBy(uint256 round) internal view returns (uint256) {
        return closeAt(round) + params.revealPeriod;
    }

    function settleBy(uint256 round) internal view returns (uint256) {
        return revealBy(round) + params.settlementPeriod;
    }

    function proveBy(uint256 round) internal view returns (uint256) {
        return settleBy(round) + params.provingPeriod;
    }

    function finalAt(uint256 round) internal view returns (uint256) {
        return proveBy(round) + uint256(params.maxTakeovers) * params.takeoverPeriod;
    }

    /// @notice Opens `round`, noting the asks at the close of the one before.
    function open(uint256 round) internal {
        vm.warp(openAt(round));
        if (round > 0) noteAsks(round - 1);
    }

    /// @notice Notes what the seats offer for `round`, and what it is cleared under; called at the second of its close. Asks of
    /// a sealed market are noted when they are opened.
    function noteAsks(uint256 round) internal {
        delete _asks[id][round];
        uint256 n = market.seatCount(id);
        for (uint256 i; i < n; ++i) {
            (,, Offer offer, CapacityChange change) = market.seatOf(id, i);
            bool isHidden = (round >= change.round()) == change.shrinks();
            uint256 hidden = isHidden ? change.units() : 0;
            uint256 cost = params.revealPeriod == 0 ? offer.costAt(round) : NO_ASK;
            noteAsk(round, cost, offer.free() < hidden ? 0 : offer.free() - hidden);
        }
        (uint256 cap, uint256 reserve) = market.termsOf(id, round);
        _terms[id][round] = NotedTerms(cap, reserve);
    }

    function noteAsk(uint256 round, uint256 cost, uint256 unused) internal {
        _asks[id][round].push(Noted(cost, unused));
    }

    function noteCost(uint256 round, uint256 seat_, uint256 cost) internal {
        _asks[id][round][seat_].cost = cost;
    }

    function noteTerms(uint256 round, uint256 cap, uint256 reserve) internal {
        _terms[id][round] = NotedTerms(cap, reserve);
    }

    /// @notice The ask book of a closed round, from what was noted.
    function asks(uint256 round) internal view returns (SlowClearing.Ask[] memory list) {
        Noted[] storage noted = _asks[id][round];
        list = new SlowClearing.Ask[](noted.length);
        uint256 margin = params.maxTaskSize - 1;
        for (uint256 i; i < list.length; ++i) {
            Noted memory ask = noted[i];
            if (ask.cost == NO_ASK || ask.unused < margin + params.maxTaskSize) continue;
            list[i] = SlowClearing.Ask(ask.cost, ask.unused - margin);
        }
    }

    // ------------------------------------------------------------------------------------------------------- money

    function fund(address account, uint256 ticks) internal {
        vm.deal(address(this), address(this).balance + ticks * params.tick);
        market.deposit{value: ticks * params.tick}(id, account, ticks * params.tick);
    }

    function available(address account) internal view returns (uint256) {
        return market.availableOf(id, account);
    }

    // -------------------------------------------------------------------------------------------------------- bids

    function circuitOf(uint32 size) internal pure returns (CircuitId) {
        return toCircuitId(size, size);
    }

    /// @notice A bid of `requester` for a task of its own, from its balance.
    function bid(address requester, uint64 fee, uint32 size) internal returns (uint256 index) {
        uint256 round;
        Posted memory p = newTask(requester, fee, size);
        vm.prank(requester);
        (round, index) = market.submitBid(id, fee, p.circuit, p.inputs, p.data);
        remember(round, p);
    }

    /// @notice The same with the money for it.
    function fundedBid(address requester, uint64 fee, uint32 size) internal returns (uint256 index) {
        fund(requester, uint256(fee) * size + params.settlementFee);
        return bid(requester, fee, size);
    }

    function bundle(address requester, uint64[] memory fees, uint32[] memory sizes)
        internal
        returns (uint256 firstIndex)
    {
        NewBid[] memory bids = new NewBid[](fees.length);
        Posted[] memory all = new Posted[](fees.length);
        for (uint256 i; i < fees.length; ++i) {
            all[i] = newTask(requester, fees[i], sizes[i]);
            bids[i] = NewBid(fees[i], all[i].circuit, all[i].inputs, all[i].data);
        }
        uint256 round;
        vm.prank(requester);
        (round, firstIndex) = market.submitBids(id, bids);
        for (uint256 i; i < fees.length; ++i) {
            remember(round, all[i]);
        }
    }

    function newTask(address requester, uint64 fee, uint32 size) internal returns (Posted memory p) {
        uint256[] memory inputs = new uint256[](2);
        (inputs[0], inputs[1]) = (++_nonce, size);
        return Posted(requester, fee, circuitOf(size), inputs, abi.encode(_nonce, "witness"));
    }

    function remember(uint256 round, Posted memory p) internal {
        _posted[id][round].push(p);
    }

    function postedCount(uint256 round) internal view returns (uint256) {
        return _posted[id][round].length;
    }

    function posted(uint256 round, uint256 index) internal view returns (Posted memory) {
        return _posted[id][round][index];
    }

    /// @notice A bid's word, from the layout as documented.
    function wordOf(Posted memory p) internal pure returns (BidWord) {
        uint256 who = (uint256(uint160(p.requester)) << 64) | CircuitId.unwrap(p.circuit);
        bytes32 ticket =
            keccak256(abi.encodePacked(who, keccak256(abi.encodePacked(p.inputs)), keccak256(p.data)));
        return BidWord.wrap(
            bytes32(abi.encodePacked(p.fee, uint32(CircuitId.unwrap(p.circuit)), uint160(uint256(ticket))))
        );
    }

    function words(uint256 round) internal view returns (BidWord[] memory) {
        return words(round, 0, _posted[id][round].length);
    }

    function words(uint256 round, uint256 first, uint256 count)
        internal
        view
        returns (BidWord[] memory list)
    {
        list = new BidWord[](count);
        for (uint256 i; i < count; ++i) {
            list[i] = wordOf(_posted[id][round][first + i]);
        }
    }

    // ------------------------------------------------------------------------------------------------------- seats

    /// @notice A seat that offers `offered` units.
    function seat(address prover, uint32 offered, uint64 cost) internal returns (uint256) {
        uint32 registered = offered + params.maxTaskSize - 1;
        fund(prover, uint256(registered) * params.collateralPerUnit + params.seatFee);
        vm.prank(prover);
        return market.register(id, registered, cost);
    }

    function free(uint256 seat_) internal view returns (uint256) {
        (,, Offer offer,) = market.seatOf(id, seat_);
        return offer.free();
    }

    function capacity(uint256 seat_) internal view returns (uint256 registered) {
        (, registered,,) = market.seatOf(id, seat_);
    }

    // -------------------------------------------------------------------------------------------------- settlement

    function cleared(uint256 round) internal view returns (SlowClearing.Result memory) {
        SlowClearing.Round memory r;
        r.averageFee = params.mechanism == Mechanism.AverageFee;
        r.number = round;
        NotedTerms memory terms = _terms[id][round];
        (r.capacityCap, r.reservePrice) = (terms.capacityCap, terms.reservePrice);
        Posted[] storage list = _posted[id][round];
        r.bids = new SlowClearing.Bid[](list.length);
        for (uint256 i; i < list.length; ++i) {
            r.bids[i] = SlowClearing.Bid(list[i].fee, list[i].circuit.units());
        }
        r.asks = asks(round);
        return SlowClearing.clear(r);
    }

    function settle(uint256 round) internal returns (SlowClearing.Result memory result) {
        result = cleared(round);
        vm.prank(relayer);
        market.settle(id, round, result.certificate, words(round));
    }

    // ------------------------------------------------------------------------------------------------------- tasks

    /// @notice The task of a winning bid and its path under the round's root.
    function taskOf(uint256 round, uint256 index)
        internal
        view
        returns (Task memory task, bytes32[] memory path)
    {
        SlowClearing.Result memory result = cleared(round);
        Posted memory p = _posted[id][round][index];
        task = Task({
            round: uint32(round),
            index: uint32(index),
            seat: uint8(result.seatOf[index]),
            fee: p.fee,
            circuit: p.circuit,
            requester: p.requester,
            inputsHash: keccak256(abi.encodePacked(p.inputs)),
            dataHash: keccak256(p.data)
        });
        (bytes32[] memory leaves, uint256 at) = leavesOf(round, result, index);
        path = SlowMerkle.path(leaves, at);
    }

    function leavesOf(uint256 round, SlowClearing.Result memory result, uint256 index)
        internal
        view
        returns (bytes32[] memory leaves, uint256 at)
    {
        uint256 n;
        leaves = new bytes32[](result.wins.length);
        for (uint256 i; i < result.wins.length; ++i) {
            if (!result.wins[i]) continue;
            if (i == index) at = n;
            leaves[n++] = keccak256(abi.encodePacked(wordOf(_posted[id][round][i]), i, result.seatOf[i]));
        }
        assembly ("memory-safe") {
            mstore(leaves, n)
        }
    }

    function proofOf(uint256 round, uint256 index) internal view returns (bytes memory) {
        Posted memory p = _posted[id][round][index];
        return verifier.proofOf(p.circuit, p.inputs);
    }

    function deliver(uint256 round, uint256 index) internal {
        (Task memory task, bytes32[] memory path) = taskOf(round, index);
        uint256[] memory inputs = posted(round, index).inputs;
        bytes memory proof = proofOf(round, index);
        vm.prank(relayer);
        market.deliver(id, task, path, inputs, proof);
    }

    function takeOver(uint256 round, uint256 index, uint256 seat_) internal returns (uint256 deadline) {
        (Task memory task, bytes32[] memory path) = taskOf(round, index);
        (address prover,,,) = market.seatOf(id, seat_);
        vm.prank(prover);
        return market.takeOver(id, task, path, seat_);
    }

    function expire(uint256 round, uint256 index) internal {
        (Task memory task, bytes32[] memory path) = taskOf(round, index);
        market.expire(id, task, path);
    }
}
