package io.vaultdr.failover;

import io.vaultdr.model.Loss;
import io.vaultdr.model.Side;

import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * The newest evaluation of a pair, as a person is shown it, and what the next one has to remember.
 * There is one in every state, paused ones too.
 *
 * @param at when it was made
 * @param slot the last slot that it saw whole
 * @param side the side that serves and was diagnosed
 * @param diagnosis the diagnosis' name
 * @param evidence per vantage what it says, one line each
 * @param gates every gate that applies, first decides
 * @param verdict what follows
 * @param wouldHave what would follow if the stage were automatic
 * @param missing what the DR side lacks
 * @param predictedLoss what a restore of the newest snapshot would lose; empty without a snapshot
 * @param lastServed the end of the newest slot in which any vantage reached the serving side
 * @param lastIndex the highest committed index that a vantage saw of it
 * @param told per cause what people were paged about and that isn't over
 * @param warmedAt when the steps were last warmed by a dry run
 * @param version raised by each write, for optimistic locking; 0 for none yet
 */
public record Assessment(
        Instant at,
        long slot,
        Side side,
        String diagnosis,
        Map<String, String> evidence,
        List<String> gates,
        String verdict,
        String wouldHave,
        List<String> missing,
        Optional<Loss> predictedLoss,
        Optional<Instant> lastServed,
        OptionalLong lastIndex,
        Map<String, Told> told,
        Optional<Instant> warmedAt,
        long version) {

    /** A page that was sent: since when its cause holds, and when it was last seen to. */
    public record Told(Instant since, Instant lastSeen) {}

    /** The same, with the steps warmed at another time; stored by {@link Ledger#assess}. */
    public Assessment withWarmedAt(Instant time) {
        return with(told, Optional.of(time), version);
    }

    /** The same, with other pages, in place of the version {@code stored}. */
    Assessment withTold(Map<String, Told> next, long stored) {
        return with(next, warmedAt, stored);
    }

    private Assessment with(Map<String, Told> pages, Optional<Instant> warmed, long stored) {
        return new Assessment(
                at,
                slot,
                side,
                diagnosis,
                evidence,
                gates,
                verdict,
                wouldHave,
                missing,
                predictedLoss,
                lastServed,
                lastIndex,
                pages,
                warmed,
                stored);
    }
}
