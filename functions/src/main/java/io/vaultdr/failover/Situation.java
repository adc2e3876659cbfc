package io.vaultdr.failover;

import io.vaultdr.model.Epoch;
import io.vaultdr.model.Loss;

import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * All that a verdict rests on, as it was at one moment.
 *
 * @param now when
 * @param slot the last slot that was over then
 * @param state the pair
 * @param newestIncident its newest incident, open or closed
 * @param evidence what each vantage says of the serving side
 * @param missing what the DR side lacks, a sentence each
 * @param predictedLoss what a restore would lose; empty where there is no snapshot, which is then
 *     among what is missing
 * @param lastServed the end of the newest slot in which a vantage reached the serving side
 * @param lastIndex the highest committed index that a vantage saw of it
 * @param judged the open incident that is judged once more and so doesn't stand in its own way
 */
public record Situation(
        Instant now,
        long slot,
        PairState state,
        Optional<Incident> newestIncident,
        List<Evidence> evidence,
        List<String> missing,
        Optional<Loss> predictedLoss,
        Optional<Instant> lastServed,
        OptionalLong lastIndex,
        Optional<Epoch> judged) {

    /** The same as an open incident sees it that is judged once more. */
    public Situation judging(Epoch incident) {
        return new Situation(
                now,
                slot,
                state,
                newestIncident,
                evidence,
                missing,
                predictedLoss,
                lastServed,
                lastIndex,
                Optional.of(incident));
    }
}
