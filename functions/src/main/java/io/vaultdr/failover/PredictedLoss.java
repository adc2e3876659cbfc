package io.vaultdr.failover;

import io.vaultdr.model.Loss;

import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.OptionalLong;

/** What a restore of a snapshot would lose, as far as the DR region can know it. */
public final class PredictedLoss {
    private PredictedLoss() {}

    /**
     * Predicts the loss.
     *
     * @param lastServed the end of the last slot in which home was seen to serve; without one it
     *     may have served until now, so that the time stays an upper bound
     * @param lastIndex the highest committed index that was seen
     */
    public static Loss of(
            Readiness.Newest snapshot,
            Optional<Instant> lastServed,
            OptionalLong lastIndex,
            Instant now) {
        Duration time = Duration.between(snapshot.takenAt(), lastServed.orElse(now));
        OptionalLong entries =
                lastIndex.isPresent()
                        ? OptionalLong.of(Math.max(0, lastIndex.getAsLong() - snapshot.index()))
                        : lastIndex;
        return new Loss(time.isNegative() ? Duration.ZERO : time, entries);
    }
}
