package io.vaultdr.drill;

import io.vaultdr.model.Side;

import java.time.Instant;

/** The functions that take the pair's snapshots. Methods throw {@link io.vaultdr.model.Failure}. */
public interface TakeSnapshots {
    /**
     * Lets {@code side}'s function take the snapshot of that minute and doesn't wait for it. The
     * same minute again takes none.
     */
    void invoke(Side side, Instant minute);

    /** Asks whether {@code side}'s function could be invoked; nothing runs. */
    void tryInvoke(Side side);
}
