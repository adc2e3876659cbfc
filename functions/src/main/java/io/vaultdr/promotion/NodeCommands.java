package io.vaultdr.promotion;

import io.vaultdr.model.Failure;
import io.vaultdr.runtime.PairSettings;

import java.time.Duration;
import java.util.List;

/** Runs a prepared document on the instances of a cluster. */
public interface NodeCommands {
    /**
     * Runs {@code document} on every instance that carries the cluster's tag and waits for all of
     * them, at the most {@code limit}.
     *
     * @return what came of it on each instance; empty if no instance carries the tag
     * @throws Failure when the service doesn't answer
     */
    List<Run> run(PairSettings.Cluster cluster, String document, Duration limit);

    /**
     * What came of a document on one instance.
     *
     * @param detail the service's status word, such as {@code DeliveryTimedOut}
     */
    record Run(String instance, Result result, String detail) {}

    /** How a document ended on an instance. */
    enum Result {
        /** It ran and says that it did what it should. */
        SUCCEEDED,
        /** It ran and didn't. */
        FAILED,
        /** The instance didn't take it, or nothing was heard within the limit. */
        UNANSWERED
    }
}
