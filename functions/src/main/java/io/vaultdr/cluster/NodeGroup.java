package io.vaultdr.cluster;

import io.vaultdr.cluster.FaultTolerance.Instance;

import java.time.Instant;
import java.util.List;
import java.util.Map;

/**
 * The group of instances that a made cluster's nodes run on. All methods throw {@link
 * io.vaultdr.model.Failure} where it can't be reached or refuses.
 */
public interface NodeGroup {
    /** How many instances it wants, and those that it has. */
    Seen look();

    /**
     * Since when a hook holds each instance that one holds; none of one that the service doesn't
     * tell of (yet).
     */
    Map<String, Instant> heldSince();

    /** Asks for more time: the hook holds {@code instance} for another of its time-outs. */
    void heartbeat(String hook, String instance);

    /**
     * Ends the hook's hold of {@code instance}; one that isn't held any more is let be.
     *
     * @param goOn whether the instance goes where it was going; false: a new one is given up
     */
    void complete(String hook, String instance, boolean goOn);

    /** A look at the group. */
    record Seen(int desired, List<Instance> instances) {
        public Seen {
            instances = List.copyOf(instances);
        }
    }
}
