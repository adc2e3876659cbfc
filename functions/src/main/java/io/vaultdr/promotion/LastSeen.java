package io.vaultdr.promotion;

import io.vaultdr.model.Loss;
import io.vaultdr.snapshot.Manifest;

import java.time.Duration;
import java.time.Instant;
import java.util.OptionalLong;

/**
 * How far the data had come when they were last seen, which tells what a restore loses.
 *
 * @param at when something served
 * @param index the highest committed Raft index that was seen; empty where none was
 */
public record LastSeen(Instant at, OptionalLong index) {
    /** What restoring {@code snapshot} loses of it. */
    public Loss lostBy(Manifest snapshot) {
        Duration time = Duration.between(snapshot.takenAt(), at);
        return new Loss(
                time.isNegative() ? Duration.ZERO : time,
                index.isPresent()
                        ? OptionalLong.of(Math.max(0, index.getAsLong() - snapshot.index()))
                        : OptionalLong.empty());
    }

    /** What is later of each. */
    public LastSeen or(LastSeen other) {
        return new LastSeen(
                other.at.isAfter(at) ? other.at : at,
                index.isEmpty() || other.index.isEmpty()
                        ? index.isPresent() ? index : other.index
                        : OptionalLong.of(Math.max(index.getAsLong(), other.index.getAsLong())));
    }

    /** A loss in words, without a full stop. */
    public static String words(Loss loss) {
        return loss.time().toSeconds()
                + " s of writes"
                + (loss.entries().isPresent()
                        ? " (about " + loss.entries().getAsLong() + " Raft entries)"
                        : "");
    }
}
