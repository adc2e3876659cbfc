package io.vaultdr.snapshot;

import io.vaultdr.model.Epoch;
import io.vaultdr.model.Side;

import java.util.stream.Stream;

/**
 * Which side serves, and the epoch of the promotion that made it.
 *
 * @param lineage {@link Epoch#ZERO} for a home that always served
 */
public record Serving(Side side, Epoch lineage) {
    /** A pair without a ledger: only home can serve. */
    public static final Serving ALWAYS_HOME = new Serving(Side.HOME, Epoch.ZERO);

    /**
     * The lineage that served last, by the newest snapshot that tells one; for when nobody can ask
     * the ledger.
     *
     * @param manifests newest first
     */
    public static Epoch lineage(Stream<Manifest> manifests) {
        return manifests
                .flatMap(manifest -> manifest.lineage().stream())
                .findFirst()
                .orElse(Epoch.ZERO);
    }
}
