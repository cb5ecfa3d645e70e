// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {SignedBid, WalletBid} from "../../../../contracts/types/SignedBid.sol";
import {BidActions} from "./BidActions.sol";

/// @notice Bids that somebody else sends: good ones and bad ones in one call. The call fails only if none is good, and a bad one
/// changes nothing, or the mirror and the market would part.
abstract contract SignedActions is BidActions {
    enum Flaw {
        /// Half of the entries have none.
        None0,
        None1,
        None2,
        None3,
        None4,
        None5,
        Garbage,
        OtherRound,
        OtherMarket,
        OtherChain,
        OtherContract,
        OtherEntry,
        Unpublished,
        NoFee,
        TooDear
    }

    /// @dev One entry of a call, and whether its signature and its content are good.
    struct Sent {
        Draft draft;
        bool good;
    }

    function submitSignedBids(uint256 salt) external acts("submitSignedBids", salt) {
        uint256 n = _between(1, 4);
        if (!_hasRoom(2 * n)) return;
        SignedBid[] memory bids = new SignedBid[](n);
        Sent[] memory sent = new Sent[](n);
        for (uint256 i; i < n; ++i) {
            uint256 who = _draw(cast.people.length);
            Flaw flaw = _anyFlaw();
            sent[i] = _send(cast.people[who], flaw);
            bids[i] = signedFor(_binding(flaw), cast.keys[who], sent[i].draft.word);
            if (flaw == Flaw.Garbage) bids[i].r = keccak256(abi.encode(bids[i].r));
            if (flaw == Flaw.OtherEntry) bids[i].entry = entryWord(3, 1, 1, 7);
            // A replay, which may be good if what it repeats was not taken.
            if (i != 0 && _oneIn(10)) (bids[i], sent[i]) = (bids[i - 1], sent[i - 1]);
        }
        uint256 taken = _take(sent);
        bool ok = _try(_anyActor(), abi.encodeCall(market.submitSignedBids, (id, bids)));
        require(ok == (taken != 0), "signed bids go through if one of them is good");
        _succeeded(ok);
    }

    /// @dev Signed by the owner of a wallet, which may or may not be of a mind to say so.
    function submitWalletBids(uint256 salt) external acts("submitWalletBids", salt) {
        uint256 n = _between(1, 3);
        if (!_hasRoom(2 * n)) return;
        WalletBid[] memory bids = new WalletBid[](n);
        Sent[] memory sent = new Sent[](n);
        for (uint256 i; i < n; ++i) {
            uint256 which = _oneIn(2) ? 0 : _draw(cast.wallets.length);
            // Only the first wallet reads what it is given.
            Flaw flaw = which == 0 ? _anyFlaw() : Flaw.None0;
            sent[i] = _send(cast.wallets[which], flaw);
            if (which >= cast.goodWallets) sent[i].good = false;
            SignedBid memory s = signedFor(_binding(flaw), cast.keys[0], sent[i].draft.word);
            bytes32 r = flaw == Flaw.Garbage ? keccak256(abi.encode(s.r)) : s.r;
            bytes memory signature = abi.encode(uint8(27 + uint256(s.vs >> 255)), r, s.vs << 1 >> 1);
            bids[i] = WalletBid(cast.wallets[which], sent[i].draft.word, signature);
            if (flaw == Flaw.OtherEntry) bids[i].entry = entryWord(3, 1, 1, 7);
        }
        uint256 taken = _take(sent);
        bool ok = _try(_anyActor(), abi.encodeCall(market.submitWalletBids, (id, bids)));
        require(ok == (taken != 0), "bids of wallets go through if one of them is good");
        _succeeded(ok);
    }

    function _anyFlaw() private returns (Flaw) {
        return Flaw(_draw(uint256(type(Flaw).max) + 1));
    }

    function _send(address requester, Flaw flaw) private returns (Sent memory) {
        return Sent(_flawed(requester, flaw), uint256(flaw) <= uint256(Flaw.None5));
    }

    /// @dev Books those that the market must take: the good ones that find their requester's lane and money.
    function _take(Sent[] memory sent) private returns (uint256 taken) {
        uint256 round = openRound();
        for (uint256 i; i < sent.length; ++i) {
            Draft memory d = sent[i].draft;
            address requester = d.tasks[0].requester;
            if (!sent[i].good || hasEntry[round][requester] || balances[requester] < d.cost) continue;
            _accept(round, d);
            ++taken;
        }
    }

    function _flawed(address requester, Flaw flaw) private returns (Draft memory d) {
        if (flaw == Flaw.NoFee) return _draft(requester, 0, 1, 1, false);
        if (flaw == Flaw.TooDear) return _draft(requester, 1e15, 1, 1, false);
        if (flaw == Flaw.Unpublished) return _draft(requester, uint64(_between(1, 30)), 1, 1, true);
        d = _anyDraft(requester, _between(1, 2));
        tell(d.tasks);
        _fundFor(requester, d.cost);
    }

    function _binding(Flaw flaw) private view returns (Binding memory b) {
        b = Binding(block.chainid, address(market), id, openRound());
        if (flaw == Flaw.OtherRound) b.round += 1;
        if (flaw == Flaw.OtherMarket) b.id = marketBeside;
        if (flaw == Flaw.OtherChain) b.chain += 1;
        if (flaw == Flaw.OtherContract) b.market = address(this);
    }
}
