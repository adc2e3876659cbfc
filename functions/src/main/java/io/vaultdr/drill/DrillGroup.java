package io.vaultdr.drill;

import io.vaultdr.model.Failure;

import java.net.URI;
import java.util.List;

/** The Auto Scaling group of a drill's own cluster, empty but for a drill. */
public interface DrillGroup {
    /**
     * Makes the group want {@code instances}.
     *
     * @throws Failure.OutcomeUnknown if nothing was heard; the same call may be made again
     */
    void want(int instances);

    /** How many instances the group has, whatever state they are in. */
    int instances();

    /**
     * The APIs of the instances that take commands, oldest first; one that has just started isn't
     * among them yet.
     */
    List<URI> nodes();
}
