// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {TaskProperties} from "./properties/TaskProperties.sol";

/// @notice Which actions there are, and how often the fuzzer picks each: what moves rounds forward comes more often.
abstract contract ActionTable is TaskProperties {
    struct Action {
        bytes32 name;
        bytes4 selector;
        uint256 weight;
    }

    /// @dev More than there are.
    uint256 private constant MANY = 40;

    /// @notice The actions of this market, which depend on what it takes.
    function actions() external view returns (Action[] memory list) {
        list = new Action[](MANY);
        uint256 n = _moneyActions(list, 0);
        n = _isSealed() ? _sealedActions(list, n) : _openActions(list, n);
        n = _seatActions(list, n);
        n = _taskActions(list, n);
        assembly ("memory-safe") {
            mstore(list, n)
        }
    }

    function _moneyActions(Action[] memory list, uint256 n) private view returns (uint256) {
        list[n++] = Action("deposit", this.deposit.selector, 1);
        list[n++] = Action("depositWrongly", this.depositWrongly.selector, 1);
        list[n++] = Action("withdraw", this.withdraw.selector, 2);
        list[n++] = Action("fold", this.fold.selector, 1);
        list[n++] = Action("collectSurplus", this.collectSurplus.selector, 1);
        list[n++] = Action("release", this.release.selector, 3);
        list[n++] = Action("forceEther", this.forceEther.selector, 1);
        if (_isNative()) return n;
        list[n++] = Action("depositWithPermit", this.depositWithPermit.selector, 1);
        list[n++] = Action("depositWithPermit2", this.depositWithPermit2.selector, 1);
        return n;
    }

    function _openActions(Action[] memory list, uint256 n) private pure returns (uint256) {
        list[n++] = Action("submitOneBid", this.submitOneBid.selector, 3);
        list[n++] = Action("submitBids", this.submitBids.selector, 1);
        list[n++] = Action("submitLot", this.submitLot.selector, 1);
        list[n++] = Action("submitWrongly", this.submitWrongly.selector, 1);
        list[n++] = Action("multicall", this.multicall.selector, 1);
        list[n++] = Action("publish", this.publish.selector, 1);
        list[n++] = Action("submitSignedBids", this.submitSignedBids.selector, 2);
        list[n++] = Action("submitWalletBids", this.submitWalletBids.selector, 1);
        list[n++] = Action("ask", this.ask.selector, 1);
        return n;
    }

    function _sealedActions(Action[] memory list, uint256 n) private pure returns (uint256) {
        list[n++] = Action("commitBid", this.commitBid.selector, 8);
        list[n++] = Action("commitAsk", this.commitAsk.selector, 6);
        list[n++] = Action("revealBids", this.revealBids.selector, 7);
        list[n++] = Action("revealAsk", this.revealAsk.selector, 6);
        list[n++] = Action("forfeit", this.forfeit.selector, 2);
        list[n++] = Action("bidOpenly", this.bidOpenly.selector, 1);
        return n;
    }

    function _seatActions(Action[] memory list, uint256 n) private pure returns (uint256) {
        list[n++] = Action("register", this.register.selector, 2);
        list[n++] = Action("meddle", this.meddle.selector, 1);
        list[n++] = Action("changeCapacity", this.changeCapacity.selector, 1);
        list[n++] = Action("releaseCapacity", this.releaseCapacity.selector, 1);
        return n;
    }

    function _taskActions(Action[] memory list, uint256 n) private pure returns (uint256) {
        list[n++] = Action("settleRound", this.settleRound.selector, 3);
        list[n++] = Action("settleWrong", this.settleWrong.selector, 1);
        list[n++] = Action("settleInPages", this.settleInPages.selector, 2);
        list[n++] = Action("deliver", this.deliver.selector, 2);
        list[n++] = Action("deliverBatch", this.deliverBatch.selector, 1);
        list[n++] = Action("takeOver", this.takeOver.selector, 3);
        list[n++] = Action("expire", this.expire.selector, 2);
        list[n++] = Action("wait", this.wait.selector, 4);
        return n;
    }
}
