// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {BatchBook} from "./books/BatchBook.sol";
import {SignedBidBook} from "./books/SignedBidBook.sol";
import {
    IDefaults,
    IMarketExtension,
    IMarketViews,
    IMarkets,
    IOperators,
    IPermits,
    ISealed,
    ISignedBids
} from "./interfaces/IProverMarket.sol";
import {BidChain} from "./types/BidChain.sol";
import {CapacityChange} from "./types/CapacityChange.sol";
import {Lane} from "./types/Lane.sol";
import {MarketId} from "./types/MarketId.sol";
import {MarketParams} from "./types/MarketParams.sol";
import {Offer} from "./types/Offer.sol";
import {Outcome} from "./types/Outcome.sol";
import {Opening} from "./types/Sealed.sol";
import {SignedBid, WalletBid} from "./types/SignedBid.sol";
import {Takeover} from "./types/Takeover.sol";
import {Task, TaskStatus} from "./types/Task.sol";

/// @title The rest of the market's contract
/// @notice Everything of `IProverMarket` that is not in `ProverMarket`, which calls it on its own storage; one contract could not
/// hold all of it (docs/adr/0009). Both inherit the books that have storage in the same order, and have none of their own.
/// @dev Called at its own address it holds no market, and as none can be created no money either.
contract MarketExtension is BatchBook, SignedBidBook, IMarketExtension {
    address private immutable _self = address(this);

    /// @inheritdoc IMarkets
    function createMarket(MarketParams calldata params) external returns (MarketId id) {
        if (address(this) == _self) revert NotTheMarket();
        return _createMarket(params);
    }

    /// @inheritdoc IMarkets
    function collectSurplus(MarketId id) external returns (uint256 paid) {
        return _collectSurplus(id);
    }

    /// @inheritdoc ISignedBids
    function submitSignedBids(MarketId id, SignedBid[] calldata bids) external returns (uint256 accepted) {
        return _submitSignedBids(id, bids);
    }

    /// @inheritdoc ISignedBids
    function submitWalletBids(MarketId id, WalletBid[] calldata bids) external returns (uint256 accepted) {
        return _submitWalletBids(id, bids);
    }

    /// @inheritdoc IPermits
    function depositWithPermit(MarketId id, uint256 amount, uint256 deadline, uint8 v, bytes32 r, bytes32 s)
        external
    {
        _depositWithPermit(id, amount, deadline, v, r, s);
    }

    /// @inheritdoc IPermits
    function depositWithPermit2(
        MarketId id,
        address owner,
        uint256 amount,
        uint256 nonce,
        uint256 deadline,
        bytes calldata signature
    ) external {
        _depositWithPermit2(id, owner, amount, nonce, deadline, signature);
    }

    /// @inheritdoc IOperators
    function setOperator(MarketId id, address operator) external {
        _setOperator(id, operator);
    }

    /// @inheritdoc IOperators
    function operatorOf(MarketId id, address prover) external view returns (address) {
        return _operatorOf(id, prover);
    }

    /// @inheritdoc ISealed
    function commitBid(MarketId id, bytes32 commitment, uint96 deposit_, uint32 round) external payable {
        _commitBid(id, commitment, deposit_, round);
    }

    /// @inheritdoc ISealed
    function revealBids(MarketId id, Opening[] calldata openings) external returns (uint256 revealed) {
        return _revealBids(id, openings);
    }

    /// @inheritdoc ISealed
    function commitAsk(MarketId id, uint256 seat, bytes32 commitment, uint32 round) external payable {
        _commitAsk(id, seat, commitment, round);
    }

    /// @inheritdoc ISealed
    function revealAsk(MarketId id, uint256 seat, uint64 cost, bytes32 salt) external {
        _revealAsk(id, seat, cost, salt);
    }

    /// @inheritdoc ISealed
    function forfeit(MarketId id, address account, uint256 round, bytes32 commitment)
        external
        returns (uint256 returned)
    {
        return _forfeit(id, account, round, commitment);
    }

    /// @inheritdoc IDefaults
    function takeOver(MarketId id, Task calldata task, bytes32[] calldata path, uint256 seat)
        external
        returns (uint256 deadline)
    {
        return _takeOver(id, task, path, seat);
    }

    /// @inheritdoc IDefaults
    function expire(MarketId id, Task calldata task, bytes32[] calldata path) external {
        _expire(id, task, path);
    }

    /// @inheritdoc IMarketViews
    function marketParams(MarketId id) external view returns (MarketParams memory) {
        return _existing(id);
    }

    /// @inheritdoc IMarketViews
    function termsOf(MarketId id, uint256 round)
        external
        view
        returns (uint256 capacityCap, uint256 reservePrice)
    {
        return _termsOf(id, round);
    }

    /// @inheritdoc IMarketViews
    function availableOf(MarketId id, address account) external view returns (uint256) {
        return _availableOf(id, account);
    }

    /// @inheritdoc IMarketViews
    function lanesOf(MarketId id, address account) external view returns (Lane[2] memory) {
        return _lanesOf(id, account);
    }

    /// @inheritdoc IMarketViews
    function bundleHash(MarketId id, address requester, uint256 round, uint256 firstIndex)
        external
        view
        returns (bytes32)
    {
        return _bundleHash(id, requester, round, firstIndex);
    }

    /// @inheritdoc IMarketViews
    function surplusOf(MarketId id) external view returns (uint256) {
        return _surplusOf(id);
    }

    /// @inheritdoc IMarketViews
    function bidChainOf(MarketId id, uint256 round) external view returns (BidChain) {
        return _bidChainOf(id, round);
    }

    /// @inheritdoc IMarketViews
    function stakeOf(MarketId id, address account, uint256 round, bytes32 commitment)
        external
        view
        returns (uint256 deposit_, uint256 bond)
    {
        return _stakeOf(id, account, round, commitment);
    }

    /// @inheritdoc IMarketViews
    function seatCount(MarketId id) external view returns (uint256) {
        return _seatCount(id);
    }

    /// @inheritdoc IMarketViews
    function seatOf(MarketId id, uint256 seat)
        external
        view
        returns (address prover, uint256 capacity, Offer offer, CapacityChange change)
    {
        return _seatOf(id, seat);
    }

    /// @inheritdoc IMarketViews
    function asksOf(MarketId id, uint256 round)
        external
        view
        returns (uint256[] memory costs, uint256[] memory capacities)
    {
        return _asksOf(id, round);
    }

    /// @inheritdoc IMarketViews
    function outcomeOf(MarketId id, uint256 round) external view returns (Outcome) {
        return _outcomeOf(id, round);
    }

    /// @inheritdoc IMarketViews
    function assignmentRoot(MarketId id, uint256 round) external view returns (bytes32) {
        return _assignmentRoot(id, round);
    }

    /// @inheritdoc IMarketViews
    function taskStatus(MarketId id, uint256 round, uint256 index) external view returns (TaskStatus) {
        return _taskStatus(id, round, index);
    }

    /// @inheritdoc IMarketViews
    function takeoverOf(MarketId id, uint256 round, uint256 index) external view returns (Takeover) {
        return _takeoverOf(id, round, index);
    }
}
