// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {BidChain} from "../types/BidChain.sol";
import {BidWord} from "../types/BidWord.sol";
import {Certificate} from "../types/Certificate.sol";
import {CapacityChange} from "../types/CapacityChange.sol";
import {IRoundAuditor} from "./IRoundAuditor.sol";
import {CircuitId} from "../types/CircuitId.sol";
import {Lane} from "../types/Lane.sol";
import {MarketId} from "../types/MarketId.sol";
import {MarketParams} from "../types/MarketParams.sol";
import {Offer} from "../types/Offer.sol";
import {Outcome} from "../types/Outcome.sol";
import {Opening} from "../types/Sealed.sol";
import {Takeover} from "../types/Takeover.sol";
import {NewBid, Task, TaskStatus} from "../types/Task.sol";

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
interface IProverMarket {
    // ---------------------------------------------------------------------------------------------------- markets

    /// @notice A market was created.
    event MarketCreated(MarketId indexed id, address indexed creator, MarketParams params);

    /// @notice No market has this id.
    error UnknownMarket(MarketId id);
    /// @notice A market with these parameters is there already.
    error MarketExists(MarketId id);
    /// @notice A parameter is outside its range; `name` says which (see `MarketParams`).
    error InvalidParameter(bytes32 name);

    /// @notice Creates a market whose parameters never change.
    /// @dev Warning: a market is as good as its parameters. Its verifier decides which proofs hold, its sink may be
    /// anyone, and a token that changes balances by itself makes every market in that token insolvent. A lane of an
    /// account holds less than 2^96 ticks: choose a tick of which nobody can own that many.
    /// @return id See `MarketId`.
    function createMarket(MarketParams calldata params) external returns (MarketId id);

    /// @notice Parameters of a market; reverts with `UnknownMarket`.
    function marketParams(MarketId id) external view returns (MarketParams memory);

    /// @notice Capacity cap (units) and reserve price (ticks per unit) count from `fromRound`: the controllers moved them.
    event TermsMoved(MarketId indexed id, uint256 fromRound, uint256 capacityCap, uint256 reservePrice);

    /// @notice Capacity cap (units) and reserve price (ticks per unit) of a round. Final for the open round, and for closed
    /// ones until they are settled; for later rounds they may still move, and of earlier ones they are forgotten.
    function termsOf(MarketId id, uint256 round)
        external
        view
        returns (uint256 capacityCap, uint256 reservePrice);

    // --------------------------------------------------------------------------------------------------- accounts

    /// @notice `amount` ticks were added to `account`, paid by `payer`.
    event Deposited(MarketId indexed id, address indexed account, address payer, uint256 amount);
    /// @notice `amount` ticks left `account`'s balance for address `to`.
    event Withdrawn(MarketId indexed id, address indexed account, address to, uint256 amount);
    /// @notice `amount` ticks of surplus were paid to the market's sink.
    event SurplusCollected(MarketId indexed id, address indexed sink, uint256 amount);
    /// @notice The results of bids submitted together came back to their requester's balance: `amount` ticks.
    event BundleReleased(
        MarketId indexed id, address indexed requester, uint256 round, uint256 firstIndex, uint256 amount
    );

    /// @notice The amount is no multiple of the market's tick.
    error NotMultipleOfTick(uint256 amount, uint256 tick);
    /// @notice The native currency attached is not what the call needs.
    error WrongValue(uint256 value, uint256 expected);
    /// @notice The token moved another amount than asked for; such tokens are refused.
    error TokenTookFee(uint256 received, uint256 expected);
    /// @notice The account has `available` ticks of the `needed`; deposit more, or wait for the open round.
    error InsufficientBalance(uint256 available, uint256 needed);
    /// @notice No bundle with these bids waits to be released.
    error UnknownBundle();
    /// @notice The round is neither settled nor void, so the result of its bids is open.
    error RoundUnresolved(uint256 round);
    /// @notice The zero address cannot hold an account or receive a payment.
    error ZeroAddress();

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

    /// @notice Credits the results of bids that `requester` submitted together. Anyone may call.
    /// @param words The bids of the bundle, in order.
    /// @return amount What was credited (ticks).
    function release(
        MarketId id,
        address requester,
        uint256 round,
        uint256 firstIndex,
        BidWord[] calldata words
    ) external returns (uint256 amount);

    /// @notice Pays the market's surplus to its sink. Anyone may call.
    /// @return paid What was paid (wei, or the token's smallest unit).
    function collectSurplus(MarketId id) external returns (uint256 paid);

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

    // ------------------------------------------------------------------------------------------------------- bids

    /// @notice A bid was submitted. `head` is `round (32) | index (32) | unit fee (64) | circuit (64)`, the first in
    /// the highest bits.
    event BidSubmitted(
        MarketId indexed id, address indexed requester, uint256 head, uint256[] publicInputs, bytes data
    );

    /// @notice The results of these bids come back by one `release`, not by folding: they were submitted together, or
    /// their requester had a bid in the round already.
    event BidsBundled(
        MarketId indexed id, address indexed requester, uint256 round, uint256 firstIndex, uint256 count
    );

    /// @notice The unit fee must be at least 1.
    error ZeroFee();
    /// @notice The circuit's size is 0 or above the market's limit (units).
    error TaskSizeOutOfRange(uint256 size, uint256 maxTaskSize);
    /// @notice The round has as many bids as one settlement can carry; the next one opens at `nextOpens`.
    error RoundFull(uint256 bids, uint256 nextOpens);
    /// @notice There is no bid in the list.
    error NoBids();
    /// @notice Bids and asks of this market are sealed: commit to them, and reveal after the close.
    error MarketIsSealed();

    /// @notice Bids for a proof in the round that is open now. Locks `fee * size` and takes the settlement fee from
    /// the caller's balance; native currency attached is deposited first.
    /// @dev Warning: a bid cannot be withdrawn, and one below the reserve price loses. A bid for a circuit that the
    /// market's verifier does not know, or for a statement that is not true, may win and then costs the penalty.
    /// @return round Round of the bid.
    /// @return index Its index in the round, by order of submission.
    function submitBid(
        MarketId id,
        uint64 fee,
        CircuitId circuit,
        uint256[] calldata publicInputs,
        bytes calldata data
    ) external payable returns (uint256 round, uint256 index);

    /// @notice Bids for many proofs in the open round: all or none. Their results come back by one `release`.
    /// @return round Round of the bids.
    /// @return firstIndex Index of the first bid; the others follow.
    function submitBids(MarketId id, NewBid[] calldata bids)
        external
        payable
        returns (uint256 round, uint256 firstIndex);

    /// @notice Number and running hash of a round's bids.
    function bidChainOf(MarketId id, uint256 round) external view returns (BidChain);

    // ------------------------------------------------------------------------------------------------------ seats

    /// @notice A prover took a seat; it takes part from `fromRound`.
    event SeatRegistered(
        MarketId indexed id,
        uint256 indexed seat,
        address indexed prover,
        uint256 capacity,
        uint256 cost,
        uint256 fromRound
    );
    /// @notice A seat asks `cost` ticks per unit from `fromRound`.
    event AskSubmitted(MarketId indexed id, uint256 indexed seat, uint256 cost, uint256 fromRound);
    /// @notice A seat has `capacity` units from `fromRound`; with 0 it takes part in no round from then on.
    event CapacityChanged(MarketId indexed id, uint256 indexed seat, uint256 capacity, uint256 fromRound);
    /// @notice The collateral (ticks) of `units` of a seat's capacity went to its prover's balance. `left`: the seat is free.
    event CapacityReleased(
        MarketId indexed id,
        uint256 indexed seat,
        address indexed prover,
        uint256 units,
        uint256 collateral,
        bool left
    );
    /// @notice `units` of a seat's capacity lost their collateral for a task: `loss` ticks are gone, `returned` ticks went to
    /// the prover's balance.
    event SeatSlashed(
        MarketId indexed id, uint256 indexed seat, uint256 units, uint256 loss, uint256 returned
    );

    /// @notice All seats of the market are taken.
    error NoSeatLeft(uint256 maxSeats);
    /// @notice A seat of this market has from `smallest` to `largest` units. `largest` keeps what one seat offers within the
    /// capacity cap: a cheaper one above it would keep every round from clearing.
    error CapacityOutOfRange(uint256 capacity, uint256 smallest, uint256 largest);
    /// @notice The seat has this capacity already (units).
    error CapacityUnchanged(uint256 capacity);
    /// @notice The last change, which counts from `fromRound`, has not ended: wait until the round before it is settled, and
    /// release what it set free.
    error CapacityChangePending(uint256 seat, uint256 fromRound);
    /// @notice No capacity of the seat waits to be released; reduce it first.
    error NothingToRelease(uint256 seat);
    /// @notice Rounds before `fromRound` are not settled yet and may assign tasks to the capacity.
    error CapacityStillOffered(uint256 seat, uint256 fromRound);
    /// @notice `type(uint64).max` stands for "no ask": required when registering in a sealed market, refused elsewhere.
    error InvalidCost(uint256 cost);
    /// @notice The seat does not belong to the caller.
    error NotSeatOwner(uint256 seat, address caller);
    /// @notice The last change counts for the open round and the round before is not settled yet; try again once it
    /// is, at `settleBy` at the latest.
    error AskFrozen(uint256 round, uint256 settleBy);
    /// @notice The seat has undelivered tasks (units).
    error SeatHasOpenTasks(uint256 seat, uint256 openUnits);

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

    // ----------------------------------------------------------------------------------------------- sealed markets

    /// @notice `account` committed to a bid or an ask for `round`. Of `deposit` ticks, `bond` are lost if it is not opened.
    event Committed(
        MarketId indexed id,
        address indexed account,
        uint256 round,
        bytes32 commitment,
        uint256 deposit,
        uint256 bond
    );
    /// @notice An opening was refused and changed nothing; `reason` is the selector of the error it stands for.
    event BidNotRevealed(
        MarketId indexed id, address indexed requester, uint256 round, uint256 position, bytes4 reason
    );
    /// @notice A seat asks `cost` ticks per unit in `round`, and in no other.
    event AskRevealed(MarketId indexed id, uint256 indexed seat, uint256 cost, uint256 round);
    /// @notice A commitment was not opened in time: `returned` ticks went to its account, `bond` ticks to the sink.
    event Forfeited(
        MarketId indexed id,
        address indexed account,
        uint256 round,
        bytes32 commitment,
        uint256 returned,
        uint256 bond
    );

    /// @notice Bids and asks of this market are open: nothing is committed to.
    error MarketIsOpen();
    /// @notice The deposit (ticks) does not cover the bond, or the bid that was opened with its settlement fee.
    error DepositTooSmall(uint256 deposit, uint256 bond);
    /// @notice The account has made this commitment already; take another salt.
    error CommitmentExists();
    /// @notice The account has no such commitment in the round: it was opened already, or what is opened is not what was
    /// committed to.
    error UnknownCommitment();
    /// @notice None of the openings was accepted; `reason` is the selector of the last one's error.
    error NothingRevealed(bytes4 reason);
    /// @notice The time to open the round's commitments has passed.
    error RevealClosed(uint256 round, uint256 revealBy);
    /// @notice The round's commitments can still be opened.
    error RevealOpen(uint256 round, uint256 revealBy);
    /// @notice The seat's ask for the round has been revealed; there is one a round.
    error AskRevealedAlready(uint256 seat, uint256 round);

    /// @notice Commits to a bid in the round that is open now and locks `deposit_` ticks of the caller's balance; native
    /// currency attached is deposited first. The deposit hides the bid: anything from its cost with the settlement fee up.
    /// @dev Warning: what is not opened between the close and `revealBy` loses its bond, whatever the reason.
    /// @param commitment keccak256 of the round's seed, the bid's word and 32 random bytes; see `CommitmentLib`.
    /// @return round Round of the bid.
    function commitBid(MarketId id, bytes32 commitment, uint96 deposit_)
        external
        payable
        returns (uint256 round);

    /// @notice Opens bids of the round that closed last. Anyone who holds the openings may call. One that is refused changes
    /// nothing and does not stop the others.
    /// @dev A bid's index is its place in the order of opening. What its deposit holds beyond its cost is free at once.
    /// @return revealed How many were accepted, at least 1.
    function revealBids(MarketId id, Opening[] calldata openings) external returns (uint256 revealed);

    /// @notice Commits a seat of the caller to a unit cost for the open round, and locks the bond; native currency attached is
    /// deposited first.
    /// @dev Warning: as for `commitBid`. A seat that commits to nothing takes no part in the round.
    /// @return round Round of the ask.
    function commitAsk(MarketId id, uint256 seat, bytes32 commitment) external payable returns (uint256 round);

    /// @notice Opens a seat's ask for the round that closed last. Anyone who holds the opening may call.
    function revealAsk(MarketId id, uint256 seat, uint64 cost, bytes32 salt) external;

    /// @notice Ends a commitment that was not opened in time: the bond goes to the sink, the rest to `account`. Anyone may call.
    /// @return returned What `account` was credited (ticks).
    function forfeit(MarketId id, address account, uint256 round, bytes32 commitment)
        external
        returns (uint256 returned);

    /// @notice What stands behind a commitment that is neither opened nor forfeited (ticks), zeros if there is none.
    function stakeOf(MarketId id, address account, uint256 round, bytes32 commitment)
        external
        view
        returns (uint256 deposit_, uint256 bond);

    // ------------------------------------------------------------------------------------------------- settlement

    /// @notice A round was settled: what it decided, what all its deliveries are paid together (`revenue`, ticks), and the root
    /// over its assignments. `winners` are the winning seats
    /// in the order in which tasks are assigned to them, as `capacity (units) << 8 | seat`: with the round's bids this is
    /// all that an assignment follows from.
    event RoundSettled(
        MarketId indexed id,
        uint256 indexed round,
        address indexed settler,
        Certificate certificate,
        uint256 revenue,
        uint256[] winners,
        bytes32 assignmentRoot,
        uint256 reward
    );

    /// @notice The round still takes bids, or its commitments can still be opened.
    error RoundOpen(uint256 round, uint256 settleFrom);
    /// @notice The round's settlement deadline has passed; it is void.
    error RoundVoid(uint256 round, uint256 settleBy);
    /// @notice The round is settled already.
    error RoundSettledAlready(uint256 round);
    /// @notice The round has no bids, so there is nothing to settle.
    error NothingToSettle(uint256 round);
    /// @notice The words are not the round's bids in order of submission.
    error WrongBids(uint256 round);
    /// @notice The pivot seat has no ask in the round, or is not the first that does not win.
    error WrongPivotSeat(uint256 seat);
    /// @notice The pivot is not the first bid left out.
    error WrongPivotBid(uint256 fee, uint256 index);
    /// @notice The bids up to the capacity cap have another total size or cost, or the market's mechanism has no such claim.
    error WrongBatch();
    /// @notice The winning bids have another total cost.
    error WrongRevenue(uint256 claimed, uint256 actual);
    /// @notice The winning bids have another total size.
    error WrongUnits(uint256 claimed, uint256 actual);

    /// @notice Settles a closed round. Anyone may call; the caller is credited all settlement fees of the round.
    /// @param certificate The only one that passes follows from the round; see crate `clearing`.
    /// @param words All bids of the round in order of submission.
    function settle(MarketId id, uint256 round, Certificate calldata certificate, BidWord[] calldata words)
        external;

    /// @notice The contract that this market lets check its rounds.
    function auditor() external view returns (IRoundAuditor);

    /// @notice What a round decided, zero before settlement.
    function outcomeOf(MarketId id, uint256 round) external view returns (Outcome);

    /// @notice Root over the assignments of a settled round's tasks, zero without a trade.
    function assignmentRoot(MarketId id, uint256 round) external view returns (bytes32);

    // ------------------------------------------------------------------------------------------------------ tasks

    /// @notice A task was proved: the holder `seat` was credited `payment` and `bounty` ticks, the requester
    /// `compensation` ticks.
    event TaskDelivered(
        MarketId indexed id,
        uint256 indexed round,
        uint256 indexed index,
        uint256 seat,
        uint256 payment,
        uint256 bounty,
        uint256 compensation
    );
    /// @notice A defaulted task was taken over by `seat`, which has until `deadline`.
    event TaskTakenOver(
        MarketId indexed id, uint256 indexed round, uint256 indexed index, uint256 seat, uint256 deadline
    );
    /// @notice A task ended without a proof: its requester was credited `refund` ticks.
    event TaskExpired(MarketId indexed id, uint256 indexed round, uint256 indexed index, uint256 refund);

    /// @notice The round's assignments do not contain this task.
    error UnknownTask(uint256 round, uint256 index);
    /// @notice The task has ended.
    error TaskEnded(uint256 round, uint256 index);
    /// @notice The holder's deadline has passed.
    error TaskInDefault(uint256 round, uint256 index, uint256 deadline);
    /// @notice The holder still has time.
    error TaskNotInDefault(uint256 round, uint256 index, uint256 deadline);
    /// @notice The task's final deadline has passed, or no takeover is left; it can only be expired.
    error TaskNotTakeable(uint256 round, uint256 index, uint256 finalAt);
    /// @notice The task's final deadline has not passed.
    error TaskNotExpirable(uint256 round, uint256 index, uint256 finalAt);
    /// @notice The seat held the task before.
    error HeldBefore(uint256 seat);
    /// @notice The seat's free capacity, less what it offered to a round that is not settled yet, is too small (units).
    error CapacityTaken(uint256 free, uint256 needed);
    /// @notice The public inputs are not those of the task.
    error WrongPublicInputs();
    /// @notice The verifier did not accept the proof.
    error ProofRejected();
    /// @notice Too little gas for the verification to mean anything; `needed` must be left when it starts.
    error InsufficientGas(uint256 left, uint256 needed);

    /// @notice Delivers a proof. Pays the task's holder, whoever calls: the assigned prover until the round's proving
    /// deadline, after a takeover the taker until its own. Provers that defaulted on the task are slashed.
    /// @param path Merkle proof of the task's leaf under the round's assignment root.
    function deliver(
        MarketId id,
        Task calldata task,
        bytes32[] calldata path,
        uint256[] calldata publicInputs,
        bytes calldata proof
    ) external;

    /// @notice Takes a defaulted task over for one of the caller's seats, which needs free capacity for it.
    /// @dev Warning: a taker that does not deliver in time stands as a defaulter too.
    /// @return deadline First second at which the taker is in default.
    function takeOver(MarketId id, Task calldata task, bytes32[] calldata path, uint256 seat)
        external
        returns (uint256 deadline);

    /// @notice Ends a task that nobody delivered: the requester gets its payment back less the penalty, and each
    /// prover that held the task loses the same penalty. Anyone may call.
    function expire(MarketId id, Task calldata task, bytes32[] calldata path) external;

    /// @notice Where a winning task stands now.
    /// @dev Warning: for an index that did not win this says nothing.
    function taskStatus(MarketId id, uint256 round, uint256 index) external view returns (TaskStatus);

    /// @notice Who took a task over.
    function takeoverOf(MarketId id, uint256 round, uint256 index) external view returns (Takeover);
}
