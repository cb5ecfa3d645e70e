// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {TaskBook} from "../../contracts/books/TaskBook.sol";
import {IProofVerifier} from "../../contracts/interfaces/IProofVerifier.sol";
import {BidChain} from "../../contracts/types/BidChain.sol";
import {BidWord, BidWordLib} from "../../contracts/types/BidWord.sol";
import {CircuitId} from "../../contracts/types/CircuitId.sol";
import {Lane} from "../../contracts/types/Lane.sol";
import {MarketId, MarketIdLib} from "../../contracts/types/MarketId.sol";
import {MarketParams} from "../../contracts/types/MarketParams.sol";
import {Offer} from "../../contracts/types/Offer.sol";
import {Outcome} from "../../contracts/types/Outcome.sol";
import {Statement, StatementLib} from "../../contracts/types/Statement.sol";
import {Takeover} from "../../contracts/types/Takeover.sol";
import {Delivery, Task, TaskStatus} from "../../contracts/types/Task.sol";

/// @notice The market's own books with a door to what they do inside. One market, of ticks of one wei.
contract Books is TaskBook {
    uint40 internal constant GENESIS = 1_000;
    uint24 internal constant PERIOD = 100;
    uint32 internal constant SETTLEMENT_FEE = 2;

    MarketId public immutable id = MarketIdLib.pack(0, GENESIS, PERIOD, SETTLEMENT_FEE, false, 4);

    constructor() {
        MarketParams storage p = _market(id);
        (p.tick, p.settlementPeriod, p.provingPeriod, p.takeoverPeriod) = (1, 40, 70, 50);
        (p.maxTakeovers, p.maxSeats, p.capacityDelay, p.verifierGas) = (2, 4, 1, 100_000);
        (p.capacityCap, p.capMin, p.capMax, p.minSeatCapacity) = (100, 100, 100, 7);
        (p.sink, p.verifier) = (address(0x51), IProofVerifier(address(this)));
    }

    /// @notice What a default costs.
    function setStakes(uint64 collateralPerUnit, uint16 bountyBps, uint16 compensationBps, uint16 penaltyBps)
        external
    {
        MarketParams storage p = _market(id);
        (p.collateralPerUnit, p.penaltyBps) = (collateralPerUnit, penaltyBps);
        (p.bountyBps, p.compensationBps) = (bountyBps, compensationBps);
    }

    // ------------------------------------------------------------------------------------------------------ money

    function deposit(address account) external payable {
        _deposit(id, account, msg.value);
    }

    /// @notice A bid in the round that is open. One that its lane cannot remember stays locked.
    function bid(address account, BidWord word) external returns (bool inLane) {
        uint256 round = id.biddingRoundAt(block.timestamp);
        BidChain before = _absorb(id, round, word);
        return _lock(id, account, round, before, word);
    }

    /// @notice Publishes one statement.
    /// @return ticket Of the entry that asks for it.
    function publish() external returns (uint144 ticket) {
        this.publishAll(new Statement[](1));
        return BidWordLib.ticketOf(
            address(0), StatementLib.leaf(CircuitId.wrap(0), 0, keccak256(""), keccak256(""))
        );
    }

    function publishAll(Statement[] calldata statements) external {
        _publish(id, address(0), statements);
    }

    /// @notice The lane of the way that most bids go.
    function laneWith(Lane lane, uint256 round, BidChain before, BidWord word)
        external
        payable
        returns (Lane)
    {
        return _laneWith(id, lane, round, before, word);
    }

    function mostOf(BidWord word) external view returns (uint256) {
        return _mostOf(id, word);
    }

    function fold(address account) external {
        _fold(id, account);
    }

    function spend(address account, uint256 amount) external {
        _debit(id, account, amount);
    }

    function release(address requester, uint256 round, uint256 firstIndex, BidWord[] calldata words)
        external
        returns (uint256)
    {
        return _release(id, requester, round, firstIndex, words);
    }

    function bundle(address account, uint256 round, uint256 firstIndex, bytes32 hash) external {
        _bundle(id, account, round, firstIndex, hash, 1);
    }

    function record(uint256 round, Outcome outcome, bytes32 root) external {
        _recordOutcome(id, round, outcome, root);
    }

    function availableOf(address account) external view returns (uint256) {
        return _availableOf(id, account);
    }

    function surplus() external view returns (uint256) {
        return _surplusOf(id);
    }

    function isResolved(uint256 round) external view returns (bool) {
        return _isResolved(id, round);
    }

    // ------------------------------------------------------------------------------------------------------ seats

    function register(uint32 capacity) external payable returns (uint256) {
        return _register(id, capacity, 1);
    }

    function occupy(uint256 seat, uint256 units) external {
        _occupy(id, seat, units);
    }

    function collateralOf(uint256 seat) external view returns (uint256) {
        return _collateralOf(id, seat);
    }

    function seatOf(uint256 seat) external view returns (uint256 capacity, uint256 free) {
        Offer offer;
        (, capacity, offer,) = _seatOf(id, seat);
        free = offer.free();
    }

    // ------------------------------------------------------------------------------------------------------ tasks

    function leafOf(Task calldata task) external pure returns (bytes32) {
        return task.leaf();
    }

    function deliver(Delivery calldata d) external {
        _deliver(id, d);
    }

    function takeOver(Task calldata task, bytes32[] calldata path, uint256 seat) external {
        _takeOver(id, task, path, seat);
    }

    function expire(Task calldata task, bytes32[] calldata path) external {
        _expire(id, task, path);
    }

    /// @notice A task that was just proved by its last holder.
    function pay(
        Outcome outcome,
        bool told,
        uint256 size,
        uint256 assignedSeat,
        Takeover takeover,
        uint256 fee,
        address requester
    ) external {
        OpenTask memory t;
        (t.id, t.round, t.index, t.size, t.assignedSeat) = (id, 1, 0, size, assignedSeat);
        (t.told, t.takeover, t.outcome) = (told, takeover, outcome);
        _payDelivery(t, fee, requester);
    }

    function statusOf(uint256 round, uint256 index) external view returns (TaskStatus) {
        return _taskStatus(id, round, index);
    }
}
