// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {BidChain} from "../types/BidChain.sol";
import {BidWord} from "../types/BidWord.sol";
import {Certificate} from "../types/Certificate.sol";
import {CapacityChange} from "../types/CapacityChange.sol";
import {IRoundAuditor} from "./IRoundAuditor.sol";
import {DeliveryBatch} from "../types/Delivery.sol";
import {Lane} from "../types/Lane.sol";
import {MarketId} from "../types/MarketId.sol";
import {MarketParams} from "../types/MarketParams.sol";
import {Offer} from "../types/Offer.sol";
import {Outcome} from "../types/Outcome.sol";
import {Page} from "../types/Page.sol";
import {Opening} from "../types/Sealed.sol";
import {SignedBid, WalletBid} from "../types/SignedBid.sol";
import {Statement} from "../types/Statement.sol";
import {Takeover} from "../types/Takeover.sol";
import {Delivery, Task, TaskStatus} from "../types/Task.sol";
import {IMarketLog} from "./IMarketLog.sol";

/// @notice Money in and out.
interface IAccounts is IMarketLog {
    /// @notice Adds `amount` (wei, or the token's smallest unit; a multiple of the tick) to `account`'s balance.
    /// @dev In a market of the native currency the call carries exactly `amount`; else the token is pulled from the
    /// caller and must arrive in full.
    function deposit(MarketId id, address account, uint256 amount) external payable;

    /// @notice Pays `amount` ticks of the caller's balance to `to`; `type(uint256).max` for all that is available.
    /// Results of the caller's single bids are folded in if they are needed for it.
    /// @return paid What was paid (wei, or the token's smallest unit).
    function withdraw(MarketId id, uint256 amount, address to) external returns (uint256 paid);

    /// @notice Credits the results of `account`'s single bids in rounds that are settled or void. Anyone may call;
    /// the account's own next bid or withdrawal does the same where it needs the money.
    function fold(MarketId id, address account) external;

    /// @notice Credits the results of entries that `requester` submitted together. Anyone may call.
    /// @param words The entries of the bundle, in order.
    /// @return amount What was credited (ticks).
    function release(
        MarketId id,
        address requester,
        uint256 round,
        uint256 firstIndex,
        BidWord[] calldata words
    ) external returns (uint256 amount);
}

/// @notice Bids of an open market.
interface IBids is IMarketLog {
    /// @notice Bids in the round that is open now. Locks `fee * size` for each bid of the entry and takes the settlement fees from
    /// the caller's balance; native currency attached is deposited first.
    /// @dev Warning: a bid cannot be withdrawn, and one below the reserve price loses. A bid for a circuit that the
    /// market's verifier does not know, for a statement that is not true, or for one that no prover has been told (see `publish`)
    /// may win and then costs the penalty. Whoever is assigned an entry that does not say that it is told may leave it.
    /// @param entry What is bid, for whose proof; see `BidWord`. Its ticket is not looked into before a delivery: it binds the
    /// requester that is compensated or refunded if a task is not delivered in time.
    /// @return round Round of the bid.
    /// @return index Index of the entry's first bid in the round, by order of submission.
    function submitOneBid(MarketId id, BidWord entry) external payable returns (uint256 round, uint256 index);

    /// @notice Submits many entries to the open round: all or none. Their results come back by one `release`.
    /// @return round Round of the bids.
    /// @return firstIndex Index of the first bid; the others follow.
    function submitBids(MarketId id, BidWord[] calldata entries)
        external
        payable
        returns (uint256 round, uint256 firstIndex);

    /// @notice Tells the provers what an entry of `requester` asks proofs for. Anyone may call, at any time; nothing is stored. Before
    /// the bid, in its transaction (`multicall`), it lets the entry say that it is told: only then does a prover that misses the
    /// proving deadline owe for it.
    /// @param statements Those of the entry, in order of its bids.
    function publish(MarketId id, address requester, Statement[] calldata statements) external;
}

/// @notice The outcome of a round.
interface ISettlement is IMarketLog {
    /// @notice Settles a closed round. Anyone may call; the caller is credited all settlement fees of the round.
    /// @param certificate The only one that passes follows from the round; see crate `clearing`.
    /// @param words All entries of the round in order of submission.
    function settle(MarketId id, uint256 round, Certificate calldata certificate, BidWord[] calldata words)
        external;

    /// @notice Checks one page of a round that is too large for one transaction, and settles the round with the page that starts with
    /// its first bid. Anyone may call, and continue what anyone began.
    /// @dev A page that is not the round's is refused. One of a wrong certificate can be stored, at its sender's cost and in place of its
    /// sender's last page in the market, but is never the beginning of a settlement. After the round each settler is credited the settlement fees of the
    /// bids of its pages.
    function settlePage(MarketId id, uint256 round, Certificate calldata certificate, Page calldata page)
        external;

    /// @notice The contract that this market lets check its rounds.
    function auditor() external view returns (IRoundAuditor);
}

/// @notice Proofs.
interface IDelivery is IMarketLog {
    /// @notice Delivers a proof. Pays the task's holder, whoever calls: the assigned prover until the round's proving
    /// deadline, after a takeover the taker until its own. Provers that defaulted on the task are slashed.
    function deliver(MarketId id, Delivery calldata delivery) external;

    /// @notice Delivers proofs of one circuit for tasks of one round, verified together where the market's verifier can. Each is
    /// paid as by `deliver`. One that cannot be delivered, because its task is unknown, has ended (or is in the batch before) or is in
    /// default, or because its proof is bad, is refused with `DeliveryRefused` and does not stop the others.
    /// @dev Warning: a bad proof makes the batch cost its sender several times as much. The call needs gas for
    /// `verifierGas` per proof that is verified, whatever it then uses, and reverts with `InsufficientGas` rather than refuse a
    /// proof for want of it.
    /// @return delivered Bit k is set if delivery k was paid, which at least one was.
    function deliverBatch(MarketId id, DeliveryBatch calldata batch) external returns (uint256 delivered);
}

/// @notice Bids of an open market that somebody else sends.
interface ISignedBids is IMarketLog {
    /// @notice Submits entries that their requesters have signed for the open round (EIP-712, see `TypedBid`). Anyone may call. Each
    /// costs its requester what `submitOneBid` does. One that is refused changes nothing and does not stop the others.
    /// @return accepted How many were accepted, at least 1.
    function submitSignedBids(MarketId id, SignedBid[] calldata bids) external returns (uint256 accepted);

    /// @notice The same for requesters that are contracts (ERC-1271). Each may use at most 100,000 gas to check a signature.
    function submitWalletBids(MarketId id, WalletBid[] calldata bids) external returns (uint256 accepted);
}

/// @notice Deposits of tokens without an approval beforehand.
interface IPermits is IMarketLog {
    /// @notice Deposits `amount` of the token for the caller, with its signature for the token's allowance (EIP-2612).
    /// @dev If the token takes no such signature, an allowance that is there already does as well.
    function depositWithPermit(MarketId id, uint256 amount, uint256 deadline, uint8 v, bytes32 r, bytes32 s)
        external;

    /// @notice Deposits `amount` of `owner`'s token for `owner`, who has signed it for this market. Anyone may call.
    /// @param nonce As for Permit2's `permitWitnessTransferFrom`; the witness is `MarketDeposit(bytes32 market)`.
    function depositWithPermit2(
        MarketId id,
        address owner,
        uint256 amount,
        uint256 nonce,
        uint256 deadline,
        bytes calldata signature
    ) external;
}

/// @notice Markets.
interface IMarkets is IMarketLog {
    /// @notice Creates a market whose parameters never change.
    /// @dev Warning: a market is as good as its parameters. Its verifier decides which proofs hold, its sink may be
    /// anyone, and a token that changes balances by itself makes every market in that token insolvent. A lane of an
    /// account holds less than 2^96 ticks: choose a tick of which nobody can own that many.
    /// @return id See `MarketId`.
    function createMarket(MarketParams calldata params) external returns (MarketId id);

    /// @notice Pays the market's surplus to its sink. Anyone may call.
    /// @return paid What was paid (wei, or the token's smallest unit).
    function collectSurplus(MarketId id) external returns (uint256 paid);
}

/// @notice Provers' seats.
interface ISeats is IMarketLog {
    /// @notice Takes a free seat: locks `capacity * collateralPerUnit` of the caller's balance (native currency attached
    /// is deposited first), pays the seat fee, and asks `cost` ticks per unit, all from `capacityDelay` rounds on.
    /// @param capacity Most units of undelivered tasks the seat can hold.
    /// @param cost In a sealed market `type(uint64).max`: asks are committed to round by round.
    /// @return seat Number of the seat, the smallest free one.
    function register(MarketId id, uint32 capacity, uint64 cost) external payable returns (uint256 seat);

    /// @notice Changes a seat's unit cost (ticks per unit) from the next round on.
    function ask(MarketId id, uint256 seat, uint64 cost) external;

    /// @notice Changes a seat's capacity `capacityDelay` rounds from now; 0 to leave. What is added is locked at once, native
    /// currency attached is deposited first; what is taken away comes back by `releaseCapacity`.
    /// @dev Warning: one change at a time, and it cannot be taken back.
    /// @return from First round that the change counts for.
    function changeCapacity(MarketId id, uint256 seat, uint32 capacity)
        external
        payable
        returns (uint256 from);

    /// @notice Returns the collateral of capacity that was taken away, once no round and no task needs it any more, and frees
    /// the seat if nothing is left of it.
    /// @return collateral Ticks that were credited to the prover.
    function releaseCapacity(MarketId id, uint256 seat) external returns (uint256 collateral);
}

/// @notice Who may act for a prover.
interface IOperators is IMarketLog {
    /// @notice Lets `operator` act for the caller's seats in this market, in place of whoever could before; zero for nobody. It may do
    /// with them what the caller may, out of the caller's balance and to its credit, and can withdraw nothing: a node's key need not be
    /// the key that the money belongs to (docs/adr/0021).
    /// @dev Warning: an operator can cost the caller bonds and collateral, by commitments that it does not open and tasks that it
    /// does not prove. Native currency that it attaches to a call is its own.
    function setOperator(MarketId id, address operator) external;

    /// @notice Who may act for the seats of a prover besides itself, zero for nobody.
    function operatorOf(MarketId id, address prover) external view returns (address);
}

/// @notice Bids and asks of a sealed market: committed to first, opened after the close.
interface ISealed is IMarketLog {
    /// @notice Commits to a bid in the round that is open now and locks `deposit_` ticks of the caller's balance; native
    /// currency attached is deposited first. The deposit hides the bid: anything from its cost with the settlement fee up.
    /// @dev Warning: what is not opened between the close and `revealBy` loses its bond, whatever the reason.
    /// @param commitment keccak256 of the round's seed, the caller, the bid's word and 32 random bytes; see `CommitmentLib`.
    /// @param round Round of the bid, which must be the open one: a commitment that arrives later is refused.
    function commitBid(MarketId id, bytes32 commitment, uint96 deposit_, uint32 round) external payable;

    /// @notice Opens bids of the round that closed last. Anyone who holds the openings may call. One that is refused changes
    /// nothing and does not stop the others.
    /// @dev A bid's index is its place in the order of opening. What its deposit holds beyond its cost is free at once. An entry of a
    /// sealed market is a single bid; what it asks a proof for is told by `publish`.
    /// @return revealed How many were accepted, at least 1.
    function revealBids(MarketId id, Opening[] calldata openings) external returns (uint256 revealed);

    /// @notice Commits a seat of the caller to a unit cost for the open round, and locks the bond; native currency attached is
    /// deposited first.
    /// @dev Warning: as for `commitBid`. A seat that commits to nothing takes no part in the round.
    /// @param round Round of the ask, which must be the open one.
    function commitAsk(MarketId id, uint256 seat, bytes32 commitment, uint32 round) external payable;

    /// @notice Opens a seat's ask for the round that closed last. Anyone who holds the opening may call.
    function revealAsk(MarketId id, uint256 seat, uint64 cost, bytes32 salt) external;

    /// @notice Ends a commitment that was not opened in time: the bond goes to the sink, the rest to `account`. Anyone may call.
    /// @return returned What `account` was credited (ticks).
    function forfeit(MarketId id, address account, uint256 round, bytes32 commitment)
        external
        returns (uint256 returned);
}

/// @notice Tasks that were not delivered in time.
interface IDefaults is IMarketLog {
    /// @notice Takes a defaulted task over for one of the caller's seats, which needs free capacity for it.
    /// @dev Warning: a taker that does not deliver in time stands as a defaulter too. A
    /// seat holds a task once; another seat of the same prover may take it over, and earns the bounty.
    /// @return deadline First second at which the taker is in default.
    function takeOver(MarketId id, Task calldata task, bytes32[] calldata path, uint256 seat)
        external
        returns (uint256 deadline);

    /// @notice Ends a task that nobody delivered: the requester gets back what it paid or what was held for the task, whichever is
    /// less, less the penalty, and each prover that held the task loses the same penalty. Anyone may call.
    /// @dev A task of which nobody says what is behind its ticket (`requester` zero) ends the same way, later by as long as it is from
    /// the round's settlement deadline to its final one; the refund then goes to the sink.
    function expire(MarketId id, Task calldata task, bytes32[] calldata path) external;
}

/// @notice What the market stores. `MarketLens` shows it unpacked.
interface IMarketViews is IMarketLog {
    /// @notice Parameters of a market; reverts with `UnknownMarket`.
    function marketParams(MarketId id) external view returns (MarketParams memory);

    /// @notice Capacity cap (units) and reserve price (ticks per unit) of a round. Final for the open round, and for closed
    /// ones until they are settled; for later rounds they may still move, and of earlier ones they are forgotten.
    function termsOf(MarketId id, uint256 round)
        external
        view
        returns (uint256 capacityCap, uint256 reservePrice);

    /// @notice Ticks that `account` could withdraw now, results of its single bids included.
    function availableOf(MarketId id, address account) external view returns (uint256);

    /// @notice The two halves of an account as stored: rounds of even number use lane 0, odd ones lane 1.
    function lanesOf(MarketId id, address account) external view returns (Lane[2] memory);

    /// @notice keccak256 over the words of a bundle that waits to be released, or zero.
    function bundleHash(MarketId id, address requester, uint256 round, uint256 firstIndex)
        external
        view
        returns (bytes32);

    /// @notice Ticks that wait for the market's sink.
    function surplusOf(MarketId id) external view returns (uint256);

    /// @notice Number and running hash of a round's bids.
    function bidChainOf(MarketId id, uint256 round) external view returns (BidChain);

    /// @notice Number of seats that were ever taken at the same time; seats are `0 .. seatCount - 1`.
    function seatCount(MarketId id) external view returns (uint256);

    /// @notice A seat's prover (zero if the seat is free), registered capacity still backed by collateral, offer, and change of
    /// capacity.
    function seatOf(MarketId id, uint256 seat)
        external
        view
        returns (address prover, uint256 capacity, Offer offer, CapacityChange change);

    /// @notice The ask book of `round`: what each seat asks (ticks per unit) and offers (units), 0 if it does not take part.
    /// @dev Final once the round closed, and in a sealed market once its asks are revealed, until it is settled.
    function asksOf(MarketId id, uint256 round)
        external
        view
        returns (uint256[] memory costs, uint256[] memory capacities);

    /// @notice What stands behind a commitment that is neither opened nor forfeited (ticks), zeros if there is none.
    function stakeOf(MarketId id, address account, uint256 round, bytes32 commitment)
        external
        view
        returns (uint256 deposit_, uint256 bond);

    /// @notice What a round decided, zero before settlement.
    function outcomeOf(MarketId id, uint256 round) external view returns (Outcome);

    /// @notice Root over the assignments of a settled round's tasks, zero without a trade.
    function assignmentRoot(MarketId id, uint256 round) external view returns (bytes32);

    /// @notice Where a winning task stands now.
    /// @dev Warning: for an index that did not win this says nothing.
    function taskStatus(MarketId id, uint256 round, uint256 index) external view returns (TaskStatus);

    /// @notice Who took a task over.
    function takeoverOf(MarketId id, uint256 round, uint256 index) external view returns (Takeover);
}

/// @notice What the market's own code answers.
interface IMarketCore is IAccounts, IBids, ISeats, ISettlement, IDelivery {
    /// @notice The contract whose code answers everything of `IMarketExtension`.
    function extension() external view returns (address);
}

/// @notice What the market's extension answers, at the market's address.
interface IMarketExtension is IMarkets, ISignedBids, IPermits, IOperators, ISealed, IDefaults, IMarketViews {}

/// @title Markets for zero-knowledge proofs
/// @notice Anyone creates a market; requesters bid for proving tasks and provers ask a unit cost; each round is cleared
/// off chain and verified here; provers are paid once their proof has been verified. Nobody has any privilege.
///
/// Amounts in the ledger are *ticks* of the market; only `deposit`, `withdraw` and `collectSurplus` convert to the
/// currency's smallest unit. Sizes and capacities are *units*, prices ticks per unit, times seconds since the epoch.
///
/// A round runs by block time alone:
///
///     bidding --close--> settlement --settleBy--> proving --proveBy--> takeover --finalAt--> over
///
/// In a *sealed* market bids and asks are commitments, and the time between close and `revealBy` is for opening them:
///
///     bidding --close--> reveal --revealBy--> settlement --settleBy--> ...
///
/// A round that is not settled by its deadline is void, and every bid is refunded in full.
interface IProverMarket is IMarketCore, IMarketExtension {}
