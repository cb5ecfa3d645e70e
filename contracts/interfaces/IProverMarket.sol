// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {BidChain} from "../types/BidChain.sol";
import {BidWord} from "../types/BidWord.sol";
import {Certificate} from "../types/Certificate.sol";
import {CircuitId} from "../types/CircuitId.sol";
import {Lane} from "../types/Lane.sol";
import {MarketId} from "../types/MarketId.sol";
import {MarketParams} from "../types/MarketParams.sol";
import {Offer} from "../types/Offer.sol";
import {Outcome} from "../types/Outcome.sol";
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
    /// @notice A seat takes part in no round from `fromRound`.
    event SeatLeft(MarketId indexed id, uint256 indexed seat, uint256 fromRound);
    /// @notice A seat's collateral went to its prover's balance (ticks) and the seat is free.
    event SeatReleased(MarketId indexed id, uint256 indexed seat, address indexed prover, uint256 collateral);
    /// @notice `units` of a seat's capacity lost their collateral for a task: `loss` ticks are gone, `returned` ticks went to
    /// the prover's balance.
    event SeatSlashed(
        MarketId indexed id, uint256 indexed seat, uint256 units, uint256 loss, uint256 returned
    );

    /// @notice All seats of the market are taken.
    error NoSeatLeft(uint256 maxSeats);
    /// @notice The capacity is below what one seat needs to take part in a round (units).
    error CapacityTooSmall(uint256 capacity, uint256 minimum);
    /// @notice This unit cost stands for "no ask".
    error InvalidCost(uint256 cost);
    /// @notice The seat does not belong to the caller.
    error NotSeatOwner(uint256 seat, address caller);
    /// @notice The last change counts for the open round and the round before is not settled yet; try again once it
    /// is, at `settleBy` at the latest.
    error AskFrozen(uint256 round, uint256 settleBy);
    /// @notice The seat still takes part in rounds: leave first, and wait for the last one to be settled.
    error SeatStillAsking(uint256 seat);
    /// @notice The seat has undelivered tasks (units).
    error SeatHasOpenTasks(uint256 seat, uint256 openUnits);

    /// @notice Takes a free seat: locks `capacity * collateralPerUnit` of the caller's balance (native currency attached
    /// is deposited first) and asks `cost` ticks per unit from the next round on.
    /// @param capacity Most units of undelivered tasks the seat can hold, at least `2 * maxTaskSize - 1`.
    /// @return seat Number of the seat, the smallest free one.
    function register(MarketId id, uint32 capacity, uint64 cost) external payable returns (uint256 seat);

    /// @notice Changes a seat's unit cost (ticks per unit) from the next round on.
    function ask(MarketId id, uint256 seat, uint64 cost) external;

    /// @notice Takes part in no round from the next one on.
    function leave(MarketId id, uint256 seat) external;

    /// @notice Returns the collateral of a seat that left, once everything it owes has ended, and frees the seat.
    function releaseSeat(MarketId id, uint256 seat) external returns (uint256 collateral);

    /// @notice Number of seats that were ever taken at the same time; seats are `0 .. seatCount - 1`.
    function seatCount(MarketId id) external view returns (uint256);

    /// @notice A seat's prover (zero if the seat is free), registered capacity still backed by collateral, and offer.
    function seatOf(MarketId id, uint256 seat)
        external
        view
        returns (address prover, uint256 capacity, Offer offer);

    // ------------------------------------------------------------------------------------------------- settlement

    /// @notice A round was settled: what it decided, and the root over its assignments. `winners` are the winning seats
    /// in the order in which tasks are assigned to them, as `capacity (units) << 8 | seat`: with the round's bids this is
    /// all that an assignment follows from.
    event RoundSettled(
        MarketId indexed id,
        uint256 indexed round,
        address indexed settler,
        Certificate certificate,
        uint256 proverPrice,
        uint256[] winners,
        bytes32 assignmentRoot,
        uint256 reward
    );

    /// @notice The round still takes bids.
    error RoundOpen(uint256 round, uint256 closesAt);
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
    /// @notice The winning bids have another total size.
    error WrongUnits(uint256 claimed, uint256 actual);

    /// @notice Settles a closed round. Anyone may call; the caller is credited all settlement fees of the round.
    /// @param certificate The only one that passes follows from the round; see crate `clearing`.
    /// @param words All bids of the round in order of submission.
    function settle(MarketId id, uint256 round, Certificate calldata certificate, BidWord[] calldata words)
        external;

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
