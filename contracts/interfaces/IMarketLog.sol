// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {BidWord} from "../types/BidWord.sol";
import {Certificate} from "../types/Certificate.sol";
import {MarketId} from "../types/MarketId.sol";
import {MarketParams} from "../types/MarketParams.sol";
import {SubmittedBid} from "../types/SignedBid.sol";
import {Statement} from "../types/Statement.sol";

/// @title Everything that the market says: events, and errors with what was given and the limit
/// @notice All state follows from the events, but for which commitment an opened bid or ask came from: ask `stakeOf`. Units as in
/// `IProverMarket`.
interface IMarketLog {
    // ------------------------------------------------------------------------------------------------ markets

    /// @notice A market was created.
    event MarketCreated(MarketId indexed id, address indexed creator, MarketParams params);

    /// @notice The auditor or the extension given to a new market has no code.
    error NotAContract();

    /// @notice This is the market's extension; call the market itself.
    error NotTheMarket();

    /// @notice No market has this id.
    error UnknownMarket(MarketId id);

    /// @notice A market with these parameters is there already.
    error MarketExists(MarketId id);

    /// @notice A parameter is outside its range; `name` says which (see `MarketParams`).
    error InvalidParameter(bytes32 name);

    /// @notice Capacity cap (units) and reserve price (ticks per unit) count from `fromRound`: the controllers moved them.
    event TermsMoved(MarketId indexed id, uint256 fromRound, uint256 capacityCap, uint256 reservePrice);

    // ----------------------------------------------------------------------------------------------- accounts

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

    /// @notice The market's currency is the chain's own: attach it to `deposit`, there is nothing to permit.
    error NativeCurrency();

    /// @notice This chain has no Permit2 at its address; approve the market, and `deposit`.
    error NoPermit2(address permit2);

    /// @notice The account has `available` ticks of the `needed`; deposit more, or wait for the open round.
    error InsufficientBalance(uint256 available, uint256 needed);

    /// @notice No bundle with these bids waits to be released.
    error UnknownBundle();

    /// @notice The round is neither settled nor void, so the result of its bids is open.
    error RoundUnresolved(uint256 round);

    /// @notice The zero address cannot hold an account or receive a payment.
    error ZeroAddress();

    // --------------------------------------------------------------------------------------------------- bids

    /// @notice An entry was submitted. `place` is `requester (160) | round (32) | index of its first bid (32)`, the first in the
    /// highest bits.
    event BidSubmitted(MarketId indexed id, uint256 place, BidWord word);

    /// @notice Entries were submitted together; `place` is that of the first, the others follow.
    event BidsSubmitted(MarketId indexed id, uint256 place, bytes32[] words);

    /// @notice Signed entries were submitted; the first of them has the bid of index `firstIndex`, the others follow.
    event SignedBidsSubmitted(MarketId indexed id, uint256 round, uint256 firstIndex, SubmittedBid[] bids);

    /// @notice A signed entry was refused and changed nothing; `reason` is the selector of the error it stands for. `requester` is who
    /// signed, or whoever a wrong signature seems to be of.
    event SignedBidRefused(
        MarketId indexed id, address indexed requester, uint256 round, uint256 position, bytes4 reason
    );

    /// @notice Somebody published the statements of an entry: if their root makes the ticket of one of `requester`'s entries, they
    /// are what it asks proofs for, and otherwise they mean nothing.
    event StatementsPublished(MarketId indexed id, address indexed requester, Statement[] statements);

    /// @notice The results of these bids come back by one `release`, not by folding: they were submitted together, or
    /// their requester had a bid in the round already.
    event BidsBundled(
        MarketId indexed id, address indexed requester, uint256 round, uint256 firstIndex, uint256 count
    );

    /// @notice The unit fee must be at least 1.
    error ZeroFee();

    /// @notice The entry stands for more bids than it may, 16,383 or in a sealed market one.
    error LotTooLarge(uint256 bids, uint256 most);

    /// @notice The task's size is 0 or above the market's limit (units).
    error TaskSizeOutOfRange(uint256 size, uint256 maxTaskSize);

    /// @notice The round has no room for what would be added; the next one opens at `nextOpens`.
    error RoundFull(uint256 bids, uint256 nextOpens);

    /// @notice The requester has an entry in the round already; signed ones are submitted only beside none.
    error BidInRoundAlready();

    /// @notice The signature is nobody's, or not the contract's that is to have signed.
    error WrongSignature();

    /// @notice The entry says that it is told, but its statements were not published before it in this transaction.
    error NotPublishedHere();

    /// @notice There is no statement in the list.
    error NoStatements();

    /// @notice None of the signed entries was accepted; `reason` is the selector of the last one's error.
    error NothingSubmitted(bytes4 reason);

    /// @notice There is no bid in the list.
    error NoBids();

    /// @notice Bids and asks of this market are sealed: commit to them, and reveal after the close.
    error MarketIsSealed();

    // -------------------------------------------------------------------------------------------------- seats

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

    /// @notice `operator` may act for the seats of `prover` from now on, and whoever could before may not; zero: nobody.
    event OperatorSet(MarketId indexed id, address indexed prover, address indexed operator);

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

    /// @notice The seat does not belong to the caller, nor to anybody whose operator the caller is.
    error NotSeatOwner(uint256 seat, address caller);

    /// @notice The last change counts for the open round and the round before is not settled yet; try again once it
    /// is, at `settleBy` at the latest.
    error AskFrozen(uint256 round, uint256 settleBy);

    /// @notice The seat has undelivered tasks (units).
    error SeatHasOpenTasks(uint256 seat, uint256 openUnits);

    // ----------------------------------------------------------------------------------------- sealed markets

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
    error DepositTooSmall(uint256 deposit, uint256 needed);

    /// @notice The commitment is for a round that is not the open one, so it could never be opened there.
    error RoundNotOpen(uint256 round, uint256 current);

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

    // --------------------------------------------------------------------------------------------- settlement

    /// @notice A round was settled: what it decided, what all its deliveries are paid together (`revenue`, ticks), and the root
    /// over its assignments. `winners` are the winning seats
    /// in the order in which tasks are assigned to them, as `capacity (units) << 8 | seat`: with the round's bids this is
    /// all that an assignment follows from. `shares` are the pages of the settlement from the round's last bid to its first, as
    /// `settler (160) | bids of the page (64)`; each settler was credited the settlement fee for each of them. Leaves of the
    /// assignment tree stand page by page in this order, within a page in order of submission.
    event RoundSettled(
        MarketId indexed id,
        uint256 indexed round,
        address indexed settler,
        Certificate certificate,
        uint256 revenue,
        uint256[] winners,
        bytes32 assignmentRoot,
        uint256[] shares
    );

    /// @notice A page of a claim about a round was found right. `claim` is keccak256(abi.encode(id, round, certificate)). `shares` and
    /// `progress` are what the next page needs.
    event PageSettled(
        MarketId indexed id,
        uint256 indexed round,
        address indexed settler,
        bytes32 claim,
        uint256[] shares,
        bytes progress
    );

    /// @notice The round still takes bids, or its commitments can still be opened.
    error RoundOpen(uint256 round, uint256 settleFrom);

    /// @notice The round's settlement deadline has passed; it is void.
    error RoundVoid(uint256 round, uint256 settleBy);

    /// @notice The round is settled already.
    error RoundSettledAlready(uint256 round);

    /// @notice The round has no bids, so there is nothing to settle.
    error NothingToSettle(uint256 round);

    /// @notice This is not what the settler's last page in this market left, or that was of another round or certificate; read its
    /// `PageSettled`.
    error WrongProgress(uint256 round, address settler);

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

    // -------------------------------------------------------------------------------------------------- tasks

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

    /// @notice Tasks of a round were proved before its proving deadline, and the seat each was assigned to was credited `payment`
    /// ticks for it. Says for many what `TaskDelivered` says for one without bounty and compensation.
    /// @param tasks The tasks as `index << 8 | seat`.
    event TasksDelivered(MarketId indexed id, uint256 indexed round, uint256 payment, uint256[] tasks);

    /// @notice A delivery of a batch was refused and changed nothing; `reason` is the selector of the error it stands for.
    event DeliveryRefused(MarketId indexed id, uint256 indexed round, uint256 index, bytes4 reason);

    /// @notice A defaulted task was taken over by `seat`, which has until `deadline`.
    event TaskTakenOver(
        MarketId indexed id, uint256 indexed round, uint256 indexed index, uint256 seat, uint256 deadline
    );

    /// @notice A task ended without a proof: its requester was credited `refund` ticks.
    event TaskExpired(MarketId indexed id, uint256 indexed round, uint256 indexed index, uint256 refund);

    /// @notice The round's assignments do not contain this task.
    error UnknownTask(uint256 round, uint256 index);

    /// @notice What is behind the task's ticket must be told for this: who asked for it, and the root over the statements.
    error TaskNotNamed(uint256 round, uint256 index);

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

    /// @notice Circuit, public inputs and data are not the task's.
    error WrongStatement(uint256 round, uint256 index);

    /// @notice The verifier did not accept the proof.
    error ProofRejected();

    /// @notice A batch has from 1 to `max` deliveries.
    error WrongNumberOfDeliveries(uint256 given, uint256 max);

    /// @notice Public inputs or proofs of the batch are not a multiple of its number of deliveries.
    error UnevenBatch();

    /// @notice None of the deliveries was accepted; `reason` is the selector of the last one's error.
    error NothingDelivered(bytes4 reason);

    /// @notice Too little gas for the verification to mean anything; `needed` must be left when it starts.
    error InsufficientGas(uint256 left, uint256 needed);
}
