package io.vaultdr.rehearsal.world;

import java.time.Duration;
import java.util.List;

/** What stands in for EC2 instances: Run Command and Auto Scaling are handed on to it. */
public interface Machines {
    /** Running instances in a region that carry this tag. */
    List<String> instances(String region, String tagKey, String tagValue);

    /**
     * Runs a document's shell commands on one machine.
     *
     * @param limit how long they may take; a longer run is ended and answered with an exit code
     *     other than 0
     */
    CommandResult run(String instanceId, List<String> commands, Duration limit);

    /** Starts or stops servers until the group has {@code desired}; returns at once. */
    void capacity(String region, String group, int desired);

    /** The group's running instances. */
    List<String> groupInstances(String region, String group);

    /** Starts the machine of an instance that a template's group launched; returns at once. */
    default void launch(Instance instance) {
        throw new IllegalArgumentException("no machine for " + instance.id() + " in this world");
    }

    /** Ends that machine as a power cut does, if it runs; returns once nothing of it does. */
    default void end(String instanceId) {}

    /** Whether EC2's status checks would find the machine well, whatever its server does. */
    default boolean runs(String instanceId) {
        return false;
    }

    /** How the commands ended. */
    record CommandResult(int exitCode, String stdout, String stderr) {}

    /** A world without machines: a command finds no instance, a group is empty. */
    static Machines none() {
        return new Machines() {
            @Override
            public List<String> instances(String region, String tagKey, String tagValue) {
                return List.of();
            }

            @Override
            public CommandResult run(String instanceId, List<String> commands, Duration limit) {
                throw new IllegalArgumentException("no machine " + instanceId + " in this world");
            }

            @Override
            public void capacity(String region, String group, int desired) {
                throw new IllegalArgumentException("no group " + group + " in this world");
            }

            @Override
            public List<String> groupInstances(String region, String group) {
                return List.of();
            }
        };
    }
}
