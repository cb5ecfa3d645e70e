// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Multicallable} from "solady/utils/Multicallable.sol";
import {BatchBook} from "./books/BatchBook.sol";
import {IRoundAuditor} from "./interfaces/IRoundAuditor.sol";
import {IAccounts, IBids, IDelivery, IMarketCore, ISeats, ISettlement} from "./interfaces/IProverMarket.sol";
import {BidWord} from "./types/BidWord.sol";
import {Certificate} from "./types/Certificate.sol";
import {DeliveryBatch} from "./types/Delivery.sol";
import {MarketId} from "./types/MarketId.sol";
import {Page} from "./types/Page.sol";
import {Statement} from "./types/Statement.sol";
import {Delivery} from "./types/Task.sol";

/// @title The market's contract
/// @notice Bids, seats, asks, settlement and delivery in the open are here, the rest in `MarketExtension`: both are doors to the same books, one
/// concern a book, each on top of the one before:
///
///     MarketBook      which markets exist
///     RoundBook       bids and outcome of each round
///     TermsBook       capacity cap and reserve price of each round
///     Ledger          everybody's money
///     BidBook         takes bids in the open
///     SignedBidBook   takes bids in the open that somebody else sends (part of the extension alone)
///     SealedBidBook   takes commitments, and bids that are opened
///     SeatBook        provers' seats: capacity, collateral, asks
///     SealedAskBook   asks that are opened
///     SettlementBook  accepts the one outcome of a round
///     TaskBook        delivery, takeover, expiry
///     BatchBook       many deliveries at once
///
/// `multicall` combines calls that carry no native currency, for example a token deposit and a bid.
contract ProverMarket is BatchBook, IMarketCore, Multicallable {
    IRoundAuditor private immutable _auditor;
    address private immutable _extension;

    /// @param auditor_ A `RoundAuditor`.
    /// @param extension_ A `MarketExtension`.
    /// @dev Warning: both decide over everybody's money. They come from outside because the code that creates a contract is bounded
    /// (EIP-3860); who uses a market's contract compares their code with what is published, as for the contract itself.
    constructor(IRoundAuditor auditor_, address extension_) {
        if (address(auditor_).code.length == 0 || extension_.code.length == 0) revert NotAContract();
        (_auditor, _extension) = (auditor_, extension_);
    }

    /// @inheritdoc IAccounts
    function deposit(MarketId id, address account, uint256 amount) external payable {
        _deposit(id, account, amount);
    }

    /// @inheritdoc IAccounts
    function withdraw(MarketId id, uint256 amount, address to) external returns (uint256 paid) {
        return _withdraw(id, amount, to);
    }

    /// @inheritdoc IAccounts
    function fold(MarketId id, address account) external {
        _fold(id, account);
    }

    /// @inheritdoc IAccounts
    function release(
        MarketId id,
        address requester,
        uint256 round,
        uint256 firstIndex,
        BidWord[] calldata words
    ) external returns (uint256 amount) {
        return _release(id, requester, round, firstIndex, words);
    }

    /// @inheritdoc IBids
    function submitOneBid(MarketId id, BidWord entry)
        external
        payable
        returns (uint256 round, uint256 index)
    {
        return _submitOneBid(id, entry);
    }

    /// @inheritdoc IBids
    function submitBids(MarketId id, BidWord[] calldata entries)
        external
        payable
        returns (uint256 round, uint256 firstIndex)
    {
        return _submitBids(id, entries);
    }

    /// @inheritdoc IBids
    function publish(MarketId id, address requester, Statement[] calldata statements) external {
        _publish(id, requester, statements);
    }

    /// @inheritdoc ISeats
    function register(MarketId id, uint32 capacity, uint64 cost) external payable returns (uint256 seat) {
        return _register(id, capacity, cost);
    }

    /// @inheritdoc ISeats
    function ask(MarketId id, uint256 seat, uint64 cost) external {
        _ask(id, seat, cost);
    }

    /// @inheritdoc ISeats
    function changeCapacity(MarketId id, uint256 seat, uint32 capacity)
        external
        payable
        returns (uint256 from)
    {
        return _changeCapacity(id, seat, capacity);
    }

    /// @inheritdoc ISeats
    function releaseCapacity(MarketId id, uint256 seat) external returns (uint256 collateral) {
        return _releaseCapacity(id, seat);
    }

    /// @inheritdoc ISettlement
    function settle(MarketId id, uint256 round, Certificate calldata certificate, BidWord[] calldata words)
        external
    {
        _settle(_auditor, id, round, certificate, words);
    }

    /// @inheritdoc ISettlement
    function settlePage(MarketId id, uint256 round, Certificate calldata certificate, Page calldata page)
        external
    {
        _settlePage(_auditor, id, round, certificate, page);
    }

    /// @inheritdoc ISettlement
    function auditor() external view returns (IRoundAuditor) {
        return _auditor;
    }

    /// @inheritdoc IMarketCore
    function extension() external view returns (address) {
        return _extension;
    }

    /// @inheritdoc IDelivery
    function deliver(MarketId id, Delivery calldata delivery) external {
        _deliver(id, delivery);
    }

    /// @inheritdoc IDelivery
    function deliverBatch(MarketId id, DeliveryBatch calldata batch) external returns (uint256 delivered) {
        return _deliverBatch(id, batch);
    }

    /// @inheritdoc Multicallable
    /// @dev Carries no native currency: each of the calls would count it as its own.
    function multicall(bytes[] calldata data) public payable override returns (bytes[] memory) {
        if (msg.value != 0) revert WrongValue(msg.value, 0);
        return super.multicall(data);
    }

    /// @notice Refused: money comes in by `deposit`, or with a call that needs it.
    receive() external payable {
        revert WrongValue(msg.value, 0);
    }

    /// @notice Every other function of `IProverMarket`, at this address and on this contract's storage.
    fallback() external payable {
        address target = _extension;
        assembly ("memory-safe") {
            let data := mload(0x40)
            calldatacopy(data, 0x00, calldatasize())
            let success := delegatecall(gas(), target, data, calldatasize(), 0x00, 0x00)
            returndatacopy(data, 0x00, returndatasize())
            if iszero(success) { revert(data, returndatasize()) }
            return(data, returndatasize())
        }
    }
}
